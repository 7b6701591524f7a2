package rtsp

import (
	"encoding/binary"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"sluice/internal/testcamera"
	"sluice/media"
)

// setupAs answers SETUP with a Transport of the test's choice, and sends on the channel of the test's choice.
func setupAs(transport string, channel int) func(s *testcamera.Session, r *testcamera.Request) {
	return func(s *testcamera.Session, r *testcamera.Request) {
		if r.Method != "SETUP" {
			s.Serve(r)
			return
		}
		s.SetupTCP(channel)
		s.Reply(r, "200 OK", "", "Session: 12345678", "Transport: "+transport)
	}
}

// scripted lets a request of a method be answered by the script; all else is served.
func scripted(method string, script func(s *testcamera.Session, r *testcamera.Request)) func(*testcamera.Session, *testcamera.Request) {
	return func(s *testcamera.Session, r *testcamera.Request) {
		if r.Method == method {
			script(s, r)
			return
		}
		s.Serve(r)
	}
}

// TestRepairs is a table of cameras that break the rules and play all the same.
func TestRepairs(t *testing.T) {
	var packets atomic.Int64
	for name, c := range map[string]struct {
		transport Transport
		camera    *testcamera.Camera
	}{
		"E7 channels of the answer": {TCP, &testcamera.Camera{
			Handle: setupAs("RTP/AVP/TCP;unicast;interleaved=10-11", 10),
		}},
		"E7 a single channel": {TCP, &testcamera.Camera{
			Handle: setupAs("RTP/AVP/TCP;unicast;interleaved=0", 0),
		}},
		"E7 no TCP in the profile": {TCP, &testcamera.Camera{
			Handle: setupAs("RTP/AVP;unicast;interleaved=0-1", 0),
		}},
		"E7 channels above 19": {TCP, &testcamera.Camera{
			Handle: setupAs("RTP/AVP/TCP;unicast;interleaved=200-201", 200),
		}},
		"J137 channels that do not exist": {TCP, &testcamera.Camera{
			Handle: setupAs("RTP/AVP/TCP;unicast;interleaved=255-256", 0),
		}},
		"J137 no transport": {TCP, &testcamera.Camera{
			Handle: setupAs("", 0),
		}},
		"J137 media for somebody else": {TCP, &testcamera.Camera{
			Handle: setupAs("RTP/AVP/TCP;unicast;destination=203.0.113.9;source=203.0.113.9;interleaved=0-1", 0),
		}},
		"E7 unknown channels": {TCP, &testcamera.Camera{
			Handle: scripted("PLAY", func(s *testcamera.Session, r *testcamera.Request) {
				s.Serve(r)
				s.SendFrame(17, make([]byte, 500))
			}),
		}},
		"E7 junk between packets": {TCP, &testcamera.Camera{
			Handle: scripted("PLAY", func(s *testcamera.Session, r *testcamera.Request) {
				s.Serve(r)
				for range 5 {
					s.Send("junk\x00$\xff")
					s.SendFrame(17, make([]byte, 5))
				}
			}),
		}},
		"J139 a frame that claims too much": {TCP, &testcamera.Camera{
			Handle: scripted("PLAY", func(s *testcamera.Session, r *testcamera.Request) {
				s.Serve(r)
				s.Send("$\x00\xff\xff" + strings.Repeat("junk ", 100))
			}),
		}},
		"J140 packets before PLAY is answered": {TCP, &testcamera.Camera{
			Handle: scripted("PLAY", func(s *testcamera.Session, r *testcamera.Request) {
				s.Play()
				s.AwaitPackets()
				s.Reply(r, "200 OK", "")
			}),
		}},
		"J140 packets before PLAY is asked for": {TCP, &testcamera.Camera{
			Handle: scripted("SETUP", func(s *testcamera.Session, r *testcamera.Request) {
				s.Serve(r)
				s.SendFrame(0, make([]byte, 100))
			}),
		}},
		"E5 requests of the camera": {TCP, &testcamera.Camera{
			Handle: scripted("PLAY", func(s *testcamera.Session, r *testcamera.Request) {
				s.Serve(r)
				for _, m := range []string{"OPTIONS", "SET_PARAMETER", "GET_PARAMETER", "PLAY_NOTIFY"} {
					s.Send(m + " rtsp://gateway/ RTSP/1.0\r\nCSeq: 7\r\n\r\n")
				}
			}),
		}},
		"OPTIONS refused": {TCP, &testcamera.Camera{
			Handle: scripted("OPTIONS", func(s *testcamera.Session, r *testcamera.Request) {
				s.Reply(r, "501 Not Implemented", "")
			}),
		}},
		"J131 no reason in the status line": {TCP, &testcamera.Camera{
			Handle: scripted("OPTIONS", func(s *testcamera.Session, r *testcamera.Request) {
				s.Reply(r, "200", "")
			}),
		}},
		"J131 300 headers, one of 3 KiB": {TCP, &testcamera.Camera{
			Handle: scripted("OPTIONS", func(s *testcamera.Session, r *testcamera.Request) {
				s.Reply(r, "200 OK", "", strings.Repeat("X-A: b\r\n", 300)+"Public: "+strings.Repeat("PLAY, ", 500))
			}),
		}},
		"no CSeq": {TCP, &testcamera.Camera{
			Handle: scripted("OPTIONS", func(s *testcamera.Session, r *testcamera.Request) {
				s.Send("RTSP/1.0 200 OK\r\nPublic: DESCRIBE\r\n\r\n")
			}),
		}},
		"another CSeq, and blank lines": {TCP, &testcamera.Camera{
			Handle: scripted("OPTIONS", func(s *testcamera.Session, r *testcamera.Request) {
				s.Send("\r\n\r\nRTSP/1.0 200 OK\r\nCSeq: 4711\r\n\r\n\r\n")
			}),
		}},
		"E30 no Content-Type": {TCP, &testcamera.Camera{
			Handle: scripted("DESCRIBE", func(s *testcamera.Session, r *testcamera.Request) {
				s.Reply(r, "200 OK", testcamera.H264)
			}),
		}},
		"E30 Content-Type with charset": {TCP, &testcamera.Camera{
			Handle: scripted("DESCRIBE", func(s *testcamera.Session, r *testcamera.Request) {
				s.Reply(r, "200 OK", testcamera.H264, "Content-Type: Application/SDP; charset=utf-8")
			}),
		}},
		"J135 Content-Base on another host": {TCP, &testcamera.Camera{
			Handle: scripted("DESCRIBE", func(s *testcamera.Session, r *testcamera.Request) {
				s.Reply(r, "200 OK", testcamera.H264, "Content-Base: rtsp://203.0.113.9:1/stream/")
			}),
		}},
		"E34 a track that is not carried": {TCP, &testcamera.Camera{
			SDP: testcamera.H264 + "m=application 0 RTP/AVP 107\r\na=rtpmap:107 vnd.onvif.metadata/90000\r\na=control:trackID=9\r\n",
		}},
		"J143 a track that is refused": {TCP, &testcamera.Camera{
			SDP: testcamera.H264 + testcamera.PCMU,
			Handle: scripted("SETUP", func(s *testcamera.Session, r *testcamera.Request) {
				if strings.HasSuffix(r.URL, "trackID=1") {
					s.Reply(r, "459 Aggregate Operation Not Allowed", "")
					return
				}
				s.Serve(r)
			}),
		}},
		"E32 another payload type": {TCP, &testcamera.Camera{
			Packet: func(_ int, p []byte) []byte {
				p[1] = p[1]&0x80 | 112
				return p
			},
		}},
		"E40 another SSRC in mid-stream": {TCP, &testcamera.Camera{
			Packet: func(_ int, p []byte) []byte {
				if n := packets.Add(1); n < 20 {
					return nil
				}
				binary.BigEndian.PutUint32(p[8:], uint32(packets.Load()/40))
				return p
			},
		}},
		"J138 the session's case and parameters change": {TCP, &testcamera.Camera{
			SDP: testcamera.H264 + testcamera.PCMU,
			Handle: func(s *testcamera.Session, r *testcamera.Request) {
				switch r.Method {
				case "SETUP":
					transport, _ := s.Setup(r)
					session := "aBcD; timeout = 30"
					if strings.HasSuffix(r.URL, "trackID=1") {
						session = "ABCD;timeout=60"
					}
					s.Reply(r, "200 OK", "", "Session: "+session, "Transport: "+transport)
				case "PLAY":
					if r.Header.Get("Session") != "aBcD" {
						s.Reply(r, "454 Session Not Found", "")
						return
					}
					s.Reply(r, "200 OK", "", "Session: abcd")
					s.Play()
				default:
					s.Serve(r)
				}
			},
		}},
		"E6 no server port": {UDP, &testcamera.Camera{
			Handle: scripted("SETUP", func(s *testcamera.Session, r *testcamera.Request) {
				transport, _ := s.Setup(r)
				client, _, _ := strings.Cut(transport, ";server_port")
				s.Reply(r, "200 OK", "", "Session: 12345678", "Transport: "+client+";server_port=0-0")
			}),
		}},
		"J137 a privileged server port": {UDP, &testcamera.Camera{
			Handle: scripted("SETUP", func(s *testcamera.Session, r *testcamera.Request) {
				transport, _ := s.Setup(r)
				client, _, _ := strings.Cut(transport, ";server_port")
				s.Reply(r, "200 OK", "", "Session: 12345678", "Transport: "+client+";server_port=22-23;source=203.0.113.9")
			}),
		}},
		"UDP asked, interleaved answered": {UDP, &testcamera.Camera{
			Handle: setupAs("RTP/AVP/TCP;unicast;interleaved=0-1", 0),
		}},
		"E65 keepalives refused": {TCP, &testcamera.Camera{
			Handle: scripted("GET_PARAMETER", func(s *testcamera.Session, r *testcamera.Request) {
				s.Reply(r, "454 Session Not Found", "")
			}),
		}},
	} {
		t.Run(name, func(t *testing.T) {
			camera := c.camera.Start(t)
			p := start(t, newSource(t, Options{URL: camera.URL(""), Transport: c.transport}))
			p.plays(t)
		})
	}
}

// E8
func TestLargeDatagrams(t *testing.T) {
	camera := (&testcamera.Camera{Packet: func(_ int, p []byte) []byte {
		if p[12] == 0x65 {
			p = append(p, make([]byte, 10_000)...)
		}
		return p
	}}).Start(t)
	p := start(t, newSource(t, Options{URL: camera.URL(""), Transport: UDP}))
	if units := p.units(t, "video", 1); units[0].Size() < 10_000 {
		t.Errorf("the unit has %d bytes, want more than 10000", units[0].Size())
	}
}

// E6
func TestOnlyTheCamerasPackets(t *testing.T) {
	s, err := listenUnicast(loopback, loopback)
	if err != nil {
		t.Fatal(err)
	}
	s.camera = netip.MustParseAddr("127.0.0.2") // so that packets of 127.0.0.1 are foreign
	if s.port()%2 != 0 {
		t.Errorf("RTP port %d is odd", s.port())
	}
	camera, err := net.ListenUDP("udp4", &net.UDPAddr{IP: s.camera.AsSlice()})
	if err != nil {
		t.Fatal(err)
	}
	defer camera.Close()
	got, ended := make(chan string, 20), make(chan struct{})
	go func() {
		defer close(ended)
		s.read(s.conns[0], 0, func(p []byte) { got <- string(p) })
	}()
	for _, send := range []struct {
		from *net.UDPConn
		p    string
	}{{s.conns[1], "foreign"}, {s.conns[1], "foreign"}, {camera, "own"}} {
		if _, err := send.from.WriteToUDP([]byte(send.p), udpAddr(s.conns[0])); err != nil {
			t.Fatal(err)
		}
	}
	if p := receive(t, got); p != "own" {
		t.Errorf("took the packet %q", p)
	}
	s.close()
	<-ended
	if to := s.peers[0].Load(); to == nil || to.Port() != uint16(udpAddr(camera).Port) {
		t.Errorf("the camera is taken to be at %v", to)
	}
}

// E6
func TestHolePunching(t *testing.T) {
	punched := make(chan []byte, 2)
	camera := (&testcamera.Camera{Handle: scripted("PLAY", func(s *testcamera.Session, r *testcamera.Request) {
		punched <- s.ReceivedUDP(0, 0, patience)
		punched <- s.ReceivedUDP(0, 1, patience)
		s.Serve(r)
	})}).Start(t)
	start(t, newSource(t, Options{URL: camera.URL(""), Transport: UDP})).plays(t)
	if rtp, rtcp := receive(t, punched), receive(t, punched); len(rtp) != 12 || len(rtcp) != 8 || rtcp[1] != 201 {
		t.Errorf("before PLAY came %x and %x, want an empty RTP packet and an empty receiver report", rtp, rtcp)
	}
}

// E2
func TestReceiverReports(t *testing.T) {
	for _, transport := range []Transport{TCP, UDP} {
		t.Run(string(transport), func(t *testing.T) {
			reports := make(chan []byte, 100)
			var session atomic.Pointer[testcamera.Session]
			camera := (&testcamera.Camera{
				Connect: func(s *testcamera.Session) bool {
					session.Store(s)
					s.Frames = func(channel byte, p []byte) {
						if channel == 11 {
							reports <- p
						}
					}
					return true
				},
				Handle: scripted("SETUP", func(s *testcamera.Session, r *testcamera.Request) {
					if transport == TCP {
						setupAs("RTP/AVP/TCP;unicast;interleaved=10-11", 10)(s, r)
						return
					}
					s.Serve(r)
				}),
			}).Start(t)
			source := newSource(t, Options{URL: camera.URL(""), Transport: transport})
			source.times.report = 100 * time.Millisecond
			start(t, source).plays(t)
			var report []byte
			for deadline := time.Now().Add(patience); len(report) < 32 && time.Now().Before(deadline); { // the first may be empty
				if transport == TCP {
					report = receive(t, reports)
				} else {
					report = session.Load().ReceivedUDP(0, 1, time.Second)
				}
			}
			if len(report) < 32 || report[1] != 201 || binary.BigEndian.Uint32(report[8:]) != 0x5eed0000 {
				t.Errorf("got %x, want a receiver report on SSRC 5eed0000", report)
			}
		})
	}
}

// E2, J142
func TestKeepalive(t *testing.T) {
	for name, c := range map[string]struct {
		public, want string
		answer       func(s *testcamera.Session, r *testcamera.Request)
	}{
		"GET_PARAMETER where it is known": {"Public: OPTIONS, GET_PARAMETER", "GET_PARAMETER", func(s *testcamera.Session, r *testcamera.Request) {
			s.Reply(r, "500 Internal Error", "", "Session: changed")
		}},
		"OPTIONS where it is not": {"Public: OPTIONS", "OPTIONS", func(s *testcamera.Session, r *testcamera.Request) {
			s.Reply(r, "454 Session Not Found", "")
		}},
		"no answer": {"Public: OPTIONS, GET_PARAMETER", "GET_PARAMETER", func(*testcamera.Session, *testcamera.Request) {}},
		"401":       {"Public: OPTIONS, GET_PARAMETER", "GET_PARAMETER", func(s *testcamera.Session, r *testcamera.Request) { s.Reply(r, "401 Unauthorized", "") }},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			kept := make(chan string, 10)
			playing := false
			camera := (&testcamera.Camera{Handle: func(s *testcamera.Session, r *testcamera.Request) {
				switch {
				case r.Method == "OPTIONS" && !playing:
					s.Reply(r, "200 OK", "", c.public)
				case r.Method == "SETUP":
					transport, _ := s.Setup(r)
					s.Reply(r, "200 OK", "", "Session: 12345678;timeout=2", "Transport: "+transport)
				case playing && r.Method != "TEARDOWN":
					kept <- r.Method
					c.answer(s, r)
				case r.Method == "PLAY":
					playing = true
					s.Reply(r, "200 OK", "")
					s.Play()
				default:
					s.Serve(r)
				}
			}}).Start(t)
			p := start(t, newSource(t, Options{URL: camera.URL(""), Transport: TCP}))
			for range 2 { // the second one shows that the first answer did no harm
				if got := receive(t, kept); got != c.want {
					t.Errorf("kept alive by %s, want %s", got, c.want)
				}
			}
			p.plays(t)
		})
	}
}

// E34, J143: what is not carried is listed, and says why.
func TestSkippedTracksAreListed(t *testing.T) {
	camera := (&testcamera.Camera{
		SDP: testcamera.H264 + testcamera.PCMU +
			"m=application 0 RTP/AVP 107\r\na=rtpmap:107 vnd.onvif.metadata/90000\r\na=control:trackID=2\r\n",
		Handle: scripted("SETUP", func(s *testcamera.Session, r *testcamera.Request) {
			if strings.HasSuffix(r.URL, "trackID=1") {
				s.Reply(r, "503 Service Unavailable", "")
				return
			}
			s.Serve(r)
		}),
	}).Start(t)
	tracks := start(t, newSource(t, Options{URL: camera.URL(""), Transport: TCP})).tracks(t)
	var got []string
	for _, tr := range tracks {
		got = append(got, fmt.Sprintf("%s %s: %s", tr.ID, tr.Codec, tr.Skipped))
	}
	want := []string{
		"video h264: ",
		"audio pcmu: the camera answers SETUP with 503 Service Unavailable",
		"data vnd.onvif.metadata: ONVIF metadata is not carried",
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("tracks are\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if _, ok := media.First(tracks, media.Audio); ok {
		t.Error("the refused track counts as carried")
	}
}
