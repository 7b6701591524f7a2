package rtsp

import (
	"errors"
	"net/netip"
	"strings"
	"testing"
	"time"

	"sluice/ingest"
	"sluice/internal/testcamera"
)

// E7, J137
func TestParseTransport(t *testing.T) {
	none := [2]int{-1, -1}
	for in, want := range map[string]transportHeader{
		"RTP/AVP/TCP;unicast;interleaved=10-11":         {tcp: true, interleaved: [2]int{10, 11}},
		"rtp/avp/tcp; unicast; Interleaved = 0":         {tcp: true, interleaved: [2]int{0, 1}},
		"RTP/AVP;unicast;interleaved=0-1":               {interleaved: [2]int{0, 1}},
		"RTP/SAVP/TCP;interleaved=2-3;ssrc=1":           {tcp: true, secure: true, interleaved: [2]int{2, 3}},
		"RTP/AVP/TCP;interleaved=255-256":               {tcp: true, interleaved: none},
		"RTP/AVP/TCP;interleaved=-1-x":                  {tcp: true, interleaved: none},
		"RTP/AVP;client_port=1-2;server_port=5000-5001": {interleaved: none, serverPort: [2]int{5000, 5001}},
		"RTP/AVP;server_port=5000":                      {interleaved: none, serverPort: [2]int{5000, 5001}},
		"RTP/AVP;server_port=99999-5":                   {interleaved: none},
		`RTP/AVP;multicast;destination="239.1.2.3";port=5000-5001;ttl=16`: {
			interleaved: none, multicast: true, port: [2]int{5000, 5001}, destination: netip.MustParseAddr("239.1.2.3"),
		},
		"RTP/AVP;destination=victim.example.com": {interleaved: none},
		"RTP/AVP/TCP;interleaved=0-1,RTP/AVP;x":  {tcp: true, interleaved: [2]int{0, 1}},
		"":                                       {interleaved: none},
		";;=;interleaved":                        {interleaved: none},
	} {
		if got := parseTransport(in); got != want {
			t.Errorf("parseTransport(%q) = %+v, want %+v", in, got, want)
		}
	}
}

func FuzzParseTransport(f *testing.F) {
	f.Add("RTP/AVP/TCP;unicast;interleaved=0-1")
	f.Add("RTP/AVP;multicast;destination=239.0.0.1;port=1-2;server_port=3")
	f.Fuzz(func(t *testing.T, s string) {
		h := parseTransport(s)
		if h.interleaved[0] < -1 || h.interleaved[1] > 255 || h.serverPort[1] > 65535 || h.port[1] > 65535 {
			t.Errorf("parseTransport(%q) = %+v, which is out of range", s, h)
		}
	})
}

// interleavedOnly refuses UDP, and datagramsOnly TCP.
func interleavedOnly(s *testcamera.Session, r *testcamera.Request) {
	refuse(s, r, !strings.Contains(r.Header.Get("Transport"), "/TCP"))
}

func datagramsOnly(s *testcamera.Session, r *testcamera.Request) {
	refuse(s, r, strings.Contains(r.Header.Get("Transport"), "/TCP"))
}

func refuse(s *testcamera.Session, r *testcamera.Request, it bool) {
	if r.Method == "SETUP" && it {
		s.Reply(r, "461 Unsupported Transport", "")
		return
	}
	s.Serve(r)
}

// E1
func TestFallback(t *testing.T) {
	for name, c := range map[string]struct {
		handle func(s *testcamera.Session, r *testcamera.Request)
		worked Transport // before
		want   Transport
		asked  string // of the first connection, from SETUP on
	}{
		"UDP refused":              {interleavedOnly, "", TCP, "SETUP"},
		"TCP refused":              {datagramsOnly, TCP, UDP, "SETUP"},
		"UDP does not get through": {silentOverUDP, "", TCP, "SETUP PLAY TEARDOWN"},
	} {
		t.Run(name, func(t *testing.T) {
			camera := (&testcamera.Camera{Handle: c.handle}).Start(t)
			source := newSource(t, Options{URL: camera.URL("")})
			if name == "UDP does not get through" { // of others, a moment's pause is no silence
				source.times.silence = 200 * time.Millisecond
			}
			source.worked = c.worked
			p := start(t, source)
			p.plays(t)
			if got := p.waitStats(t); got != c.want {
				t.Errorf("played over %q, want %q", got, c.want)
			}
			if camera.Connections() != 2 || !strings.Contains(camera.Methods(), c.asked+" OPTIONS") {
				t.Errorf("asked for %s in %d connections, want %s in the first of two", camera.Methods(), camera.Connections(), c.asked)
			}
			// What worked is tried first the next time.
			p.cancel()
			if err := p.end(t); err == nil {
				t.Error("Run returned no error")
			}
			start(t, source).plays(t)
			if camera.Connections() != 3 {
				t.Errorf("%d connections, want 3", camera.Connections())
			}
		})
	}
}

// silentOverUDP sends its packets only if they go interleaved.
func silentOverUDP(s *testcamera.Session, r *testcamera.Request) {
	if r.Method == "SETUP" && !strings.Contains(r.Header.Get("Transport"), "/TCP") {
		ports := strings.TrimPrefix(r.Header.Get("Transport"), "RTP/AVP;unicast;client_port=")
		s.Reply(r, "200 OK", "", "Session: 12345678", "Transport: RTP/AVP;unicast;client_port="+ports+";server_port=5000-5001")
		return
	}
	s.Serve(r)
}

// E1
func TestOrder(t *testing.T) {
	far := netip.MustParseAddr("203.0.113.7")
	for name, c := range map[string]struct {
		url    string
		asked  Transport
		worked Transport
		camera netip.Addr
		want   string
	}{
		"private":          {"rtsp://h/", Auto, "", netip.MustParseAddr("192.168.1.2"), "udp tcp"},
		"mapped":           {"rtsp://h/", Auto, "", netip.MustParseAddr("::ffff:10.0.0.1"), "udp tcp"},
		"unique local":     {"rtsp://h/", Auto, "", netip.MustParseAddr("fd00::1"), "udp tcp"},
		"link-local":       {"rtsp://h/", Auto, "", netip.MustParseAddr("fe80::1"), "udp tcp"},
		"far away":         {"rtsp://h/", Auto, "", far, "tcp udp"},
		"far, UDP worked":  {"rtsp://h/", Auto, UDP, far, "udp tcp"},
		"near, TCP worked": {"rtsp://h/", Auto, TCP, loopback, "tcp udp"},
		"E9 TLS":           {"rtsps://h/", Auto, "", loopback, "tcp"},
		"as configured":    {"rtsp://h/", Multicast, TCP, far, "multicast"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSource(t, Options{URL: c.url, Transport: c.asked})
			s.worked = c.worked
			var got []string
			for _, tr := range s.order(s.target, c.camera) {
				got = append(got, string(tr))
			}
			if strings.Join(got, " ") != c.want {
				t.Errorf("tries %v, want %s", got, c.want)
			}
		})
	}
}

// E5, E22
func TestRedirects(t *testing.T) {
	auth := &testcamera.Auth{User: "u", Password: "p", Challenges: []string{`Digest realm="c", nonce="n"`}}
	target := (&testcamera.Camera{Auth: auth}).Start(t)
	for name, camera := range map[string]*testcamera.Camera{
		"301 on DESCRIBE": answering("DESCRIBE", "301 Moved Permanently", "Location: "+target.URL("")),
		"302 on SETUP":    answering("SETUP", "302 Moved Temporarily", "Location: "+target.URL("evil:evil")),
		"REDIRECT while playing": afterPlay(func(s *testcamera.Session) {
			s.Send("REDIRECT rtsp://gateway/ RTSP/1.0\r\nCSeq: 1\r\nLocation: " + target.URL("") + "\r\n\r\n")
		}),
	} {
		t.Run(name, func(t *testing.T) {
			before := len(target.Requests())
			camera.Start(t)
			p := start(t, newSource(t, Options{URL: camera.URL("u:p"), Transport: TCP}))
			p.plays(t)
			target.Await(t, "PLAY", before)
		})
	}
}

// E5, J134
func TestFollow(t *testing.T) {
	from := func(u string) target {
		to, err := parseTarget(u)
		if err != nil {
			t.Fatal(err)
		}
		return to
	}
	for name, c := range map[string]struct {
		from, location string
		credentials    bool
		fails          bool
	}{
		"same host":          {"rtsp://u:p@h/a", "rtsp://h:555/b", true, false},
		"other host":         {"rtsp://u:p@h/a", "rtsp://other/b", false, false},
		"path only":          {"rtsp://u:p@h/a", "/b", true, false},
		"to TLS":             {"rtsp://u:p@h/a", "rtsps://h/b", true, false},
		"away from TLS":      {"rtsps://u:p@h/a", "rtsp://h/b", false, true},
		"their credentials":  {"rtsp://h/a", "rtsp://x:y@h/b", false, false},
		"another scheme":     {"rtsp://u:p@h/a", "gopher://h/b", false, true},
		"nothing like a URL": {"rtsp://u:p@h/a", "%%%", false, true},
	} {
		t.Run(name, func(t *testing.T) {
			next, err := from(c.from).follow(c.location)
			if (err != nil) != c.fails || (next.credentials != nil) != c.credentials {
				t.Errorf("credentials %v, error %v; want credentials: %v, error: %v", next.credentials, err, c.credentials, c.fails)
			}
			if err == nil && next.url.User != nil {
				t.Errorf("%v holds credentials", next.url)
			}
		})
	}
}

// J162
func TestNew(t *testing.T) {
	for name, c := range map[string]struct {
		o    Options
		says string // "" for no error
	}{
		"good":             {Options{URL: "rtsp://u:p@h:554/s?a=b"}, ""},
		"IPv6 with zone":   {Options{URL: "rtsp://u:p@[fe80::1%eth0]/s"}, ""},
		"bad escape":       {Options{URL: "rtsp://u:hunter2%zz@h/s"}, "percent-encoded"},
		"spaces":           {Options{URL: "rtsp://u:hunter2 x@h /s"}, "percent-encoded"},
		"userinfo only":    {Options{URL: "rtsp://u:hunter2@"}, "names no host"},
		"another scheme":   {Options{URL: "http://u:hunter2@h/"}, "no valid URL"},
		"bad transport":    {Options{URL: "rtsp://h/", Transport: "pigeon"}, "auto, tcp, udp or multicast"},
		"bad fingerprint":  {Options{URL: "rtsps://h/", TLSFingerprint: "abc"}, "64 hex digits"},
		"good fingerprint": {Options{URL: "rtsps://h/", TLSFingerprint: strings.Repeat("AB:", 31) + "AB"}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := New(c.o)
			if (err == nil) != (c.says == "") || err != nil && !strings.Contains(err.Error(), c.says) {
				t.Fatalf("New returned %v, want %q", err, c.says)
			}
			if err != nil && strings.Contains(err.Error(), "hunter2") {
				t.Errorf("%v holds the password", err)
			}
		})
	}
}

// E9
func TestEnableSRTPIsStripped(t *testing.T) {
	for in, want := range map[string]string{
		"rtsps://h:7441/abc?enableSrtp":       "rtsps://h:7441/abc",
		"rtsps://h:7441/abc?a=1&enableSrtp&b": "rtsps://h:7441/abc?a=1&b",
		"rtsp://h/abc?enableSrtpX=1":          "rtsp://h/abc?enableSrtpX=1",
	} {
		to, err := parseTarget(in)
		if err != nil || to.url.String() != want {
			t.Errorf("%s becomes %v (%v), want %s", in, to.url, err, want)
		}
	}
}

// A camera that starts up answers 404 for a while.
func TestLostPathIsNotPermanent(t *testing.T) {
	s := newSource(t, Options{URL: "rtsp://h/"})
	if !ingest.IsPermanent(s.mark(&NotFoundError{})) {
		t.Error("a path that never played should be tried seldom")
	}
	s.worked = TCP
	if ingest.IsPermanent(s.mark(&NotFoundError{})) || ingest.IsPermanent(s.mark(errors.New("x"))) {
		t.Error("a path that has played should be tried often")
	}
}
