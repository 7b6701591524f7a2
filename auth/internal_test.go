package auth

import (
	"context"
	"runtime"
	"strings"
	"sync"
	"testing"
)

const aliceToken = "alice-token-of-many-bits"

func house(t testing.TB) []User {
	t.Helper()
	play := []Grant{{Actions: []Action{Play}, Streams: []string{"open*"}}}
	return []User{
		{Name: "anonymous", Allow: play},
		{Name: "alice", Password: cheap(t), Tokens: []string{HashToken("another"), HashToken(aliceToken)}, Allow: []Grant{
			{Actions: []Action{Publish, Play}, Streams: []string{"auth_*"}}, {Actions: []Action{Metrics}},
		}},
		{Name: "bob", Tokens: []string{HashToken("bob:with:colons")}},
	}
}

// I2, I3, A90, A91: who is let in, and what the others are told.
func TestInternal(t *testing.T) {
	password := func(user, password string) Credentials { return Credentials{User: user, Password: password} }
	for _, c := range []struct {
		name   string
		shown  Credentials
		action Action
		stream string
		want   string
	}{
		{"nothing", Credentials{}, Play, "auth_1", "none"},
		{"nothing, and anybody may", Credentials{}, Play, "open1", "anonymous"},
		{"nothing, and anybody may something else", Credentials{}, Publish, "open1", "none"},
		{"token", Credentials{Token: aliceToken}, Publish, "auth_1", "alice"},
		{"another token", Credentials{Token: "another"}, Play, "auth_1", "alice"},
		{"wrong token", Credentials{Token: aliceToken + "x"}, Publish, "auth_1", "invalid"},
		{"wrong token, and anybody may", Credentials{Token: "x"}, Play, "open1", "invalid"},
		{"the hash of a token", Credentials{Token: HashToken(aliceToken)}, Play, "auth_1", "invalid"},
		{"a token with colons", Credentials{Token: "bob:with:colons"}, Play, "open1", "bob"},
		{"a token as a password", password("alice", aliceToken), Play, "auth_1", "invalid"},
		{"password", password("alice", "right"), Publish, "auth_1", "alice"},
		{"wrong password", password("alice", "Right"), Publish, "auth_1", "invalid"},
		{"no password", password("alice", ""), Publish, "auth_1", "invalid"},
		{"the hash of a password", password("alice", cheap(t)), Publish, "auth_1", "invalid"},
		{"unknown user", password("mallory", "right"), Publish, "auth_1", "invalid"},
		{"user without a password", password("bob", ""), Play, "open1", "invalid"},
		{"anonymous by name", password("anonymous", ""), Play, "open1", "invalid"},
		{"user and password in one", Credentials{Token: "alice:right"}, Publish, "auth_1", "alice"},
		{"wrong in one", Credentials{Token: "alice:wrong"}, Publish, "auth_1", "invalid"},
		{"only a colon", Credentials{Token: ":right"}, Publish, "auth_1", "invalid"},
		{"right, but not for this", Credentials{Token: aliceToken}, Publish, "studio", "forbidden"},
		{"right, but not for the stream", password("alice", "right"), Play, "studio", "forbidden"},
		{"what anybody may", password("alice", "right"), Play, "open1", "alice"},
		{"what anybody may, by token", Credentials{Token: aliceToken}, Play, "open1", "alice"},
		{"metrics", Credentials{Token: aliceToken}, Metrics, "", "alice"},
		{"admin", Credentials{Token: aliceToken}, Admin, "", "forbidden"},
		{"unreadable, and anybody may", Credentials{Unreadable: true}, Play, "open1", "invalid"},
		{"a token of 64 KiB", Credentials{Token: strings.Repeat("x", 64<<10)}, Play, "auth_1", "invalid"},
		{"a password of 64 KiB", password("alice", strings.Repeat("x", 64<<10)), Play, "auth_1", "invalid"},
		{"a name of 64 KiB", password(strings.Repeat("x", 64<<10), "x"), Play, "auth_1", "invalid"},
	} {
		t.Run(c.name, func(t *testing.T) {
			a := must(t, Options{Mode: ModeInternal, Users: house(t)})
			r := Request{Action: c.action, Stream: c.stream, Credentials: c.shown, Remote: here}
			if got := outcome(a.Authorize(t.Context(), r)); got != c.want {
				t.Errorf("%s", got)
			}
			if c.want == "alice" || c.want == "forbidden" {
				if got := outcome(a.Identify(t.Context(), Request{Credentials: c.shown})); got != "alice" {
					t.Errorf("identified as %s", got)
				}
			}
		})
	}
}

// I2: mode "none" lets everybody do everything; no other mode lets anybody do what no entry allows.
func TestNothingIsAllowedByItself(t *testing.T) {
	for _, o := range []Options{
		{Mode: ModeNone}, {Mode: ModeInternal}, {Mode: ModeJWT, JWT: JWT{Secret: strings.Repeat("s", 32)}},
	} {
		a := must(t, o)
		for _, action := range Actions() {
			want := map[bool]string{true: "local", false: "none"}[o.Mode == ModeNone]
			if got := outcome(a.Authorize(t.Context(), Request{Action: action, Stream: "cam"})); got != want {
				t.Errorf("%s: %s: %s", o.Mode, action, got)
			}
		}
	}
	if _, err := New(Options{Mode: "ldap"}); err == nil {
		t.Error("a mode that is none is taken")
	}
}

// I3: an unknown user, and one without a password, cost as much as a known one.
func TestUnknownUserCostsTheSame(t *testing.T) {
	dear := hashed("right", &argon{memory: 8 << 10, time: 2, threads: 1, salt: []byte("saltsalt"), hash: make([]byte, 16)})
	a := must(t, Options{Mode: ModeInternal, Users: []User{{Name: "alice", Password: dear}, {Name: "bob"}}})
	cost := func(user string) uint64 {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		if got := outcome(a.Identify(t.Context(), Request{Credentials: Credentials{User: user, Password: "wrong"}})); got != "invalid" {
			t.Fatalf("%s: %s", user, got)
		}
		runtime.ReadMemStats(&after)
		return after.TotalAlloc - before.TotalAlloc
	}
	known := cost("alice")
	for _, user := range []string{"mallory", "bob"} {
		if c := cost(user); c < 8<<20 || c > known*11/10 {
			t.Errorf("%s costs %d bytes, alice %d", user, c, known)
		}
	}
}

// I3: many requests with the same login, as a page with 16 pictures makes them, cost one verification.
func TestPasswordIsRemembered(t *testing.T) {
	a := must(t, Options{Mode: ModeInternal, Users: house(t)}).(*internal)
	r := Request{Action: Play, Stream: "auth_1", Credentials: Credentials{User: "alice", Password: "right"}, Remote: here}
	var all sync.WaitGroup
	for range 16 {
		all.Go(func() {
			if got := outcome(a.Authorize(t.Context(), r)); got != "alice" {
				t.Error(got)
			}
		})
	}
	all.Wait()
	a.passwords.jobs <- struct{}{} // nobody can verify from here on
	a.passwords.jobs <- struct{}{}
	if got := outcome(a.Authorize(t.Context(), r)); got != "alice" {
		t.Error(got)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	r.Credentials.Password = "wrong"
	if got := outcome(a.Authorize(ctx, r)); got != "unavailable" {
		t.Errorf("a wrong password is remembered: %s", got)
	}
	a.passwords.waiting.Store(passwordLine)
	if got := outcome(a.Authorize(t.Context(), r)); got != "unavailable" {
		t.Errorf("the line of those who wait has no end: %s", got)
	}
}

// I3: what a configuration of users may not be; the errors name the user and quote no hash.
func TestUserFaults(t *testing.T) {
	for _, c := range []struct {
		name  string
		users []User
		want  string
	}{
		{"no name", []User{{}}, "characters"},
		{"a colon", []User{{Name: "a:b"}}, "colon"},
		{"a line break", []User{{Name: "a\nb"}}, "colon"},
		{"twice", []User{{Name: "a"}, {Name: "a"}}, "two users"},
		{"anonymous twice", []User{{Name: "anonymous"}, {Name: "anonymous"}}, "two users"},
		{"anonymous with a password", []User{{Name: "anonymous", Password: example}}, "show nothing"},
		{"anonymous with a token", []User{{Name: "anonymous", Tokens: []string{HashToken("x")}}}, "show nothing"},
		{"a password in clear", []User{{Name: "a", Password: "canary"}}, "hash-password"},
		{"a token in clear", []User{{Name: "a", Tokens: []string{HashToken("x"), "canary"}}}, "token 2"},
		{"an action there is not", []User{{Name: "a", Allow: []Grant{{Actions: []Action{"read"}}}}}, `"read"`},
		{"a long pattern", []User{{Name: "a", Allow: []Grant{{Streams: []string{strings.Repeat("*", 257)}}}}}, "256"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := New(Options{Mode: ModeInternal, Users: c.users})
			if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "canary") {
				t.Errorf("%v", err)
			}
		})
	}
}

// I44: who was let in keeps his rights as long as the users say so, by the way he came.
func TestRenewAndHolds(t *testing.T) {
	before := must(t, Options{Mode: ModeInternal, Users: house(t)})
	identify := func(c Credentials) *Principal {
		p, err := before.Identify(t.Context(), Request{Credentials: c})
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	byToken, byPassword := identify(Credentials{Token: aliceToken}), identify(Credentials{User: "alice", Password: "right"})
	nobody, err := before.Authorize(t.Context(), Request{Action: Play, Stream: "open1"})
	if err != nil {
		t.Fatal(err)
	}
	renewed, err := before.Renew(t.Context(), byToken, Request{Action: Publish, Stream: "auth_1"})
	if err != nil {
		t.Fatal(err)
	}
	edit := func(change func(u []User) []User) Authorizer {
		return must(t, Options{Mode: ModeInternal, Users: change(house(t))})
	}
	for _, c := range []struct {
		name                       string
		after                      Authorizer
		token, password, nothing   string
		aliceHolds, anonymousHolds bool // alice by her token
	}{
		{"the same", before, "alice", "alice", "forbidden", true, true},
		{"read again", edit(func(u []User) []User { return u }), "alice", "alice", "forbidden", true, true},
		{"token withdrawn", edit(func(u []User) []User { u[1].Tokens = u[1].Tokens[:1]; return u }), "invalid", "alice", "forbidden", false, true},
		{"password changed", edit(func(u []User) []User { u[1].Password = example; return u }), "alice", "invalid", "forbidden", true, true},
		{"right withdrawn", edit(func(u []User) []User { u[1].Allow = nil; return u }), "forbidden", "forbidden", "forbidden", false, true},
		{"user gone", edit(func(u []User) []User { return u[:1] }), "invalid", "invalid", "forbidden", false, true},
		{"anonymous gone", edit(func(u []User) []User { return u[1:] }), "alice", "alice", "invalid", true, false},
		{"mode none", must(t, Options{Mode: ModeNone}), "local", "local", "local", false, false},
		{"mode jwt", must(t, Options{Mode: ModeJWT, JWT: JWT{Secret: strings.Repeat("s", 32)}}), "invalid", "invalid", "invalid", false, false},
		{"mode http", must(t, Options{Mode: ModeHTTP, HTTP: HTTP{URL: "http://127.0.0.1:1"}}), "invalid", "invalid", "invalid", false, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := Request{Action: Publish, Stream: "auth_1"}
			for p, want := range map[*Principal]string{byToken: c.token, byPassword: c.password, nobody: c.nothing} {
				if got := outcome(c.after.Renew(t.Context(), p, r)); got != want {
					t.Errorf("%s: %s instead of %s", p.Name, got, want)
				}
			}
			if got := c.after.Holds(byToken, Publish, "auth_1"); got != c.aliceHolds {
				t.Errorf("alice holds: %v", got)
			}
			if got := c.after.Holds(renewed, Publish, "auth_1"); got != c.aliceHolds {
				t.Errorf("alice holds by a cookie: %v", got)
			}
			if got := c.after.Holds(byPassword, Publish, "auth_1"); got != (c.password == "alice") {
				t.Errorf("alice holds by her password: %v", got)
			}
			if got := c.after.Holds(nobody, Play, "open1"); got != c.anonymousHolds {
				t.Errorf("anonymous holds: %v", got)
			}
		})
	}
}
