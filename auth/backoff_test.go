package auth

import (
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// guess shows a wrong token, or a wrong password of a user.
func guess(a Authorizer, t *testing.T, user string, from netip.Addr) string {
	c := Credentials{Token: "wrong"}
	if user != "" {
		c = Credentials{User: user, Password: "wrong"}
	}
	return outcome(a.Authorize(t.Context(), Request{Action: Publish, Stream: "auth_1", Credentials: c, Remote: from}))
}

func alice(a Authorizer, t *testing.T, from netip.Addr) string {
	return outcome(a.Authorize(t.Context(), Request{Action: Publish, Stream: "auth_1", Credentials: Credentials{User: "alice", Password: "right"}, Remote: from}))
}

// I6: ten wrong logins within a minute, and the eleventh has to wait for a minute, be it right or wrong.
func TestBackoffPerHost(t *testing.T) {
	for _, c := range []struct{ name, guesses, same, other string }{
		{"IPv4", "192.0.2.1", "192.0.2.1", "192.0.2.2"},
		{"loopback", "127.0.0.1", "::ffff:127.0.0.1", "127.0.0.2"},
		{"IPv6", "2001:db8::1", "2001:db8::ffff:1", "2001:db8:0:1::1"},
		{"with a zone", "fe80::1%eth0", "fe80::2", "fe80:0:0:1::1"},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var log strings.Builder
				a := must(t, Options{Mode: ModeInternal, Users: house(t), Log: slog.New(slog.NewTextHandler(&log, nil))})
				from, same, other := netip.MustParseAddr(c.guesses), netip.MustParseAddr(c.same), netip.MustParseAddr(c.other)
				for i := range maxFailures {
					if got := guess(a, t, "", from); got != "invalid" {
						t.Fatalf("%d: %s", i, got)
					}
					if got := alice(a, t, from); i < maxFailures-1 && got != "alice" { // which clears nothing
						t.Fatalf("%d: %s", i, got)
					}
				}
				if got := guess(a, t, "", same) + alice(a, t, same) + alice(a, t, other); got != "backoffbackoffalice" {
					t.Error(got)
				}
				if got := outcome(a.Authorize(t.Context(), Request{Action: Play, Stream: "open1", Remote: from})); got != "anonymous" {
					t.Errorf("who shows nothing guesses nothing: %s", got)
				}
				if strings.Count(log.String(), "\n") != 1 || !strings.Contains(log.String(), "wrong logins") || strings.Contains(log.String(), "alice") {
					t.Errorf("log: %s", log.String())
				}
				time.Sleep(backoffTime - time.Millisecond)
				var b *BackoffError
				_, err := a.Authorize(t.Context(), Request{Credentials: Credentials{Token: aliceToken}, Remote: same})
				if !errors.As(err, &b) || b.RetryAfter != time.Millisecond {
					t.Errorf("%v", err)
				}
				time.Sleep(time.Millisecond)
				if got := alice(a, t, from); got != "alice" {
					t.Error(got)
				}
			})
		})
	}
}

// I6: the same counts for a user name, from wherever the guesses come; other users go on.
func TestBackoffPerUser(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := must(t, Options{Mode: ModeInternal, Users: house(t)})
		for i := range maxFailures {
			for _, user := range []string{"alice", "mallory"} {
				if got := guess(a, t, user, netip.AddrFrom4([4]byte{192, 0, 2, byte(i)})); got != "invalid" {
					t.Fatalf("%d: %s", i, got)
				}
			}
		}
		if got := alice(a, t, netip.MustParseAddr("198.51.100.1")) + guess(a, t, "mallory", netip.MustParseAddr("198.51.100.1")); got != "backoffbackoff" {
			t.Errorf("%s", got)
		}
		r := Request{Action: Publish, Stream: "auth_1", Credentials: Credentials{Token: aliceToken}, Remote: here}
		if got := outcome(a.Authorize(t.Context(), r)); got != "alice" {
			t.Errorf("with a token, which names no user: %s", got)
		}
	})
}

// I6: nine within a minute go on for ever.
func TestBackoffWindow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := must(t, Options{Mode: ModeInternal, Users: house(t)})
		for range 5 * maxFailures {
			if got := guess(a, t, "", here); got != "invalid" {
				t.Fatal(got)
			}
			time.Sleep(failureWindow/(maxFailures-1) + time.Millisecond)
		}
	})
}

// I6: whatever is guessed from wherever, the memory for it is bounded.
func TestBackoffIsBounded(t *testing.T) {
	b := newBackoff(slog.New(slog.DiscardHandler))
	for i := range 3 * backoffSize {
		from := netip.AddrFrom16([16]byte{0x20, 0x01, 0x0d, 0xb8, 0, byte(i >> 16), byte(i >> 8), byte(i)})
		b.note(Request{Remote: from, Credentials: Credentials{User: fmt.Sprint(i), Password: "x"}}, ErrInvalid)
	}
	if len(b.hosts.at) != backoffSize || b.hosts.order.Len() != backoffSize || len(b.users.at) != backoffSize {
		t.Errorf("%d hosts, %d users", len(b.hosts.at), len(b.users.at))
	}
}

// I6: many guesses at once are no way around it: those that wait for their turn are counted again when it comes.
func TestBackoffOfGuessesAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := must(t, Options{Mode: ModeInternal, Users: house(t)}).(*internal)
		for range passwordJobs {
			a.passwords.jobs <- struct{}{}
		}
		outcomes := make(chan string, passwordLine)
		for range cap(outcomes) {
			go func() { outcomes <- guess(a, t, "alice", here) }()
		}
		synctest.Wait()
		for range passwordJobs {
			<-a.passwords.jobs
		}
		looked := 0
		for range cap(outcomes) {
			if <-outcomes == "invalid" {
				looked++
			}
		}
		if looked < maxFailures || looked > 2*maxFailures { // a few are being looked at when the tenth is counted
			t.Errorf("%d were looked at", looked)
		}
	})
}

// I6: what a browser sends by itself counts once a minute when it is wrong, however often; what somebody else tries so,
// and what is tried anew, each counts. No password is compared twice for it.
func TestRepeatedCountsOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := must(t, Options{Mode: ModeInternal, Users: house(t)})
		show := func(token string) string {
			return outcome(a.Authorize(t.Context(), Request{Action: Publish, Stream: "auth_1", Credentials: Credentials{Token: token}, Remote: here, Repeated: true}))
		}
		for range 3 * maxFailures {
			if got := show("alice:wrong"); got != "invalid" {
				t.Fatal(got)
			}
		}
		time.Sleep(failureWindow + time.Second)
		for i := range maxFailures {
			if got := show(fmt.Sprint("wrong", i)) + show("wrong0"); got != "invalidinvalid" && i < maxFailures-1 {
				t.Fatalf("%d: %s", i, got)
			}
		}
		if got := show(aliceToken); got != "backoff" {
			t.Errorf("guesses one by one: %s", got)
		}
	})
	p := must(t, Options{Mode: ModeInternal, Users: house(t)}).(*internal).passwords
	compared := 0
	for range 3 {
		if right, err := p.verify(t.Context(), login{"alice", "x"}, nil, func() error { compared++; return nil }); right || err != nil {
			t.Error(right, err)
		}
	}
	if compared != 1 {
		t.Errorf("compared %d times", compared)
	}
}
