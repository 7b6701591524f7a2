package auth

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"testing"

	"github.com/go-jose/go-jose/v4"
)

const canary = "canary1595"

// I40: whatever goes wrong, no secret stands in an error or in the log.
func TestErrorsHoldNoSecret(t *testing.T) {
	var log strings.Builder
	broken := &http.Client{Transport: server(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Location", "http://"+canary+".test/?token="+canary)
		w.WriteHeader(http.StatusFound)
		_, _ = w.Write([]byte(canary))
	})}
	nobody := &http.Client{Transport: refusing{}}
	where := "http://user:" + canary + "@auth.test/" + canary + "?token=" + canary
	token := sign(t, jose.ES256, newKey(t), canary, said{"sub": "alice", "secret": canary})
	authorizers := []Options{
		{Mode: ModeInternal, Users: []User{{Name: "alice", Password: cheap(t), Tokens: []string{HashToken(canary + "x")}}}},
		{Mode: ModeJWT, JWT: JWT{Secret: canary + testSecret}},
		{Mode: ModeJWT, JWT: JWT{JWKSURL: where}, Client: broken},
		{Mode: ModeJWT, JWT: JWT{JWKSURL: where}, Client: nobody},
		{Mode: ModeHTTP, HTTP: HTTP{URL: where}, Client: broken},
		{Mode: ModeHTTP, HTTP: HTTP{URL: where}, Client: nobody},
	}
	for _, o := range authorizers {
		o.Log = slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
		a := must(t, o)
		for _, c := range []Credentials{{Token: token}, {Token: canary}, {User: "alice", Password: canary}, {Token: "alice:" + canary}, {Token: canary, Unreadable: true}} {
			for range maxFailures + 1 {
				r := Request{Action: Play, Stream: "cam", Credentials: c, Remote: here, Query: canary}
				_, err := a.Authorize(t.Context(), r)
				if err == nil {
					t.Fatal("let in")
				}
				for ; err != nil; err = errors.Unwrap(err) {
					if text := fmt.Sprintf("%v %+v", err, err); strings.Contains(text, canary) {
						t.Errorf("%s: %s", o.Mode, text)
					}
				}
			}
		}
	}
	c := Credentials{Token: canary, User: canary, Password: canary}
	slog.New(slog.NewJSONHandler(&log, nil)).Info("credentials", "of", c)
	fmt.Fprintf(&log, "%v %+v %#v %s", c, Request{Credentials: c}, c, &c)
	if strings.Contains(log.String(), canary) || !strings.Contains(log.String(), "wrong logins") {
		t.Errorf("log: %s", log.String())
	}
}

// refusing is a network without anybody.
type refusing struct{}

func (refusing) RoundTrip(*http.Request) (*http.Response, error) {
	return nil, errors.New("connection refused")
}
