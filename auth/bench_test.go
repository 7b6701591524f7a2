package auth

import (
	"testing"

	"github.com/go-jose/go-jose/v4"
)

// BenchmarkAuthorized is the cost of a request whose credentials were verified a moment ago.
func BenchmarkAuthorized(b *testing.B) {
	keys := withKeys(b, serve(everyKey()...))
	users := must(b, Options{Mode: ModeInternal, Users: house(b)})
	for _, c := range []struct {
		name  string
		a     Authorizer
		shown Credentials
	}{
		{"password", users, Credentials{User: "alice", Password: "right"}},
		{"token", users, Credentials{Token: aliceToken}},
		{"jwt", keys, Credentials{Token: sign(b, jose.RS256, ring()["rsa"], "rsa", good(nil))}},
		{"http", always(200).authorizer(b), Credentials{Token: "t"}},
	} {
		b.Run("by="+c.name, func(b *testing.B) {
			r := Request{Action: Play, Stream: "auth_1", Credentials: c.shown, Remote: here}
			b.ReportAllocs()
			for b.Loop() {
				if _, err := c.a.Authorize(b.Context(), r); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkRefused is the cost of one who is not let in; the back-off keeps it to ten of a host in a minute.
func BenchmarkRefused(b *testing.B) {
	users := house(b)
	users[1].Password = newArgon().String()
	for _, c := range []struct {
		name    string
		shown   Credentials
		backoff bool
	}{
		{"no_credentials", Credentials{}, false},
		{"wrong_token", Credentials{Token: "x"}, false},
		{"wrong_password", Credentials{User: "alice", Password: "x"}, false},
		{"backoff", Credentials{User: "alice", Password: "x"}, true},
	} {
		b.Run("why="+c.name, func(b *testing.B) {
			a := must(b, Options{Mode: ModeInternal, Users: users}).(*internal)
			r := Request{Action: Play, Stream: "auth_1", Credentials: c.shown, Remote: here}
			for range maxFailures {
				a.failures.note(r, ErrInvalid)
			}
			b.ReportAllocs()
			for b.Loop() {
				if !c.backoff {
					a.failures.hosts.drop(host(here))
					a.failures.users.drop("alice")
				}
				if _, err := a.Authorize(b.Context(), r); err == nil {
					b.Fatal("let in")
				}
			}
		})
	}
}
