package doctor

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"
)

// fake is a gateway in which one thing is broken. Its zero value is well.
type fake struct {
	answers map[string]answer // by path; others are as of a gateway that is well
	date    time.Duration     // its clock is ahead

	candidates []string // values; nil: one on loopback
	servers    []ICEServer
	dead       string // what a candidate that leads nowhere holds
	blind      bool   // sessions connect, and have no picture
	verdict    Verdict
	refused    error // of each session
	relay      error // of each server

	mu     sync.Mutex
	opened int // guarded by mu: sessions that have not been closed
	tokens []string
}

// answer is a status and a body, of a problem if that is its slug.
type answer struct {
	status int
	body   string
	header http.Header
}

func problemOf(status int, slug, detail string) answer {
	return answer{status, fmt.Sprintf(`{"type":"urn:sluice:problem:%s","detail":%q}`, slug, detail), http.Header{"Content-Type": {"application/problem+json"}}}
}

const door7 = `{"name":"door","state":"ready","tracks":[{"kind":"video","codec":"h264","width":640,"height":360,"rendition":"main"},{"kind":"audio","codec":"opus","rendition":"main"}]}`

func (f *fake) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	f.tokens = append(f.tokens, r.Header.Get("Authorization"))
	f.mu.Unlock()
	a, special := f.answers[r.URL.Path]
	if !special {
		a = map[string]answer{
			"/healthz": {status: 200, body: `{"status":"ok"}`}, "/readyz": {status: 200, body: `{"status":"ready"}`},
			"/api/v1/streams": {status: 200, body: "[" + door7 + "]"}, "/api/v1/streams/door": {status: 200, body: door7},
			"/api/v1/sessions": problemOf(403, "forbidden", "Not for you."),
		}[r.URL.Path]
	}
	w.Header().Set("Content-Type", "application/json")
	for k, v := range a.header {
		w.Header()[k] = v
	}
	w.Header().Set("Date", time.Now().Add(f.date).UTC().Format(http.TimeFormat))
	w.WriteHeader(max(a.status, 100))
	_, _ = w.Write([]byte(a.body))
}

// Open implements Viewers.
func (f *fake) Open(_ context.Context, o SessionOptions) (Session, error) {
	if f.refused != nil {
		return nil, f.refused
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.opened++
	return &fakeSession{fake: f, options: o}, nil
}

// Try implements Relays.
func (f *fake) Try(context.Context, ICEServer, netip.AddrPort) (RelayResult, error) {
	relayed := netip.MustParseAddrPort("127.0.0.1:50000")
	return RelayResult{Relayed: relayed, Mapped: relayed, Took: 3 * time.Millisecond}, f.relay
}

type fakeSession struct {
	fake    *fake
	options SessionOptions
}

func (s *fakeSession) Answer() string {
	all := s.fake.candidates
	if all == nil {
		all = []string{loopbackUDP}
	}
	var b strings.Builder
	b.WriteString("v=0\r\n")
	for _, c := range all {
		b.WriteString("a=candidate:" + c + "\r\n")
	}
	return b.String()
}

func (s *fakeSession) Servers() []ICEServer { return s.fake.servers }

func (s *fakeSession) Connect(_ context.Context, answer string, servers []ICEServer) error {
	if s.options.Relayed == (len(servers) == 0) || !s.options.Relayed && strings.Count(answer, "a=candidate") != 1 {
		return fmt.Errorf("%d servers and the answer %q", len(servers), answer)
	}
	if s.fake.dead != "" && strings.Contains(answer, s.fake.dead) {
		return errors.New("nothing came")
	}
	return nil
}

func (s *fakeSession) Picture(context.Context) error {
	if s.fake.blind {
		return errors.New("no picture")
	}
	return nil
}

func (s *fakeSession) Verdict(context.Context) (Verdict, error) { return s.fake.verdict, nil }

func (s *fakeSession) Close(context.Context) {
	s.fake.mu.Lock()
	defer s.fake.mu.Unlock()
	s.fake.opened--
}

// examine is the report on a fake gateway, in which times and the port of HTTP are as in the tests' tables.
func (f *fake) examine(t *testing.T, o Options) (report string, healthy bool) {
	t.Helper()
	server := httptest.NewServer(f)
	defer server.Close()
	return f.examineAt(t, server.URL, o)
}

func (f *fake) examineAt(t *testing.T, url string, o Options) (report string, healthy bool) {
	t.Helper()
	if o.URL == "" {
		o.URL = url
	}
	o.Viewers, o.Relays, o.UserAgent = f, f, "Sluice/test"
	var b strings.Builder
	r := NewReport(&b, false)
	Examine(t.Context(), o, r)
	healthy, err := r.End()
	if err != nil {
		t.Fatal(err)
	}
	if f.opened != 0 {
		t.Errorf("%d sessions were left behind", f.opened)
	}
	text := strings.ReplaceAll(b.String(), url[strings.LastIndex(url, ":"):], ":8889")
	return durations.ReplaceAllString(text, "in N ms"), healthy
}

func mustAddr(s string) netip.AddrPort { return netip.MustParseAddrPort(s) }
