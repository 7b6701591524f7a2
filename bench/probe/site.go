package main

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"strconv"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"sluice/internal/lossyrelay"
)

//go:embed page
var page embed.FS

// site serves the probe's page, and passes its offers on to the servers: a server need not allow foreign pages.
type site struct {
	servers []server // fixed after newSite
	seed    uint64

	mu       sync.Mutex
	sessions []session                 // guarded by mu; a session's number is its place
	relays   map[int]*lossyrelay.Relay // guarded by mu; by the server's number
	relaying *errgroup.Group           // fixed by run before it serves
	ctx      context.Context           //nolint:containedctx // of run, for the relays that requests start
}

func newSite(servers []server) *site {
	return &site{servers: servers, seed: 1, relays: make(map[int]*lossyrelay.Relay)}
}

// run serves until ctx ends.
func (s *site) run(ctx context.Context, l net.Listener) error {
	s.relaying, s.ctx = errgroup.WithContext(ctx)
	files, err := fs.Sub(page, "page")
	if err != nil {
		return err
	}
	mux := http.NewServeMux()
	mux.Handle("GET /", http.FileServerFS(files))
	mux.HandleFunc("POST /offer/{server}", s.offer)
	mux.HandleFunc("DELETE /session/{session}", s.leave)
	h := &http.Server{Handler: mux, ReadHeaderTimeout: 10 * time.Second}
	defer context.AfterFunc(ctx, func() { _ = h.Close() })()
	if err := h.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return s.relaying.Wait()
}

// offer passes an offer on; with ?loss= media go through a relay that loses this fraction both ways.
func (s *site) offer(w http.ResponseWriter, r *http.Request) {
	number, err := strconv.Atoi(r.PathValue("server"))
	if err != nil || number < 0 || number >= len(s.servers) {
		http.NotFound(w, r)
		return
	}
	loss, _ := strconv.ParseFloat(r.FormValue("loss"), 64) // none: 0
	body, err := readAll(r.Body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	found, err := s.servers[number].ask(r.Context(), body)
	if err == nil && loss > 0 {
		found.answer, err = s.detour(number, loss, found.answer)
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	s.mu.Lock()
	s.sessions = append(s.sessions, found)
	id := len(s.sessions) - 1
	s.mu.Unlock()
	w.Header().Set("Location", fmt.Sprintf("/session/%d", id))
	w.WriteHeader(http.StatusCreated)
	_, _ = io.WriteString(w, found.answer) // or the page is gone
}

// detour returns the answer with the relay before a server, which it starts with the first.
func (s *site) detour(number int, loss float64, answer string) (string, error) {
	upstream, ok := lossyrelay.Candidate(answer)
	if !ok {
		return "", errors.New("the answer has no host candidate over UDP")
	}
	link := lossyrelay.Link{Loss: loss}
	s.mu.Lock()
	defer s.mu.Unlock()
	relay := s.relays[number]
	if relay == nil {
		var err error
		if relay, err = lossyrelay.New(lossyrelay.Options{Upstream: upstream, Up: link, Down: link, Seed: s.seed}); err != nil {
			return "", err
		}
		s.relays[number] = relay
		s.relaying.Go(func() error { return relay.Run(s.ctx) })
	}
	return lossyrelay.Rewrite(answer, relay.Addr()), relay.Set(link, link)
}

func (s *site) leave(w http.ResponseWriter, r *http.Request) {
	id, err := strconv.Atoi(r.PathValue("session"))
	s.mu.Lock()
	known := err == nil && id >= 0 && id < len(s.sessions)
	var found session
	if known {
		found = s.sessions[id]
	}
	s.mu.Unlock()
	if !known {
		http.NotFound(w, r)
		return
	}
	if err := found.leave(r.Context()); err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
	}
}

// maxSDP bounds what is read of a peer.
const maxSDP = 1 << 20

func readAll(r io.Reader) (string, error) {
	text, err := io.ReadAll(io.LimitReader(r, maxSDP))
	return string(text), err
}
