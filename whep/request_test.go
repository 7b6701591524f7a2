package whep

import (
	"net/http"
	"slices"
	"testing"
	"time"

	"sluice/session"
)

// B19, B10: what a viewer may wish; what is unknown or malformed is no wish.
func TestRequest(t *testing.T) {
	f := newFixture(t, sdp)
	for _, c := range []struct {
		name, query, prefer string
		want                session.PlayRequest
	}{
		{"nothing", "", "", session.PlayRequest{}},
		{"B19", "?maxwidth=640&maxbitrate=500", "", session.PlayRequest{MaxWidth: 640, MaxBitrate: 500}},
		{"B19: unknown", "?maxwidth=wide&maxbitrate=1e3&colour=blue&%zz&offer=client", "", session.PlayRequest{}},
		{"B19: negative, too large", "?maxwidth=-1&maxbitrate=99999999999", "", session.PlayRequest{}},
		{"B10: waiting viewer", "?wait=1", "", session.PlayRequest{Wait: true}},
		{"B10: not waiting", "?wait=0", "", session.PlayRequest{}},
		{"B10: patient", "", "wait=4", session.PlayRequest{Patient: true}},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.want.Stream, c.want.Offer, c.want.Protocol, c.want.Loopback = "cam", "v=0", "whep", true
			w, body := f.do(t, "POST", "/cam/whep"+c.query, "v=0", sdpHeader, "Prefer: "+c.prefer)
			f.asked.RemoteAddress = ""
			if w.StatusCode != http.StatusCreated || body != sdp || f.asked != c.want || f.offered {
				t.Errorf("%d: asked for %+v, want %+v", w.StatusCode, f.asked, c.want)
			}
		})
	}
}

// B6, J1: a viewer asks for our offer by ?offer=server, or as older drafts had it by an empty body.
func TestCounterOffer(t *testing.T) {
	f := newFixture(t, sdp)
	for _, c := range []struct {
		name, query, body string
		headers           []string
	}{
		{"asked for", "?offer=server", "v=0", []string{sdpHeader}},
		{"asked for without an offer", "?offer=server", "", nil},
		{"J1", "", "", []string{sdpHeader}},
		{"J1: no type either", "", "", nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			f.offered = false
			w, body := f.do(t, "POST", "/cam/whep"+c.query, c.body, c.headers...)
			if w.StatusCode != http.StatusNotAcceptable || body != sdp || !f.offered || w.Header.Get("Location") != "/cam/whep/id" {
				t.Fatalf("%d %v %s", w.StatusCode, w.Header, body)
			}
			until, err := time.Parse(`application/sdp; valid-until="`+http.TimeFormat+`"`, w.Header.Get("Content-Type"))
			if left := time.Until(until); err != nil || left < 25*time.Second || left > 30*time.Second {
				t.Errorf("%v %s", err, w.Header.Get("Content-Type"))
			}
			if w, body := f.do(t, "PATCH", "/cam/whep/id", "v=0", sdpHeader); w.StatusCode != http.StatusNoContent || body != "" { // B7
				t.Errorf("answer: %d %s", w.StatusCode, body)
			}
		})
	}
}

// B15, B16, A24, F40: the extensions are told of in the form that the draft and whip-whep have, layers only with a
// picture, and ours last, only to whom it is of use.
func TestLinks(t *testing.T) {
	const events = `</cam/whep/id/sse>; rel="urn:ietf:params:whep:ext:core:server-sent-events"; events="active,inactive,layers,viewercount,reconnect"`
	const layer = `</cam/whep/id/layer>; rel="urn:ietf:params:whep:ext:core:layer"`
	const trouble = `</cam/whep/id/trouble>; rel="urn:sluice:whep:trouble"`
	for _, c := range []struct {
		name, description string
		takes             bool
		want              []string
	}{
		{"picture and sound", sdp, false, []string{events, layer}},
		{"sound", "v=0\r\nm=audio 9 x 111\r\n", false, []string{events}},
		{"a picture that may prove undecodable", sdp, true, []string{events, layer, trouble}},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := newFixture(t, c.description)
			f.session.takes = c.takes
			if w, _ := f.do(t, "POST", "/cam/whep", "v=0", sdpHeader); !slices.Equal(w.Header.Values("Link"), c.want) {
				t.Errorf("%q, want %q", w.Header.Values("Link"), c.want)
			}
		})
	}
}

// B16: the section that layers are told of is the first with a picture that is on.
func TestVideoSection(t *testing.T) {
	for description, want := range map[string]section{
		sdp: {"1", "picture"},
		"":  {},
		"v=0\nm=video 0 x 0\na=mid:a\nm=audio 9 x 0\na=mid:b\nm=video 9 x 96\na=mid:c\nm=video 9 x 96\na=mid:d\n": {"2", "c"},
		"m=video 9 x 96\r\nm=audio 9 x 0\r\na=mid:b\r\n":                                                          {"0", ""},
	} {
		if got := videoSection(description); got != want {
			t.Errorf("%q: %v, want %v", description, got, want)
		}
	}
}
