package gateway

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"sluice/redact"
)

// I40: what a panic of our own code throws shows no secret, nor does its answer.
func TestPanicsTellNoSecret(t *testing.T) {
	const secret = "canary4711"
	u := &url.URL{Scheme: "rtsp", User: url.UserPassword("viewer", secret), Host: "h"}
	for name, thrown := range map[string]any{
		"text":            "dial " + u.String(),
		"error":           fmt.Errorf("describe: %w", &url.Error{Op: "Get", URL: "http://h/?token=" + secret, Err: errors.New("refused")}),
		"URL":             u,
		"header":          http.Header{"Authorization": {"Bearer " + secret}},
		"header of Basic": http.Header{"Authorization": {"Basic Y2FuYXJ5NDcxMQ=="}},
		"offer":           "line 7: a=ice-pwd:" + secret,
		"request":         httptest.NewRequest(http.MethodGet, "http://h/?token="+secret, nil),
	} {
		t.Run(name, func(t *testing.T) {
			var log strings.Builder
			w := httptest.NewRecorder()
			r := httptest.NewRequest(http.MethodPost, "/cam/whep?token="+secret, strings.NewReader(secret))
			r.Header.Set("Authorization", "Bearer "+secret)
			recovering(slog.New(redact.Handler(slog.NewTextHandler(&log, nil))), http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic(thrown) })).ServeHTTP(w, r)
			said := log.String() + w.Body.String()
			if w.Code != http.StatusInternalServerError || !strings.Contains(said, "canary_test.go") {
				t.Errorf("%d %s", w.Code, said)
			}
			if strings.Contains(said, secret) || strings.Contains(said, "Y2FuYXJ5NDcxMQ") {
				t.Errorf("it shows the secret: %s", said)
			}
		})
	}
}
