package whep

import (
	"strings"
	"testing"

	"sluice/session"
)

// B16, J23: which choices of a layer are taken, and what is asked of the session.
func TestSelectLayer(t *testing.T) {
	f := newFixture(t, sdp)
	f.do(t, "POST", "/cam/whep", "v=0", sdpHeader)
	for _, c := range []struct {
		name, body string
		status     int
		want       session.LayerChoice // of the 200
	}{
		{"automatic", `{}`, 200, session.LayerChoice{}},
		{"the draft's", `{"mediaId":"1","encodingId":"h"}`, 200, session.LayerChoice{RID: "h"}},
		{"by rid", `{"rid":"l"}`, 200, session.LayerChoice{RID: "l"}},
		{"by both", `{"rid":"l","encodingId":"l"}`, 200, session.LayerChoice{RID: "l"}},
		{"by mid", `{"mediaId":"picture","rid":"l"}`, 200, session.LayerChoice{RID: "l"}},
		{"by number", `{"mediaId":1,"rid":"l"}`, 200, session.LayerChoice{RID: "l"}},
		{"null is nothing", `{"mediaId":null,"encodingId":null,"spatialLayerId":null}`, 200, session.LayerChoice{}},
		{"bounds", ` {"maxWidth":640,"maxHeight":360,"maxBitrate":500001}`, 200, session.LayerChoice{MaxWidth: 640, MaxHeight: 360, MaxBitrate: 501}},
		{"copied from the event", `{"encodingId":"h","simulcastIdx":1,"spatialLayerId":0,"temporalLayerId":0,"bitrate":1,"width":2}`, 200, session.LayerChoice{RID: "h"}},
		{"spatial and temporal bounds", `{"maxSpatialLayerId":2,"maxTemporalLayerId":0}`, 200, session.LayerChoice{}},
		{"J23: no such rid", `{"rid":"q"}`, 404, session.LayerChoice{}},
		{"no such section", `{"mediaId":"0","rid":"h"}`, 404, session.LayerChoice{}},
		{"no such section by number", `{"mediaId":7}`, 404, session.LayerChoice{}},
		{"no such spatial layer", `{"spatialLayerId":1}`, 404, session.LayerChoice{}},
		{"no such temporal layer", `{"temporalLayerId":2}`, 404, session.LayerChoice{}},
		{"J23: NaN", `{"maxWidth":NaN}`, 400, session.LayerChoice{}},
		{"J23: negative", `{"maxWidth":-1}`, 400, session.LayerChoice{}},
		{"J23: negative layer", `{"temporalLayerId":-1}`, 400, session.LayerChoice{}},
		{"J23: negative section", `{"mediaId":-1}`, 400, session.LayerChoice{}},
		{"fraction", `{"maxHeight":1.5}`, 400, session.LayerChoice{}},
		{"too large", `{"maxBitrate":1e400}`, 400, session.LayerChoice{}},
		{"text for a number", `{"maxWidth":"640"}`, 400, session.LayerChoice{}},
		{"two layers", `{"rid":"l","encodingId":"h"}`, 400, session.LayerChoice{}},
		{"array", `[]`, 400, session.LayerChoice{}},
		{"null", `null`, 400, session.LayerChoice{}},
		{"nothing", ``, 400, session.LayerChoice{}},
		{"deep", strings.Repeat(`{"a":`, 3000), 400, session.LayerChoice{}},
		{"too much", `{"rid":"` + strings.Repeat("a", 16<<10) + `"}`, 413, session.LayerChoice{}},
	} {
		t.Run(c.name, func(t *testing.T) {
			w, body := f.do(t, "POST", "/cam/whep/id/layer", c.body, jsonHeader)
			if w.StatusCode != c.status || (body == "") != (c.status == 200) {
				t.Fatalf("%d %s", w.StatusCode, body)
			}
			checkChoice(t, f, c.status == 200, c.want)
		})
	}
}

func checkChoice(t *testing.T, f *fixture, made bool, want session.LayerChoice) {
	t.Helper()
	select {
	case got := <-f.session.chosen:
		if !made || got != want {
			t.Errorf("chose %+v", got)
		}
	default:
		if made {
			t.Error("chose nothing")
		}
	}
}

// B16: whip-whep gives the choice back by DELETE.
func TestUnselectLayer(t *testing.T) {
	f := newFixture(t, sdp)
	f.do(t, "POST", "/cam/whep", "v=0", sdpHeader)
	if w, body := f.do(t, "DELETE", "/cam/whep/id/layer", ""); w.StatusCode != 200 || body != "" {
		t.Errorf("%d %s", w.StatusCode, body)
	}
	checkChoice(t, f, true, session.LayerChoice{})
	for method, want := range map[string]int{"OPTIONS": 200, "GET": 405} {
		if w, _ := f.do(t, method, "/cam/whep/id/layer", ""); w.StatusCode != want || w.Header.Get("Allow") != layerMethods {
			t.Errorf("%s: %d", method, w.StatusCode)
		}
	}
	if w, _ := f.do(t, "POST", "/cam/whep/id/layer", "{}"); w.StatusCode != 415 {
		t.Errorf("no type: %d", w.StatusCode)
	}
}

// FuzzLayer holds the parser of choices to: never a panic, nothing negative.
func FuzzLayer(f *testing.F) {
	f.Add(`{"mediaId":"1","encodingId":"h","rid":"h","spatialLayerId":0,"maxWidth":640,"maxBitrate":4294967295}`)
	f.Add(`{"mediaId":1e1}`)
	f.Add(`{"maxWidth":4294967295,"maxHeight":2147483648}`)
	f.Add(` [{}]`)
	f.Fuzz(func(t *testing.T, body string) {
		r, ok := parseLayer(body)
		if c := r.choice(); ok && (c.MaxWidth < 0 || c.MaxHeight < 0 || c.MaxBitrate < 0 || !strings.Contains(body, "{")) {
			t.Errorf("%q: %+v", body, c)
		}
	})
}
