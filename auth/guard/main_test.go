package guard

import (
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"sluice/auth"
	"sluice/signalling/problem"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	aliceToken = "alice-token-of-many-bits"
	bobToken   = "bob-token-of-many-bits"
)

// users have the password "right": alice may publish and play, bob nothing that anybody may not.
func users(t testing.TB) []auth.User {
	t.Helper()
	return []auth.User{
		{Name: "anonymous", Allow: []auth.Grant{{Actions: []auth.Action{auth.Play}, Streams: []string{"open*"}}}},
		{
			Name: "alice", Tokens: []string{auth.HashToken(aliceToken)},
			Password: "$argon2id$v=19$m=64,t=1,p=1$c2FsdHNhbHQ$WctL8omWcs6Mv2s5WkhfoA",
			Allow:    []auth.Grant{{Actions: []auth.Action{auth.Publish, auth.Play}, Streams: []string{"cam*"}}},
		},
		{Name: "bob", Tokens: []string{auth.HashToken(bobToken)}},
	}
}

// house is a guard whose authorizer and options a test may change.
type house struct {
	*Guard
	authorizer     auth.Authorizer
	query, lenient bool
	log            strings.Builder
}

func newHouse(t testing.TB) *house {
	t.Helper()
	h := &house{}
	h.use(t, auth.Options{Mode: auth.ModeInternal, Users: users(t)})
	h.Guard = New(Options{
		Authorizer: func() auth.Authorizer { return h.authorizer },
		QueryToken: func() bool { return h.query }, LenientAuth: func() bool { return h.lenient },
		Log: slog.New(slog.NewTextHandler(&h.log, nil)),
	})
	return h
}

func (h *house) use(t testing.TB, o auth.Options) {
	t.Helper()
	a, err := auth.New(o)
	if err != nil {
		t.Fatal(err)
	}
	h.authorizer = a
}

// ServeHTTP wants "publish" of those who change something and "play" of the others, for the stream that is the path's
// first segment, and answers with the principal's name and the URL that it sees.
func (h *house) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h.Wrap(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/login":
			h.ServeLogin(w, r)
			return
		case "/logout":
			h.ServeLogout(w, r)
			return
		}
		a := auth.Publish
		if r.Method == http.MethodGet || r.Method == http.MethodHead {
			a = auth.Play
		}
		stream, _, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
		r, ok := h.Require(w, r, a, stream)
		if !ok {
			return
		}
		p, _ := Principal(r.Context())
		_, _ = io.WriteString(w, p.Name+" "+r.URL.String()+" "+r.RequestURI)
	})).ServeHTTP(w, r)
}

// send makes a request with headers as pairs of name and value.
func send(h http.Handler, method, url, body string, headers ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, url, strings.NewReader(body))
	for i := 0; i < len(headers); i += 2 {
		r.Header.Add(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

// expectProblem holds a refusal to be a problem document with a sentence.
func expectProblem(t *testing.T, w *httptest.ResponseRecorder, status int) {
	t.Helper()
	var p problem.Problem
	if err := json.Unmarshal(w.Body.Bytes(), &p); err != nil {
		t.Errorf("%v: %s", err, w.Body)
	}
	h := w.Header()
	if w.Code != status || p.Status != status || !strings.HasSuffix(p.Detail, ".") || h.Get("Content-Type") != problem.ContentType || h.Get("Cache-Control") != "no-store" {
		t.Errorf("%d %v: %s", w.Code, h, w.Body)
	}
}

// backend401 is a server of mode http that says 401 to whatever it denies: the token "right" may all on the stream "cam".
func backend401() http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		var q struct{ Token, Path string }
		if json.NewDecoder(r.Body).Decode(&q) != nil || q.Token != "right" || q.Path != "cam" {
			w.WriteHeader(http.StatusUnauthorized)
		}
	}
}
