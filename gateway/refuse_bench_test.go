package gateway

import (
	_ "embed"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"sluice/auth"
	"sluice/config"
	"sluice/session"
)

//go:embed offers/chromium.sdp
var benchOffer string

// discard is an answer that nobody reads but for its status.
type discard struct {
	header http.Header
	status int
}

func (d *discard) Header() http.Header             { return d.header }
func (d *discard) Write(p []byte) (int, error)     { return len(p), nil }
func (d *discard) WriteHeader(status int)          { d.status = status }
func (d *discard) SetReadDeadline(time.Time) error { return nil }

// newBenchServer is a closed gateway's without its media, and the tokens of one who may and of one who may not.
func newBenchServer(b *testing.B) (h http.Handler, may, mayNot string) {
	b.Helper()
	password, err := auth.HashPassword("right")
	if err != nil {
		b.Fatal(err)
	}
	may, mayHash := auth.NewToken()
	mayNot, mayNotHash := auth.NewToken()
	grant := []config.Grant{{Actions: []string{"publish"}, Streams: []string{"*"}}}
	c := config.Default()
	c.Auth.Mode = "internal"
	c.Auth.Users = []config.User{
		{Name: "ann", Password: config.Secret(password), Tokens: []config.Secret{config.Secret(mayHash)}, Allow: grant},
		{Name: "bob", Tokens: []config.Secret{config.Secret(mayNotHash)}},
	}
	c.Streams = map[string]config.Stream{"one": {Source: config.PublishSource}, "room-*": {Source: config.PublishSource}}
	c.Limits.Streams, c.Limits.PostsPerSecondPerIP = 1, 1
	g, err := New(Options{Config: c, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		b.Fatal(err)
	}
	g.sessions = session.New(g.streams, session.On(nil, nil), g.sessionOptions(c))
	return g.newServer().Handler, may, mayNot
}

// BenchmarkRefusedPOST is what a session costs that is refused, from the head of its request to its answer, by what
// refuses it. Where nothing says otherwise each
// request comes from an address, and where there is one a user, of its own.
func BenchmarkRefusedPOST(b *testing.B) {
	h, may, mayNot := newBenchServer(b)
	for _, c := range []struct {
		name, authorization string // %d: another one each time
		host                string // "": another one each time
		before              int    // requests before what is measured
		status              int
	}{
		{"401/nothing", "", "", 0, 401},
		{"401/wrong-token", "Bearer wrong", "", 0, 401},
		{"401/wrong-password", "Bearer user%d:wrong", "", 0, 401},
		{"403", "Bearer " + mayNot, "", 0, 403},
		{"429/back-off", "Bearer wrong", "192.0.2.1", 10, 429},
		{"429/rate", "Bearer " + may, "192.0.2.2", 2, 429},
		{"503/limit", "Bearer " + may, "127.0.0.1", 0, 503},
	} {
		b.Run("by="+c.name, func(b *testing.B) {
			w := &discard{header: make(http.Header)}
			n := 0
			post := func() {
				n++
				address := fmt.Sprintf("[2001:db8:%x:%x::1]:1", n>>16, n&0xffff)
				if c.host != "" {
					address = c.host + ":1"
				}
				r, err := http.NewRequest(http.MethodPost, "http://gateway.example/room-1/whip", io.NopCloser(strings.NewReader(benchOffer)))
				if err != nil {
					b.Fatal(err)
				}
				r.RemoteAddr = address
				r.Header.Set("Content-Type", "application/sdp")
				if c.authorization != "" {
					r.Header.Set("Authorization", strings.ReplaceAll(c.authorization, "%d", fmt.Sprint(n)))
				}
				clear(w.header)
				h.ServeHTTP(w, r)
			}
			for range c.before {
				post()
			}
			b.ReportAllocs()
			for b.Loop() {
				post()
			}
			if w.status != c.status {
				b.Errorf("the last answer is %d, want %d", w.status, c.status)
			}
		})
	}
}
