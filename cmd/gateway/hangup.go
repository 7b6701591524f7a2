package main

import (
	"context"
	"log/slog"
	"os"
	"os/signal"
	"sync"
	"syscall"
)

// noteHangups keeps SIGHUP from ending the process and says what to do instead, until ctx is done or done is called.
func noteHangups(ctx context.Context, log *slog.Logger) (done func()) {
	hangups := make(chan os.Signal, 1)
	signal.Notify(hangups, syscall.SIGHUP)
	ctx, cancel := context.WithCancel(ctx)
	var noting sync.WaitGroup
	noting.Go(func() {
		defer signal.Stop(hangups)
		for {
			select {
			case <-hangups:
				log.Warn("SIGHUP does not reload the configuration yet: restart the gateway to apply changes")
			case <-ctx.Done():
				return
			}
		}
	})
	return func() { cancel(); noting.Wait() }
}
