package whep

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"sluice/session"
	"sluice/signalling/resource"
)

const (
	jsonHeader = "Content-Type: application/json"
	sdpHeader  = "Content-Type: application/sdp"
	sdp        = "v=0\r\nm=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=mid:sound\r\nm=video 9 UDP/TLS/RTP/SAVPF 96\r\na=mid:picture\r\n"
)

// fake is a session with the layers "h" and "l". Its events are sent through news, which belongs to the test; closed,
// the session is over.
type fake struct {
	news   chan session.Event
	chosen chan session.LayerChoice // capacity 1

	mu        sync.Mutex
	listening []session.EventKind // guarded by mu
	listeners int                 // guarded by mu
	onDone    []func()            // guarded by mu
	takes     bool                // guarded by mu; it takes reports
	reports   int                 // guarded by mu; that it can't decode
}

func newFake() *fake {
	return &fake{news: make(chan session.Event), chosen: make(chan session.LayerChoice, 1)}
}

func (f *fake) ID() string                                            { return "id" }
func (f *fake) Generation() session.Generation                        { return 1 }
func (f *fake) Patch(string, session.Generation) (string, error)      { return "", nil }
func (f *fake) Verdict() session.Verdict                              { return session.Verdict{} }
func (f *fake) Answer(string) error                                   { return nil }
func (f *fake) Next(ctx context.Context) (e session.Event, err error) { return next(ctx, f.news) }

func (f *fake) OnDone(done func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.onDone = append(f.onDone, done)
}

// end is what a session does that ends.
func (f *fake) end() {
	close(f.news)
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, done := range f.onDone {
		done()
	}
}

func (f *fake) SelectLayer(c session.LayerChoice) error {
	if c.RID != "" && c.RID != "h" && c.RID != "l" {
		return &session.Refusal{Reason: session.ReasonLayer, Err: errors.New("there is no such layer")}
	}
	f.chosen <- c
	return nil
}

func (f *fake) TakesReports() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.takes
}

// ReportUndecodable takes three.
func (f *fake) ReportUndecodable() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.reports == 3 {
		return &session.Refusal{Reason: session.ReasonTooMany, RetryAfter: time.Second, Err: errors.New("there were too many")}
	}
	f.reports++
	return nil
}

func (f *fake) reported() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.reports
}

func (f *fake) Listen(kinds ...session.EventKind) listener {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.listening = kinds
	f.listeners++
	return f
}

// Close is that of a listener, and of the session, which nobody closes.
func (f *fake) Close() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.listeners--
}

func (f *fake) heard() (kinds []session.EventKind, listeners int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.listening, f.listeners
}

func next(ctx context.Context, news <-chan session.Event) (session.Event, error) {
	select {
	case e, ok := <-news:
		if !ok {
			return e, session.ErrSessionOver
		}
		return e, nil
	case <-ctx.Done():
		return session.Event{}, ctx.Err()
	}
}

// fixture serves one stream, whose only session is a fake.
type fixture struct {
	*httptest.Server
	session *fake
	asked   session.PlayRequest // the last
	offered bool                // it was for a counter-offer
}

func newFixture(t *testing.T, description string) *fixture {
	t.Helper()
	f := &fixture{session: newFake()}
	make := func(offered bool) maker {
		return func(_ context.Context, r session.PlayRequest) (playing, string, error) {
			f.asked, f.offered = r, offered
			return f.session, description, nil
		}
	}
	e := &Endpoint{play: make(false), offer: make(true), resources: resource.New(resource.Options{Log: slog.New(slog.DiscardHandler)})}
	f.Server = httptest.NewServer(resource.CORS{Origins: []string{"*"}}.Wrap(http.HandlerFunc(
		func(w http.ResponseWriter, r *http.Request) {
			path := strings.Split(strings.Trim(r.URL.Path, "/"), "/")
			switch {
			case len(path) > 3:
				e.ServeExtension(w, r, path[0], path[2], path[3:])
			case len(path) == 3:
				e.ServeSession(w, r, path[0], path[2])
			default:
				e.ServeEndpoint(w, r, path[0])
			}
		})))
	t.Cleanup(func() {
		f.Close()
		http.DefaultClient.CloseIdleConnections()
	})
	return f
}

// open sends a request with headers such as "Name: value". The caller closes the body.
func (f *fixture) open(t *testing.T, method, path, body string, headers ...string) *http.Response {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, f.URL+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Origin", "https://page.example")
	for _, h := range headers {
		if name, value, ok := strings.Cut(h, ": "); ok {
			r.Header.Set(name, value)
		}
	}
	w, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func (f *fixture) do(t *testing.T, method, path, body string, headers ...string) (*http.Response, string) {
	t.Helper()
	w := f.open(t, method, path, body, headers...)
	defer w.Body.Close()
	text, err := io.ReadAll(w.Body)
	if err != nil {
		t.Fatal(err)
	}
	return w, string(text)
}
