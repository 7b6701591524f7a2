package config

import (
	"log/slog"
	"reflect"
)

// Secret is a token or a credential. What prints it prints "***"; string(s) is its text.
type Secret string

var secretType = reflect.TypeFor[Secret]()

// String returns "***", or "" for an empty secret.
func (s Secret) String() string {
	if s == "" {
		return ""
	}
	return "***"
}

// GoString is String, for %#v.
func (s Secret) GoString() string { return `"` + s.String() + `"` }

// LogValue is String, for slog.
func (s Secret) LogValue() slog.Value { return slog.StringValue(s.String()) }

// MarshalText is String, for JSON.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// checkToken returns what is wrong with a bearer token, "" if nothing is: it has to fit into an HTTP header.
func checkToken(s Secret) string {
	for i := range len(s) {
		if s[i] <= ' ' || s[i] >= 0x7f {
			return "has a space, a control character or a letter outside ASCII, which no bearer token can have"
		}
	}
	return ""
}
