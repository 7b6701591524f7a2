package redact

import (
	"bytes"
	"errors"
	"log/slog"
	"net/netip"
	"net/url"
	"strings"
	"testing"
	"time"
)

type credentials struct{ User, Password string }

type panics struct{}

func (panics) Error() string { panic("no error") }

type lazy struct{}

func (lazy) LogValue() slog.Value {
	return slog.GroupValue(slog.String("url", "rtsp://u:"+canary+"@h/"))
}

// I40: messages, attributes of every kind and groups.
func TestHandler(t *testing.T) {
	source := &url.URL{Scheme: "rtsp", User: url.UserPassword("u", canary), Host: "h"}
	secret := "rtsp://u:" + canary + "@h/"
	for name, f := range map[string]func(*slog.Logger){
		"message": func(l *slog.Logger) {
			_ = l.Handler().Handle(t.Context(), slog.NewRecord(time.Time{}, slog.LevelInfo, "open "+secret, 0)) // to a buffer
		},
		"string":   func(l *slog.Logger) { l.Info("x", "url", secret) },
		"error":    func(l *slog.Logger) { l.Info("x", "err", errors.New(secret)) },
		"Stringer": func(l *slog.Logger) { l.Info("x", "url", source) },
		"struct":   func(l *slog.Logger) { l.Info("x", "who", credentials{"u", canary}) },
		"pointer":  func(l *slog.Logger) { l.Info("x", "who", &credentials{"u", canary}) },
		"list":     func(l *slog.Logger) { l.Info("x", "urls", []string{secret, "b"}) },
		"map": func(l *slog.Logger) {
			l.Info("x", "header", map[string][]string{"Authorization": {"Bearer " + canary}})
		},
		"group":           func(l *slog.Logger) { l.Info("x", slog.Group("g", "a", 1, "url", secret)) },
		"lazy value":      func(l *slog.Logger) { l.Info("x", "v", lazy{}) },
		"attributes":      func(l *slog.Logger) { l.With("url", secret).Info("x") },
		"in a group":      func(l *slog.Logger) { l.WithGroup("g").With("url", secret).Info("x") },
		"name of the key": func(l *slog.Logger) { l.Info("x", "token", canary) },
		"name in a group": func(l *slog.Logger) { l.Info("x", slog.Group("g", "user_pw", []byte(canary))) },
	} {
		t.Run(name, func(t *testing.T) {
			var text, json bytes.Buffer
			f(slog.New(Handler(slog.NewTextHandler(&text, nil))))
			f(slog.New(Handler(slog.NewJSONHandler(&json, nil))))
			for _, got := range []string{text.String(), json.String()} {
				if strings.Contains(got, canary) || !strings.Contains(got, mask) {
					t.Errorf("logged: %s", got)
				}
			}
		})
	}
}

// What is no secret is logged as it would be without.
func TestHandlerLeavesTheRest(t *testing.T) {
	var plain, redacted bytes.Buffer
	o := &slog.HandlerOptions{AddSource: false, ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
		if a.Key == slog.TimeKey {
			return slog.Attr{}
		}
		return a
	}}
	for _, l := range []*slog.Logger{slog.New(slog.NewTextHandler(&plain, o)), slog.New(Handler(slog.NewTextHandler(&redacted, o)))} {
		l.Debug("not enabled")
		l.With("stream", "door").WithGroup("g").Warn("a b", "n", 1, "d", time.Second, "ok", true, "f", 1.5, "t", time.Unix(0, 0).UTC(),
			"addr", netip.MustParseAddr("192.0.2.1"), "err", errors.New("no such file"), slog.Group("in", "key", 3))
	}
	if plain.String() != redacted.String() || plain.Len() == 0 {
		t.Errorf("got %s, want %s", &redacted, &plain)
	}
	redacted.Reset()
	slog.New(Handler(slog.NewTextHandler(&redacted, o))).Info("x", "err", panics{}, "nil", error(nil), "url", (*url.URL)(nil))
	if !strings.Contains(redacted.String(), "nil=<nil>") {
		t.Errorf("got %s", &redacted)
	}
}

func BenchmarkText(b *testing.B) {
	for name, s := range map[string]string{"short": "listening", "URL": "dial rtsp://user:pass@192.0.2.1:554/stream1: connection refused"} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				Text(s)
			}
		})
	}
}
