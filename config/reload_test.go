package config

import (
	"reflect"
	"slices"
	"testing"
)

// What needs a restart stays as it is, and is named.
func TestReloaded(t *testing.T) {
	from, to := Default(), Default()
	to.HTTP.Listen, to.WebRTC.GSO, to.Turn.Realm = "127.0.0.1:1", GSOOff, "other"
	to.Limits.Sessions, to.Auth.Users = 7, []User{{Name: "ann"}}
	to.Streams = map[string]Stream{"a": {Source: "demo:"}}
	next, restart := from.Reloaded(to)
	slices.Sort(restart)
	if !slices.Equal(restart, []string{"http.listen", "turn.realm", "webrtc.gso"}) {
		t.Errorf("restart: %q", restart)
	}
	if next.HTTP.Listen != from.HTTP.Listen || next.WebRTC.GSO != GSOAuto || next.Turn.Realm != from.Turn.Realm {
		t.Errorf("what needs a restart has changed: %+v", next)
	}
	if next.Limits.Sessions != 7 || len(next.Auth.Users) != 1 || len(next.Streams) != 1 {
		t.Errorf("what can change has not: %+v", next)
	}
	if changed := from.Changed(next); !slices.Equal(changed, []string{"auth.users", "limits.sessions"}) {
		t.Errorf("changed: %q", changed)
	}
	if !reflect.DeepEqual(from, Default()) {
		t.Error("the configuration that runs was written to")
	}
}

// Every key that needs a restart says so in a way that Reloaded understands.
func TestApplyTags(t *testing.T) {
	c := Default()
	for _, l := range c.globals() {
		if text, ok := l.tag.Lookup("apply"); ok && text != "restart" {
			t.Errorf("%s: apply:%q", l.key, text)
		}
	}
}
