package rtsp

import (
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"sluice/ingest"
	"sluice/internal/testcamera"
)

// raw is a camera that answers whatever it is asked by the same bytes.
func raw(answer string) *testcamera.Camera {
	return &testcamera.Camera{Handle: func(s *testcamera.Session, _ *testcamera.Request) { s.Send(answer) }}
}

// answering answers requests of one method with a status, and serves all else.
func answering(method, status string, headers ...string) *testcamera.Camera {
	return &testcamera.Camera{Handle: scripted(method, func(s *testcamera.Session, r *testcamera.Request) {
		s.Reply(r, status, "", headers...)
	})}
}

// afterPlay plays, and a moment later does something.
func afterPlay(do func(s *testcamera.Session)) *testcamera.Camera {
	return &testcamera.Camera{Handle: scripted("PLAY", func(s *testcamera.Session, r *testcamera.Request) {
		s.Serve(r)
		s.AwaitPackets()
		do(s)
	})}
}

// is makes a test of an error's type.
func is[E error](err error) bool {
	var e E
	return errors.As(err, &e)
}

// TestFailures is a table of cameras that cannot be played: which error ends the session, and what it says.
func TestFailures(t *testing.T) {
	endless := strings.Repeat("X", 70<<10)
	for name, c := range map[string]struct {
		transport Transport
		camera    *testcamera.Camera
		is        func(error) bool
		says      string
		permanent bool
	}{
		"J130 no answer":         {camera: raw(""), is: is[*TimeoutError], says: "no answer"},
		"J130 hangs up at once":  {camera: &testcamera.Camera{Connect: func(*testcamera.Session) bool { return false }}, is: is[*EndedError], says: "connection"},
		"J130 hangs up at SETUP": {camera: &testcamera.Camera{Handle: scripted("SETUP", func(s *testcamera.Session, _ *testcamera.Request) { s.Hangup() })}, is: is[*EndedError], says: "connection"},
		"J130 reset while playing": {camera: afterPlay(func(s *testcamera.Session) {
			_ = s.Conn.(*net.TCPConn).SetLinger(0)
			s.Hangup()
		}), is: is[*EndedError], says: "connection"},
		"J131 another version":      {camera: raw("RTSP/9.9 200 OK\r\n\r\n"), is: is[*ProtocolError], says: "RTSP/9.9"},
		"J131 HTTP":                 {camera: raw("HTTP/1.1 400 Bad Request\r\n\r\n"), is: is[*NotRTSPError], says: "speaks HTTP, not RTSP"},
		"J131 binary junk":          {camera: raw("\x00\x01\x02\x03\x04\x05\x06\x07"), is: is[*NotRTSPError], says: "does not speak RTSP"},
		"J131 SSH":                  {camera: raw("SSH-2.0-OpenSSH_9.2\r\n"), is: is[*NotRTSPError], says: "does not speak RTSP"},
		"J131 600 headers":          {camera: raw("RTSP/1.0 200 OK\r\n" + strings.Repeat("A: b\r\n", 600) + "\r\n"), is: is[*ProtocolError], says: "512 header lines"},
		"J131 endless header":       {camera: raw("RTSP/1.0 200 OK\r\nA: " + endless), is: is[*ProtocolError], says: "longer than"},
		"J131 no status":            {camera: raw("RTSP/1.0 OK\r\n\r\n"), is: is[*ProtocolError], says: "status line"},
		"J132 length 2^63":          {camera: raw("RTSP/1.0 200 OK\r\nContent-Length: 9223372036854775808\r\n\r\n"), is: is[*ProtocolError], says: "Content-Length"},
		"J132 length -1":            {camera: raw("RTSP/1.0 200 OK\r\nContent-Length: -1\r\n\r\n"), is: is[*ProtocolError], says: "Content-Length"},
		"J132 length 200 KiB":       {camera: raw("RTSP/1.0 200 OK\r\nContent-Length: 204800\r\n\r\n"), is: is[*ProtocolError], says: "204800 bytes"},
		"J134 redirect loop":        {camera: &testcamera.Camera{Handle: scripted("DESCRIBE", func(s *testcamera.Session, r *testcamera.Request) { s.Reply(r, "302 Moved", "", "Location: "+r.URL) })}, is: is[*RedirectError], says: "too many", permanent: true},
		"J134 redirect to a file":   {camera: answering("DESCRIBE", "301 Moved", "Location: file:///etc/passwd"), is: is[*RedirectError], says: "no RTSP URL", permanent: true},
		"J134 redirect to HTTP":     {camera: answering("DESCRIBE", "302 Moved", "Location: http://169.254.169.254/latest"), is: is[*RedirectError], says: "no RTSP URL", permanent: true},
		"J134 redirect to metadata": {camera: answering("DESCRIBE", "302 Moved", "Location: rtsp://169.254.169.254/latest"), is: is[*RefusedAddressError], says: "refused", permanent: true},
		"J136 no tracks":            {camera: &testcamera.Camera{SDP: "v=0\r\ns=-\r\n"}, is: is[*NoMediaError], says: "no track at all"},
		"J136 an empty body":        {camera: answering("DESCRIBE", "200 OK"), is: is[*NoMediaError], says: "no track at all"},
		"J136 nothing carried":      {camera: &testcamera.Camera{SDP: "v=0\r\nm=audio 0 RTP/AVP 97\r\na=rtpmap:97 private/8000\r\n"}, is: is[*NoMediaError], says: "private is not carried"},
		"J136 nothing carried of several": {camera: &testcamera.Camera{SDP: "v=0\r\nm=application 0 RTP/AVP 107\r\na=rtpmap:107 vnd.onvif.metadata/90000\r\n" +
			"m=audio 0 RTP/AVP 97\r\na=rtpmap:97 private/8000\r\n"}, is: is[*NoMediaError], says: "private is not carried"},
		"J134 redirect loop with a token": {camera: &testcamera.Camera{Handle: scripted("DESCRIBE", func(s *testcamera.Session, r *testcamera.Request) {
			s.Reply(r, "302 Moved", "", "Location: "+r.URL+"&token=hunter2")
		})}, is: is[*RedirectError], says: "token=***", permanent: true},
		"a page instead of SDP":   {camera: &testcamera.Camera{SDP: "<html></html>"}, is: is[*ProtocolError], says: "no SDP"},
		"J137 UDP without asking": {TCP, &testcamera.Camera{Handle: setupAs("RTP/AVP;unicast;client_port=1-2;server_port=5000-5001", 0)}, is[*TransportRefusedError], "transport", false},
		"J138 session of 4 KiB":   {camera: answering("SETUP", "200 OK", "Session: "+strings.Repeat("x", 4096)), is: is[*ProtocolError], says: "4096 bytes"},
		"J138 changing session":   {camera: answering("PLAY", "200 OK", "Session: other"), is: is[*ProtocolError], says: "session identifier"},
		"J139 no end of junk": {camera: afterPlay(func(s *testcamera.Session) {
			for range 20 {
				s.Send("junk")
				s.SendFrame(17, nil)
			}
		}), is: is[*ProtocolError], says: "junk"},
		"J141 no packets over TCP":  {TCP, answering("PLAY", "200 OK"), is[*TimeoutError], "no media", false},
		"J141 no packets over UDP":  {UDP, answering("PLAY", "200 OK"), is[*TimeoutError], "no media", false},
		"J143 all tracks refused":   {camera: answering("SETUP", "503 Service Unavailable"), is: is[*StatusError], says: "SETUP with 503 Service Unavailable"},
		"J143 no transport is good": {camera: answering("SETUP", "461 Unsupported Transport"), is: is[*TransportRefusedError], says: "refuses transport"},
		"J144 TEARDOWN":             {camera: afterPlay(func(s *testcamera.Session) { s.Send("TEARDOWN rtsp://gateway/ RTSP/1.0\r\nCSeq: 1\r\n\r\n") }), is: is[*EndedError], says: "ended the session"},
		"J144 ANNOUNCE": {camera: afterPlay(func(s *testcamera.Session) {
			s.Send("ANNOUNCE rtsp://gateway/ RTSP/1.0\r\nCSeq: 1\r\nContent-Length: 3\r\n\r\nv=0")
		}), is: is[*EndedError], says: "tracks have changed"},
		"E3 media stops":            {camera: afterPlay(func(s *testcamera.Session) { s.Stop() }), is: is[*TimeoutError], says: "no media"},
		"wrong path":                {camera: answering("DESCRIBE", "404 Not Found"), is: is[*NotFoundError], says: "check the path", permanent: true},
		"PLAY refused":              {camera: answering("PLAY", "455 Method Not Valid in This State"), is: is[*StatusError], says: "PLAY with 455"},
		"multicast without a group": {Multicast, answering("SETUP", "200 OK", "Transport: RTP/AVP;multicast;destination=127.0.0.1;port=5000-5001"), is[*TransportRefusedError], "multicast", false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c.camera.Start(t)
			o := Options{URL: c.camera.URL(""), Transport: c.transport}
			if c.says == "no answer" || c.says == "no media" { // others may be slow to fail
				o.ReadTimeout = time.Second
			}
			p := start(t, newSource(t, o))
			err := p.end(t)
			if !c.is(err) || !strings.Contains(fmt.Sprint(err), c.says) || ingest.IsPermanent(err) != c.permanent {
				t.Errorf("Run returned %T: %v; want one that says %q (permanent: %v)", errors.Unwrap(err), err, c.says, c.permanent)
			}
		})
	}
}

// J130: one byte a second is no answer.
func TestSlowAnswer(t *testing.T) {
	camera := (&testcamera.Camera{Handle: func(s *testcamera.Session, _ *testcamera.Request) {
		s.Drip("RTSP/1.0 200 OK\r\n", 100*time.Millisecond)
	}}).Start(t)
	err := start(t, newSource(t, Options{URL: camera.URL(""), ReadTimeout: time.Second})).end(t)
	if !is[*TimeoutError](err) {
		t.Errorf("Run returned %v, want a timeout", err)
	}
}

func TestUnreachable(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	refusing := l.Addr().String()
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct{ host, says string }{
		"refused":  {refusing, refusing + " refuses the connection"},
		"metadata": {"169.254.169.254", "connections to it are refused"},
	} {
		t.Run(name, func(t *testing.T) {
			err := start(t, newSource(t, Options{URL: "rtsp://user:hunter2@" + c.host + "/s"})).end(t)
			if !is[*UnreachableError](err) && !is[*RefusedAddressError](err) || !strings.Contains(err.Error(), c.says) {
				t.Errorf("Run returned %v, want one that says %q", err, c.says)
			}
			if strings.Contains(err.Error(), "hunter2") {
				t.Errorf("%q holds the password", err)
			}
		})
	}
}

func TestUnreachableSentences(t *testing.T) {
	dial := func(err error) error { return &net.OpError{Op: "dial", Err: os.NewSyscallError("connect", err)} }
	for name, c := range map[string]struct {
		err  error
		want string
	}{
		"unknown name":   {&net.DNSError{Err: "no such host", IsNotFound: true}, "cam:554 is no known host: check the name"},
		"no name server": {&net.DNSError{Err: "i/o timeout", IsTimeout: true}, "cam:554 could not be looked up: the name server does not answer"},
		"refused":        {dial(syscall.ECONNREFUSED), "cam:554 refuses the connection: check the port, and that RTSP is switched on"},
		"no route":       {dial(syscall.EHOSTUNREACH), "cam:554 cannot be reached: there is no way to that network or host"},
		"no network":     {dial(syscall.ENETUNREACH), "cam:554 cannot be reached: there is no way to that network or host"},
		"timeout":        {&net.OpError{Op: "dial", Err: os.ErrDeadlineExceeded}, "cam:554 does not answer: check the address, and that the camera is on"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := (&UnreachableError{Address: "cam:554", Err: c.err}).Error(); got != c.want {
				t.Errorf("says %q, want %q", got, c.want)
			}
		})
	}
}

// I33: TEARDOWN is sent, and nothing waits for a camera that is deaf.
func TestCancel(t *testing.T) {
	for name, c := range map[string]struct {
		camera   *testcamera.Camera
		after    string // the request that has come when ctx ends
		teardown bool
	}{
		"while playing":            {&testcamera.Camera{}, "PLAY", true},
		"TEARDOWN is not answered": {&testcamera.Camera{Handle: scripted("TEARDOWN", func(*testcamera.Session, *testcamera.Request) {})}, "PLAY", true},
		"DESCRIBE is not answered": {&testcamera.Camera{Handle: scripted("DESCRIBE", func(*testcamera.Session, *testcamera.Request) {})}, "DESCRIBE", false},
		"OPTIONS is not answered":  {raw(""), "OPTIONS", false},
		"PLAY is not answered":     {&testcamera.Camera{Handle: scripted("PLAY", func(*testcamera.Session, *testcamera.Request) {})}, "PLAY", true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c.camera.Start(t)
			p := start(t, newSource(t, Options{URL: c.camera.URL(""), Transport: TCP}))
			c.camera.Await(t, c.after, 0)
			began := time.Now()
			p.cancel()
			if err := p.end(t); err == nil || time.Since(began) > 5*time.Second {
				t.Errorf("Run returned %v after %v, want within 2 s", err, time.Since(began))
			}
			if c.teardown { // the camera may be slow to read it
				c.camera.Await(t, "TEARDOWN", 0)
			} else if strings.Contains(c.camera.Methods(), "TEARDOWN") {
				t.Errorf("asked for %s, want no TEARDOWN", c.camera.Methods())
			}
		})
	}
}
