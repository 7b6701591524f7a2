package main

import (
	"context"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"
)

// lookInterval is how often the configuration file is looked at.
const lookInterval = time.Second

// watch sends on the channel that it returns when the configuration is to be read anew: at SIGHUP, and when the file
// has changed since it looked like before, and has been left alone for a moment. It ends with ctx or when done is
// called, which waits for it.
func watch(ctx context.Context, file string, before look) (ask <-chan struct{}, done func()) {
	hangups := make(chan os.Signal, 1)
	signal.Notify(hangups, syscall.SIGHUP)
	asks := make(chan struct{}, 1) // sent to by the goroutine below; never closed
	ctx, cancel := context.WithCancel(ctx)
	var watching sync.WaitGroup
	watching.Go(func() {
		defer signal.Stop(hangups)
		watchFile(ctx, file, before, hangups, asks)
	})
	return asks, func() { cancel(); watching.Wait() }
}

func watchFile(ctx context.Context, file string, read look, hangups <-chan os.Signal, asks chan<- struct{}) {
	tick := time.NewTicker(lookInterval)
	defer tick.Stop()
	seen := read
	for {
		hangup := false
		select {
		case <-hangups:
			hangup = true
		case <-tick.C:
		case <-ctx.Done():
			return
		}
		now := lookAt(file)
		settled := now == seen && now != read && now != (look{})
		if seen = now; !hangup && !settled {
			continue
		}
		read = now
		select {
		case asks <- struct{}{}:
		default: // it has not been heard yet
		}
	}
}

// look is what a change of a file changes; the zero value is that of no file.
type look struct {
	size     int64
	modified time.Time
	inode    uint64
}

func lookAt(file string) look {
	info, err := os.Stat(file)
	if err != nil {
		return look{}
	}
	l := look{size: info.Size(), modified: info.ModTime()}
	if s, ok := info.Sys().(*syscall.Stat_t); ok {
		l.inode = s.Ino
	}
	return l
}
