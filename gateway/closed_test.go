package gateway_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/netip"
	"strings"
	"testing"

	"sluice/signalling/problem"
)

// hostile is a request that is answered in the same way by an open gateway and to whoever may by a closed one.
type hostile struct {
	id, method, path string // {session}: of one that was made for it
	body             string
	headers          []string
	status           int // to whoever may
	nobody           int // to whoever shows nothing; 0: 401
}

// edited is a publisher's offer with words of it replaced, in pairs.
func edited(words ...string) string {
	return strings.NewReplacer(words...).Replace(publishOffer("sendonly"))
}

// hostileOffers are offers that are refused for what they say, and some that are not.
var hostileOffers = []struct {
	id, offer string
	status    int
}{
	{"J1", "", 400},
	{"J4", strings.Repeat("a", 64<<10+1), 413},
	{"J30: random", "\x00\x17v=0\xff", 400},
	{"J30: cut off in a line", publishOffer("sendonly")[:150], 400},
	{"J31: too many sections", publishOffer("sendonly") + strings.Repeat("m=video 9 UDP/TLS/RTP/SAVPF 96\r\n", 1500), 400},
	{"J31: 20 000 of them", publishOffer("sendonly") + strings.Repeat("m=video 9 UDP/TLS/RTP/SAVPF 96\r\n", 20_000), 413},
	{"J32", edited("s=-", "a="+strings.Repeat("x", 1<<20)), 413},
	{"J33", edited("s=-", "s=\x00"), 400},
	{"J34", publishOffer("sendonly")[:strings.Index(publishOffer("sendonly"), "m=")], 422},
	{"J35: none", edited("a=fingerprint:", "a=nothing:"), 422},
	{"J35: no hex", edited("AB:", "ZZ:"), 422},
	{"J35: md5", edited("sha-256", "md5"), 422},
	{"J36: short", edited("abcdefghijklmnopqrstuvwx", "abc"), 400},
	{"J36: long", edited("abcdefghijklmnopqrstuvwx", strings.Repeat("a", 257)), 400},
	{"J37: holdconn", edited("actpass", "holdconn"), 422},
	{"J37: unknown", edited("actpass", "foo"), 422},
	{"J38: recvonly", publishOffer("recvonly"), 422},
	{"J38: inactive", publishOffer("inactive"), 422},
	{"J39", edited("UDP/TLS/RTP/SAVPF", "RTP/AVP"), 422},
	{"J40", edited("H264", "FLV1"), 422},
	{"J42", edited("a=mid:0", "a=mid:"+strings.Repeat("0", 300), "BUNDLE 0", "BUNDLE "+strings.Repeat("0", 300)), 400},
	{"J43: absent", edited("BUNDLE 0", "BUNDLE 0 1"), 201},
	{"J43: twice", edited("BUNDLE 0", "BUNDLE 0 0"), 400},
	{"J46", edited("a=mid:0", "a=mid:0\r\na=extmap:0 urn:x"), 400},
	{"J47", edited("RTP/SAVPF 96", "RTP/SAVPF 999"), 400},
	{"J49", edited("42e01f", "zz"), 201},
	{"J51, J52, J53", edited("a=mid:0", "a=mid:0"+strings.Repeat("\r\na=candidate:1 1 udp 1 169.254.169.254 80 typ host\r\na=candidate:1 1 udp 1 evil.example.com 80 typ host", 300)), 201},
	{"J54", edited("a=mid:0", "a=mid:0\r\na=candidate:1 1 tcp 1 127.0.0.1 22 typ host tcptype passive"), 201},
	{"J55", edited("a=mid:0", "a=mid:0\r\na=candidate:1 300 udp 4294967296 192.0.2.1 99999 typ host"), 201},
	{"J56", edited("s=-", "s=-\r\na=ice-lite"), 201},
	{"J60", edited("a=mid:0", "b=AS:-1\r\na=mid:0\r\na=ptime:0\r\na=maxptime:1000000000"), 201},
	{"J61: lone CR", edited("s=-", "s=a\rb"), 400},
	{"J61: LF", edited("\r\n", "\n"), 201},
	{"J62", edited("s=-", "s=\u202eevil"), 201},
	{"J63", edited("a=group:BUNDLE 0", "a=group:BUNDLE 0 1") + "m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\nc=IN IP4 0.0.0.0\r\na=mid:1\r\na=sctp-port:5000\r\na=max-message-size:9223372036854775808\r\n", 201},
}

const (
	ufrag      = "a=ice-ufrag:abcd\r\n"
	credential = ufrag + "a=ice-pwd:abcdefghijklmnopqrstuvwx\r\n"
	trickled   = "a=candidate:1 1 udp 2130706431 192.0.2.1 5000 typ host\r\n"
)

// hostileFragments are what a session is sent by PATCH.
var hostileFragments = []struct {
	id, fragment, ifMatch string
	status                int
}{
	{"J70", "", "*", 400},
	{"J71", "m=video 9 RTP/AVP 0\r\na=mid:0\r\n" + trickled, "", 400},
	{"J72", ufrag + "a=ice-pwd:" + strings.Repeat("b", 24) + "\r\n", "*", 400},
	{"J73", credential + "m=video RTP/AVP 0\r\na=mid:0\r\n" + trickled, "*", 204},
	{"J74, J75", credential + "m=video 9 RTP/AVP 0\r\na=mid:video0\r\n" + trickled, "*", 204},
	{"J80", credential + "m=video 9 RTP/AVP 0\r\na=mid:0\r\n" + trickled, `"stale"`, 412},
	{"J82", credential + "m=video 9 RTP/AVP 0\r\na=mid:0\r\na=end-of-candidates\r\n" + trickled, "*", 204},
	{"J13: weak", credential, `W/"x"`, 412},
	{"J13: 1000", credential, strings.Repeat(`"x",`, 999) + `"x"`, 412},
	{"J13: garbage", "garbage", "*", 400},
}

// hostileRequests are all of them.
func hostileRequests() []hostile {
	sdp := []string{"Content-Type", "application/sdp"}
	offer := publishOffer("sendonly")
	all := []hostile{
		{"J2", "POST", "/room-x/whip", offer, []string{"Content-Type", "text/plain"}, 415, 0},
		{"J3", "POST", "/room-x/whip", offer, []string{"Content-Type", "application/sdp;;;"}, 415, 0},
		{"J7", "POST", "/room-x/whip", offer, append([]string{"Content-Encoding", "gzip"}, sdp...), 415, 0},
		{"J38: WHEP", "POST", "/cam/whep", offer, sdp, 422, 0},
		{"J1, J59: WHEP", "POST", "/cam/whep", "v=0", sdp, 400, 0},
		{"J8: dots", "POST", "/..%2f..%2fetc/whip", offer, sdp, 404, 404},
		{"J8: NUL", "POST", "/a%00/whip", offer, sdp, 400, 400},
		{"J8: slashes", "POST", "//whip", offer, sdp, 404, 404},
		{"J8: long", "POST", "/" + strings.Repeat("a", 4<<10) + "/whip", offer, sdp, 404, 404},
		{"J8: bidi", "POST", "/%E2%80%AE/whip", offer, sdp, 404, 404},
		{"J8: of a session", "DELETE", "/studio/whip/..%2f..%2fetc", "", nil, 404, 404},
		{"J12", "POST", "/room-x/whip", offer, append([]string{"Content-Type", "text/plain"}, sdp...), 400, 400},
		{"J14: TRACE", "TRACE", "/room-x/whip", "", nil, 405, 405},
		{"J14: lower case", "post", "/room-x/whip", offer, sdp, 405, 405},
		{"J15: preflight", "OPTIONS", "/room-x/whip", "", []string{"Origin", "https://evil.example", "Access-Control-Request-Method", "POST"}, 200, 200},
		{"J78, J79: over", "PATCH", "/room-x/whip/over", credential, []string{"Content-Type", fragments, "If-Match", "*"}, 404, 404},
		{"J81", "PATCH", "{session}", "v=0\r\n", append([]string{"If-Match", "*"}, sdp...), 409, 409},
		{"J22", "POST", "{session}/events", `["nope"]`, []string{"Content-Type", "application/json"}, 404, 404}, // a publisher's has none
	}
	for _, o := range hostileOffers {
		all = append(all, hostile{o.id, "POST", "/room-y/whip", o.offer, sdp, o.status, 0})
	}
	for _, f := range hostileFragments {
		headers := []string{"Content-Type", fragments}
		if f.ifMatch != "" {
			headers = append(headers, "If-Match", f.ifMatch)
		}
		all = append(all, hostile{f.id, "PATCH", "{session}", f.fragment, headers, f.status, f.status})
	}
	return all
}

const fragments = "application/trickle-ice-sdpfrag"

// target sends hostile requests to one gateway, each from an address of its own where a proxy is trusted.
type target struct {
	*running
	proxied bool
	last    netip.Addr
}

// send makes a session for the request if it wants one, as whoever holds the token may, and asks as somebody else.
func (g *target) send(t *testing.T, h hostile, may, token string) (status int, p problem.Problem, header http.Header) {
	t.Helper()
	headers := h.headers
	g.last = g.last.Next()
	if g.proxied {
		headers = append(headers[:len(headers):len(headers)], "X-Forwarded-For", g.last.String())
	}
	path := h.path
	if strings.Contains(path, "{session}") {
		w := g.ask(t, "POST", fmt.Sprintf("/room-%d/whip", g.last.As4()[3]), may, publishOffer("sendonly"))
		path = strings.Replace(path, "{session}", w.Header.Get("Location"), 1)
		defer g.ask(t, "DELETE", w.Header.Get("Location"), may, "")
	}
	w := g.asked(t, h.method, path, token, h.body, headers)
	text := read(t, w)
	if w.StatusCode >= 400 {
		if err := json.Unmarshal([]byte(text), &p); err != nil {
			t.Errorf("%s: %d %q", h.id, w.StatusCode, text)
		}
	}
	if location := w.Header.Get("Location"); w.StatusCode == 201 {
		g.ask(t, "DELETE", location, may, "")
	}
	return w.StatusCode, p, w.Header
}

// asked is ask with headers that may come twice, and with no other.
func (r *running) asked(t *testing.T, method, path, token, body string, headers []string) *http.Response {
	t.Helper()
	q, err := http.NewRequestWithContext(t.Context(), method, r.url+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(headers); i += 2 {
		q.Header.Add(headers[i], headers[i+1])
	}
	if token != "" {
		q.Header.Set("Authorization", "Bearer "+token)
	}
	w, err := http.DefaultTransport.RoundTrip(q)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = w.Body.Close() })
	return w
}

// J1 to J4, J7, J8, J12 to J14, J22, J30 to J40, J42, J43, J46, J47, J49, J51 to J56, J60 to J63, J70 to J75, J78 to
// J82, once more with authorisation on: whoever may is answered as by an open gateway; nothing of what somebody else
// sends is read.
func TestHostileRequestsToAClosedGateway(t *testing.T) {
	one := newPerson("one", `"play", "publish"`, "*")
	open := &target{running: start(t, "[limits]\nposts_per_second_per_ip = 0\n[streams.cam]\nsource = \"demo:\"\n"+rooms), last: netip.MustParseAddr("192.0.2.1")}
	shut := &target{running: startAt(t, trustProxy, closed(one)+rooms), proxied: true, last: netip.MustParseAddr("192.0.2.1")}
	for _, h := range hostileRequests() {
		t.Run(h.id, func(t *testing.T) {
			status, answer, _ := open.send(t, h, "", "")
			if status != h.status {
				t.Errorf("open: %d %+v, want %d", status, answer, h.status)
			}
			if s, p, header := shut.send(t, h, one.token, one.token); s != status || p != answer || header.Get("Access-Control-Allow-Origin") != "" {
				t.Errorf("with a token: %d %+v, want as the open one %d %+v", s, p, status, answer)
			}
			nobody, wrong := h.nobody, h.nobody
			if nobody == 0 {
				nobody, wrong = 401, 401
			}
			if strings.Contains(h.path, "/whip/") || strings.Contains(h.path, "{session}") {
				wrong = 401 // who shows something has to be right
			}
			if s, p, _ := shut.send(t, h, one.token, ""); s != nobody || s == 401 && p.Type != "urn:sluice:problem:no_credentials" {
				t.Errorf("with nothing: %d %+v, want %d", s, p, nobody)
			}
			if s, p, _ := shut.send(t, h, one.token, "wrong"); s != wrong || s == 401 && p.Type != "urn:sluice:problem:invalid_credentials" {
				t.Errorf("with a wrong token: %d %+v, want %d", s, p, wrong)
			}
		})
	}
}

// J15, once more with authorisation on: no page of another origin may read an answer, nor have one of what it sends.
func TestForeignPagesAtAClosedGateway(t *testing.T) {
	one := newPerson("one", `"publish"`, "*")
	g := start(t, closed(one))
	for _, origin := range []string{"null", "https://evil.example"} {
		for token, want := range map[string]int{one.token: 400, "wrong": 401, "": 403} {
			w := g.ask(t, "POST", "/studio/whip", token, "v=0", "Origin", origin)
			if w.StatusCode != want || w.Header.Get("Access-Control-Allow-Origin") != "" {
				t.Errorf("a page of %s with %q: %d %v, want %d", origin, token, w.StatusCode, w.Header, want)
			}
		}
	}
}
