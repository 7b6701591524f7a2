package auth

import (
	"strings"
	"testing"
	"time"
)

// I2: what a grant allows, and that nothing else is allowed.
func TestMay(t *testing.T) {
	for _, c := range []struct {
		name    string
		actions string
		streams string
		action  Action
		stream  string
		want    bool
	}{
		{"exact", "play", "cam", Play, "cam", true},
		{"another stream", "play", "cam", Play, "cam2", false},
		{"another action", "play", "cam", Publish, "cam", false},
		{"one of several", "publish play", "a b", Play, "b", true},
		{"all streams", "play", "*", Play, "cam", true},
		{"begins", "play", "auth_*", Play, "auth_1", true},
		{"begins with nothing more", "play", "auth_*", Play, "auth_", true},
		{"begins otherwise", "play", "auth_*", Play, "xauth_1", false},
		{"ends", "play", "*_low", Play, "cam_low", true},
		{"two stars", "play", "a*b*c", Play, "a-b-b-c", true},
		{"two stars, no end", "play", "a*b*c", Play, "a-b-c-", false},
		{"two stars in a row", "play", "a**c", Play, "ac", true},
		{"a star takes back", "play", "*ab", Play, "aab", true},
		{"no question marks", "play", "ca?", Play, "cam", false},
		{"no classes", "play", "ca[m]", Play, "cam", false},
		{"upper case differs", "play", "Cam", Play, "cam", false},
		{"no stream asked", "play", "cam", Play, "", false},
		{"no streams granted", "play", "", Play, "cam", false},
		{"no streams granted or asked", "play", "", Play, "", false},
		{"admin", "admin", "*", Admin, "", true},
		{"admin without streams", "admin", "", Admin, "", true},
		{"admin of one stream is none", "admin", "cam", Admin, "", false},
		{"metrics without streams", "metrics", "", Metrics, "", true},
		{"admin is not all", "admin", "*", Play, "cam", false},
		{"no actions", "", "*", Play, "cam", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			g := Grant{Streams: strings.Fields(c.streams)}
			for _, a := range strings.Fields(c.actions) {
				g.Actions = append(g.Actions, Action(a))
			}
			if got := (&Principal{Grants: []Grant{{}, g}}).May(c.action, c.stream); got != c.want {
				t.Errorf("%v", got)
			}
		})
	}
}

// J163: a pattern can't cost more than its length times that of the name.
func TestMatchCost(t *testing.T) {
	glob, name := strings.Repeat("*a", maxGlob/2-1)+"*b", strings.Repeat("a", 16<<10)
	least := time.Hour
	for range 5 { // a busy machine may hold one up
		begin := time.Now()
		if match(glob, name) {
			t.Error("it matches")
		}
		least = min(least, time.Since(begin))
	}
	if least > time.Second {
		t.Errorf("it took %v", least)
	}
	if err := (Grant{Streams: []string{glob + "*"}}).check(); err == nil {
		t.Error("a pattern of 257 bytes is taken")
	}
	if err := (Grant{Streams: []string{glob}}).check(); err != nil {
		t.Error(err)
	}
}

// FuzzMatch holds the glob to a slow, plain reading of what a star is.
func FuzzMatch(f *testing.F) {
	for _, s := range []string{"a*b*c|a-b-c", "*|", "|", "**|x", "*ab|aab", "a|b"} {
		glob, name, _ := strings.Cut(s, "|")
		f.Add(glob, name)
	}
	var plain func(glob, name string) bool
	plain = func(glob, name string) bool {
		switch {
		case glob == "":
			return name == ""
		case glob[0] == '*':
			return plain(glob[1:], name) || name != "" && plain(glob, name[1:])
		default:
			return name != "" && name[0] == glob[0] && plain(glob[1:], name[1:])
		}
	}
	f.Fuzz(func(t *testing.T, glob, name string) {
		if len(glob) > 12 || len(name) > 12 {
			return
		}
		if got, want := match(glob, name), plain(glob, name); got != want {
			t.Errorf("match(%q, %q) = %v", glob, name, got)
		}
	})
}
