package resource

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"sluice/session"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	origin = "https://page.example"
	answer = "v=0\r\n"

	restart = "a=ice-ufrag:new" // what the fake takes for an ICE restart
)

// fake is a session that restarts on the fragment restart, which takes it a while, and refuses some others.
type fake struct {
	id     string
	offer  string
	loaded bool // a counter-offer is pending

	mu         sync.Mutex
	generation session.Generation // guarded by mu
	over       bool               // guarded by mu
	onDone     []func()           // guarded by mu
	asked      session.Generation // guarded by mu: of the last Patch
	verdict    session.Verdict    // guarded by mu
}

func newFake(id string) *fake { return &fake{id: id, generation: 1} }

func (f *fake) ID() string { return f.id }

func (f *fake) Verdict() session.Verdict {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.verdict
}

func (f *fake) OnDone(done func()) {
	f.mu.Lock()
	over := f.over
	f.onDone = append(f.onDone, done)
	f.mu.Unlock()
	if over {
		done()
	}
}

func (f *fake) Close() {
	f.mu.Lock()
	over, callbacks := f.over, f.onDone
	f.over = true
	f.mu.Unlock()
	for _, done := range callbacks {
		if !over {
			done()
		}
	}
}

func (f *fake) Generation() session.Generation {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.generation
}

func (f *fake) Patch(fragment string, g session.Generation) (string, error) {
	ours, err := f.patch(fragment, g)
	if ours != "" {
		time.Sleep(time.Millisecond) // others come meanwhile
	}
	return ours, err
}

func (f *fake) patch(fragment string, g session.Generation) (string, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.asked = g
	switch {
	case fragment == "garbage", fragment == "half":
		return "", refusal(session.ReasonMalformedFragment)
	case fragment == "over":
		return "", refusal(session.ReasonGone)
	case g == session.GenerationUnsaid:
		return "", refusal(session.ReasonGenerationUnsaid)
	case fragment != restart:
		return "", nil
	case g != session.GenerationAny:
		return "", refusal(session.ReasonStaleGeneration)
	}
	f.generation++
	return fmt.Sprintf("a=ice-ufrag:ours%d\r\n", f.generation), nil
}

func (f *fake) Answer(string) error {
	if !f.loaded {
		return refusal(session.ReasonNotPending)
	}
	f.loaded = false
	return nil
}

func refusal(r session.Reason) error {
	return &session.Refusal{Reason: r, Err: errors.New("It is " + string(r) + ".")}
}

// fixture serves /cam/whip, where each POST makes a fake, numbered from 0; an offer that says "refuse" makes none.
type fixture struct {
	*httptest.Server
	resources *Resources

	mu   sync.Mutex
	made []*fake // guarded by mu
}

func newFixture(t *testing.T, o Options, change func(*Made)) *fixture {
	t.Helper()
	o.Log = slog.New(slog.DiscardHandler)
	if o.MaxSDP == 0 {
		o.MaxSDP = 64 << 10
	}
	f := &fixture{resources: New(o)}
	e := Endpoint{Path: "/cam/whip", Head: func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) }}
	e.Create = func(_ context.Context, _ *http.Request, offer string) (Made, error) { return f.create(offer, change) }
	f.Server = httptest.NewUnstartedServer(CORS{Origins: []string{origin}}.Wrap(CheckHeaders(f.handler(e))))
	f.Config.MaxHeaderBytes = 16 << 10
	f.Start()
	t.Cleanup(func() {
		f.Close()
		http.DefaultClient.CloseIdleConnections()
	})
	return f
}

func (f *fixture) handler(e Endpoint) http.Handler {
	return LimitBody(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch path := strings.Split(strings.TrimPrefix(r.URL.Path, "/"), "/"); {
		case len(path) > 3:
			f.resources.ServeBelow(w, r, e.Path, path[2], path[3:])
		case len(path) == 3:
			f.resources.ServeSession(w, r, "/"+path[0]+"/"+path[1], path[2])
		default:
			f.resources.ServeEndpoint(w, r, e)
		}
	}))
}

func (f *fixture) create(offer string, change func(*Made)) (Made, error) {
	if offer == "refuse" {
		return Made{}, refusal(session.ReasonUnservable)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	s := newFake(strconv.Itoa(len(f.made)))
	s.offer = offer
	f.made = append(f.made, s)
	m := Made{Session: s, SDP: answer}
	if change != nil {
		change(&m)
	}
	return m, nil
}

func (f *fixture) session(i int) *fake {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.made[i]
}

// do sends a request with headers as pairs of name and value.
func do(t *testing.T, method, url, body string, headers ...string) (*http.Response, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(headers); i += 2 {
		if headers[i] == "Host" {
			r.Host = headers[i+1]
		}
		r.Header.Add(headers[i], headers[i+1])
	}
	w, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Body.Close()
	text, err := io.ReadAll(w.Body)
	if err != nil {
		t.Fatal(err)
	}
	return w, string(text)
}
