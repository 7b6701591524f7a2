//go:build linux

// Command floor is what a server on this machine can't go below: it seals packets with AES-128-GCM and writes them
// with sendmmsg and UDP GSO, a picture at a time, to all who have posted their address. There is no protocol and no
// state; packets have the sizes and the pace of the load bench's source.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"os"
	"os/signal"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

// shape is the traffic of one viewer.
type shape struct {
	pictures []int // bytes of each picture, again and again, at pictureRate
	sound    int   // bytes of each packet of sound, at soundRate
}

const (
	pictureRate = 30
	soundRate   = 50
	maxPayload  = 1180 // bytes of a picture in one packet, as packets to viewers commonly have
	defaultSize = 2_000_000 / 8 / pictureRate
)

func main() {
	listen := flag.String("listen", "127.0.0.1:8889", "host:port of HTTP; POST ip:port to /")
	gso := flag.Bool("gso", true, "hand runs of packets to the kernel as one")
	sizes := flag.String("sizes", "", "file with the bytes of each picture; none: all alike, 2 Mbit/s")
	sound := flag.Int("sound", 160, "bytes of a packet of sound")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	pictures, err := readSizes(*sizes)
	if err == nil {
		err = run(ctx, *listen, *gso, shape{pictures: pictures, sound: *sound})
	}
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "floor:", err)
		os.Exit(1)
	}
}

func readSizes(file string) ([]int, error) {
	if file == "" {
		return []int{defaultSize}, nil
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	var sizes []int
	for _, f := range strings.Fields(string(text)) {
		n, err := strconv.Atoi(f)
		if err != nil || n < 1 {
			return nil, fmt.Errorf("%s has %q where the bytes of a picture should be", file, f)
		}
		sizes = append(sizes, n)
	}
	if len(sizes) == 0 {
		return nil, fmt.Errorf("%s has no picture", file)
	}
	return sizes, nil
}

func run(ctx context.Context, listen string, gso bool, s shape) error {
	out, err := newSender(gso)
	if err != nil {
		return err
	}
	defer out.close()
	var all audience
	routes := http.NewServeMux()
	routes.HandleFunc("POST /{$}", all.post)
	routes.HandleFunc("DELETE /{$}", func(http.ResponseWriter, *http.Request) {})
	routes.HandleFunc("GET /metrics", func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprintln(w, "go_goroutines", runtime.NumGoroutine())
	})
	server := &http.Server{Addr: listen, Handler: routes}
	served := make(chan error, 1) // by the one goroutine below
	go func() { served <- server.ListenAndServe() }()
	defer server.Close()
	return play(ctx, served, &all, out, s)
}

// play sends a picture at each of its times, and a packet of sound at each of theirs, until ctx is done.
func play(ctx context.Context, served <-chan error, all *audience, out *sender, s shape) error {
	pictures := time.NewTicker(time.Second / pictureRate)
	defer pictures.Stop()
	sounds := time.NewTicker(time.Second / soundRate)
	defer sounds.Stop()
	for i := 0; ; {
		var err error
		select {
		case <-ctx.Done():
			return nil
		case err = <-served:
			return err
		case <-pictures.C:
			size := s.pictures[i%len(s.pictures)]
			packets := (size + maxPayload - 1) / maxPayload
			err = out.send(all.viewers(), packets, size/packets, true)
			i++
		case <-sounds.C:
			err = out.send(all.viewers(), 1, s.sound, false)
		}
		if err != nil {
			return err
		}
	}
}

// audience is who has asked.
type audience struct {
	mu  sync.Mutex
	all []*viewer // guarded by mu; its viewers belong to the goroutine that plays
}

func (a *audience) viewers() []*viewer {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.all
}

func (a *audience) post(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(io.LimitReader(r.Body, 64))
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	to, err := netip.ParseAddrPort(string(body))
	if err != nil || !to.Addr().Is4() {
		http.Error(w, "an address is ip:port, of IPv4", http.StatusBadRequest)
		return
	}
	v, err := newViewer(to)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	a.mu.Lock()
	a.all = append(a.all, v)
	a.mu.Unlock()
	w.Header().Set("Location", "/")
	w.WriteHeader(http.StatusCreated)
}
