package whep

import (
	"strings"
	"testing"
)

// F40: what is taken for a report that nothing can be decoded, and what is refused.
func TestTrouble(t *testing.T) {
	for _, c := range []struct {
		name, body string
		status     int
		reported   bool
	}{
		{"blind", `{"framesDecoded":0,"framesReceived":75}`, 204, true},
		{"blind, by packets", `{"framesDecoded":0,"packetsReceived":600}`, 204, true},
		{"blind, by both", ` {"packetsReceived":600,"framesReceived":75,"framesDecoded":0} `, 204, true},
		{"sees", `{"framesDecoded":1,"framesReceived":75}`, 204, false},
		{"nothing has come", `{"framesDecoded":0,"framesReceived":0}`, 204, false},
		{"no whole picture has come", `{"framesDecoded":0,"framesReceived":0,"packetsReceived":9}`, 204, false},
		{"largest", `{"framesDecoded":0,"framesReceived":4294967295}`, 204, true},
		{"nothing said", `{}`, 400, false},
		{"received unsaid", `{"framesDecoded":0}`, 400, false},
		{"decoded unsaid", `{"framesReceived":75}`, 400, false},
		{"null", `null`, 400, false},
		{"null inside", `{"framesDecoded":null,"framesReceived":75}`, 400, false},
		{"negative", `{"framesDecoded":0,"framesReceived":-1}`, 400, false},
		{"too large a number", `{"framesDecoded":0,"framesReceived":4294967296}`, 400, false},
		{"fraction", `{"framesDecoded":0,"framesReceived":7.5}`, 400, false},
		{"NaN", `{"framesDecoded":0,"framesReceived":NaN}`, 400, false},
		{"text", `{"framesDecoded":0,"framesReceived":"75"}`, 400, false},
		{"something else", `{"framesDecoded":0,"framesReceived":75,"colour":"blue"}`, 400, false},
		{"more behind", `{"framesDecoded":0,"framesReceived":75}{}`, 400, false},
		{"array", `[{"framesDecoded":0,"framesReceived":75}]`, 400, false},
		{"nothing", ``, 400, false},
		{"cut off", `{"framesDecoded":0,"framesReceived":75`, 400, false},
		{"deep", `{"framesDecoded":` + strings.Repeat("[", 900), 400, false},
		{"too much", `{"framesDecoded":0,"framesReceived":75` + strings.Repeat(" ", maxReport) + `}`, 413, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := newFixture(t, sdp)
			f.do(t, "POST", "/cam/whep", "v=0", sdpHeader)
			w, body := f.do(t, "POST", "/cam/whep/id/trouble", c.body, jsonHeader)
			isProblem := w.Header.Get("Content-Type") == "application/problem+json"
			if w.StatusCode != c.status || (body == "") != (c.status == 204) || isProblem != (c.status >= 400) {
				t.Errorf("%d, want %d: %s", w.StatusCode, c.status, body)
			}
			if got := f.session.reported() == 1; got != c.reported {
				t.Errorf("reported: %v, want %v", got, c.reported)
			}
		})
	}
}

// F40: the methods, the type, and how often.
func TestTroubleRefusals(t *testing.T) {
	const report = `{"framesDecoded":0,"framesReceived":75}`
	f := newFixture(t, sdp)
	f.do(t, "POST", "/cam/whep", "v=0", sdpHeader)
	for _, c := range []struct {
		name, method, header string
		status               int
	}{
		{"OPTIONS", "OPTIONS", "", 200},
		{"GET", "GET", "", 405},
		{"DELETE", "DELETE", "", 405},
		{"no type", "POST", "", 415},
		{"other type", "POST", "Content-Type: text/plain", 415},
		{"first", "POST", jsonHeader, 204},
		{"again", "POST", jsonHeader, 204},
		{"and again", "POST", jsonHeader, 204},
		{"too often", "POST", jsonHeader, 429},
	} {
		body := ""
		if c.method == "POST" {
			body = report
		}
		w, text := f.do(t, c.method, "/cam/whep/id/trouble", body, c.header)
		if w.StatusCode != c.status {
			t.Errorf("%s: %d %s", c.name, w.StatusCode, text)
		}
		if allow := w.Header.Get("Allow"); (allow == troubleMethods) != (c.method != "POST") {
			t.Errorf("%s: Allow: %s", c.name, allow)
		}
	}
	if w, _ := f.do(t, "POST", "/cam/whep/other/trouble", report, jsonHeader); w.StatusCode != 404 {
		t.Errorf("of no session: %d", w.StatusCode)
	}
}

// FuzzTrouble holds the parser of reports to: never a panic, and nothing is believed that does not say both numbers.
func FuzzTrouble(f *testing.F) {
	f.Add(`{"framesDecoded":0,"framesReceived":75}`)
	f.Add(`{"framesDecoded":0,"packetsReceived":4294967295}`)
	f.Add(`{"framesDecoded":null,"framesReceived":1e1}`)
	f.Add(` [{}]`)
	f.Fuzz(func(t *testing.T, body string) {
		r, ok := parseTrouble(body)
		if ok && (r.FramesDecoded == nil || r.FramesReceived == nil && r.PacketsReceived == nil) {
			t.Errorf("%q: %+v", body, r)
		}
		if r.isBlind() && !strings.Contains(body, "{") {
			t.Errorf("%q is believed", body)
		}
	})
}
