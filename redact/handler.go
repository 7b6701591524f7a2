package redact

import (
	"context"
	"fmt"
	"log/slog"
)

// handler redacts what goes through it to the next.
type handler struct {
	next slog.Handler
	then []func(string) string
}

// Handler returns a handler that hands on to h what it is given, with the message and every attribute redacted. The
// value of an attribute whose key names a secret is hidden whole; a value that is neither text nor a number, a time
// or the like is handed on as text. Each function of then is applied to every text that was redacted.
func Handler(h slog.Handler, then ...func(string) string) slog.Handler {
	return handler{next: h, then: then}
}

// Enabled is that of the next handler.
func (h handler) Enabled(ctx context.Context, l slog.Level) bool { return h.next.Enabled(ctx, l) }

// Handle redacts the record and hands it on.
func (h handler) Handle(ctx context.Context, r slog.Record) error {
	clean := slog.NewRecord(r.Time, r.Level, h.text(r.Message), r.PC)
	r.Attrs(func(a slog.Attr) bool {
		clean.AddAttrs(h.attribute(a))
		return true
	})
	return h.next.Handle(ctx, clean)
}

// WithAttrs redacts the attributes and hands them on.
func (h handler) WithAttrs(attrs []slog.Attr) slog.Handler {
	return handler{next: h.next.WithAttrs(h.attributes(attrs)), then: h.then}
}

// WithGroup is that of the next handler.
func (h handler) WithGroup(name string) slog.Handler {
	return handler{next: h.next.WithGroup(name), then: h.then}
}

func (h handler) attributes(attrs []slog.Attr) []slog.Attr {
	clean := make([]slog.Attr, len(attrs))
	for i, a := range attrs {
		clean[i] = h.attribute(a)
	}
	return clean
}

func (h handler) attribute(a slog.Attr) slog.Attr {
	v := a.Value.Resolve()
	switch v.Kind() {
	case slog.KindString:
		v = h.value(a.Key, v.String())
	case slog.KindAny:
		v = h.value(a.Key, fmt.Sprintf("%+v", v.Any())) // which outlives a String or Error that panics
	case slog.KindGroup:
		v = slog.GroupValue(h.attributes(v.Group())...)
	}
	return slog.Attr{Key: a.Key, Value: v}
}

func (h handler) value(key, value string) slog.Value {
	if value != "" && wholeName.MatchString(key) {
		return slog.StringValue(mask)
	}
	return slog.StringValue(h.text(value))
}

func (h handler) text(s string) string {
	s = Text(s)
	for _, f := range h.then {
		s = f(s)
	}
	return s
}
