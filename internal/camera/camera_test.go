package camera

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"math/big"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/bluenviron/gortsplib/v4"
	"github.com/bluenviron/gortsplib/v4/pkg/base"
	"github.com/bluenviron/gortsplib/v4/pkg/description"
	"github.com/bluenviron/gortsplib/v4/pkg/format"
	"github.com/bluenviron/gortsplib/v4/pkg/liberrors"
	"github.com/pion/rtcp"
	"github.com/pion/rtp"

	"sluice/internal/testmedia"
	"sluice/media"
)

// serve runs a camera until the test ends and returns its URL.
func serve(t *testing.T, o Options) string {
	t.Helper()
	if o.Listen == "" {
		o.Listen = "127.0.0.1:0"
	}
	c, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Listen(); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- c.Serve(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("serve: %v", err)
		}
	})
	return c.URL()
}

// packet is one packet that a reader got: rtp or sr is set.
type packet struct {
	track int
	rtp   *rtp.Packet
	sr    *rtcp.SenderReport
	at    time.Time
}

// reader is a client that plays all tracks.
type reader struct {
	client  *gortsplib.Client
	desc    *description.Session
	packets chan packet // sent by the client's goroutines; never closed
}

// read plays an URL; the error is that of the first request that failed.
func read(t *testing.T, rawURL string, transport gortsplib.Transport) (*reader, error) {
	t.Helper()
	u, err := base.ParseURL(rawURL)
	if err != nil {
		t.Fatal(err)
	}
	r := &reader{packets: make(chan packet, 4096), client: &gortsplib.Client{
		Scheme: u.Scheme, Host: u.Host, Transport: &transport, TLSConfig: &tls.Config{InsecureSkipVerify: true},
	}}
	if err := r.client.Start2(); err != nil {
		return nil, err
	}
	t.Cleanup(r.client.Close)
	if r.desc, _, err = r.client.Describe(u); err != nil {
		return nil, err
	}
	if err := r.client.SetupAll(r.desc.BaseURL, r.desc.Medias); err != nil {
		return nil, err
	}
	r.client.OnPacketRTPAny(func(m *description.Media, _ format.Format, p *rtp.Packet) {
		r.put(packet{track: slices.Index(r.desc.Medias, m), rtp: p, at: time.Now()})
	})
	r.client.OnPacketRTCPAny(func(m *description.Media, p rtcp.Packet) {
		if sr, ok := p.(*rtcp.SenderReport); ok {
			r.put(packet{track: slices.Index(r.desc.Medias, m), sr: sr, at: time.Now()})
		}
	})
	_, err = r.client.Play(nil)
	return r, err
}

func (r *reader) put(p packet) {
	select {
	case r.packets <- p:
	default:
	}
}

// until collects packets until enough says so.
func (r *reader) until(t *testing.T, enough func([]packet) bool) []packet {
	t.Helper()
	timeout := time.After(20 * time.Second)
	var list []packet
	for !enough(list) {
		select {
		case p := <-r.packets:
			list = append(list, p)
		case <-timeout:
			t.Fatalf("timeout with %d packets", len(list))
		}
	}
	return list
}

func demo(t *testing.T) *Clip {
	t.Helper()
	clip, err := DemoClip()
	if err != nil {
		t.Fatal(err)
	}
	return clip
}

// seconds is the instant that a sender report names, since 1900.
func seconds(sr *rtcp.SenderReport) float64 { return float64(sr.NTPTime) / (1 << 32) }

// The clocks of both tracks, as the sender reports tell them, are one clock; and it is this machine's.
func TestClocks(t *testing.T) {
	for name, transport := range map[string]gortsplib.Transport{"tcp": gortsplib.TransportTCP, "udp": gortsplib.TransportUDP} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r, err := read(t, serve(t, Options{Clip: demo(t), ReportInterval: 200 * time.Millisecond}), transport)
			if err != nil {
				t.Fatal(err)
			}
			var reports [2][]packet
			packets := r.until(t, func(list []packet) bool {
				if n := len(list); n > 0 && list[n-1].sr != nil {
					reports[list[n-1].track] = append(reports[list[n-1].track], list[n-1])
				}
				return len(reports[0]) >= 5 && len(reports[1]) >= 5
			})
			for track, rate := range []float64{90000, 48000} {
				checkReports(t, reports[track], rate)
				checkArrival(t, packets, reports[track][0].sr, track, rate)
			}
		})
	}
}

// maxPrompt is by how many seconds the promptest of many packets may be late.
const maxPrompt = 0.5

// checkReports checks that a track's reports agree with each other and with the wall clock.
func checkReports(t *testing.T, reports []packet, rate float64) {
	t.Helper()
	first := reports[0].sr
	prompt := 1e9
	for _, p := range reports {
		ticks := float64(int32(p.sr.RTPTime - first.RTPTime))
		if off := ticks - (seconds(p.sr)-seconds(first))*rate; off < -2 || off > 2 {
			t.Errorf("a report is %v ticks off", off)
		}
		wall := float64(ntpTime(p.at)) / (1 << 32)
		prompt = min(prompt, wall-seconds(p.sr))
	}
	if prompt < -0.01 || prompt > maxPrompt {
		t.Errorf("the promptest report came %v s after its time", prompt)
	}
}

// checkArrival checks that packets came when they were due: their timestamps, read with a report, are when
// they were sent.
func checkArrival(t *testing.T, packets []packet, sr *rtcp.SenderReport, track int, rate float64) {
	t.Helper()
	n, prompt := 0, 1e9
	for _, p := range packets {
		if p.rtp == nil || p.track != track {
			continue
		}
		n++
		due := seconds(sr) + float64(int32(p.rtp.Timestamp-sr.RTPTime))/rate
		prompt = min(prompt, float64(ntpTime(p.at))/(1<<32)-due)
	}
	if prompt < -0.01 || prompt > maxPrompt {
		t.Errorf("track %d: the promptest packet came %v s after its time", track, prompt)
	}
	if n < 20 {
		t.Errorf("track %d: %d packets", track, n)
	}
}

// The joint between two rounds shows neither in sequence numbers nor in timestamps.
func TestJointOnTheWire(t *testing.T) {
	fault := joint(t)
	for tries := 1; fault != "" && tries < 5; tries++ { // what is late on a machine that stands still is left out
		t.Log(fault)
		fault = joint(t)
	}
	if fault != "" {
		t.Error(fault)
	}
}

// joint reads some rounds and tells where they show.
func joint(t *testing.T) string {
	t.Helper()
	r, err := read(t, serve(t, Options{Clip: testClip(t, media.PCMU)}), gortsplib.TransportTCP)
	if err != nil {
		t.Fatal(err)
	}
	packets := r.until(t, func(list []packet) bool { return len(list) >= 120 })
	for i, p := range packets[1:] {
		last := packets[i].rtp
		if p.rtp.SequenceNumber != last.SequenceNumber+1 || p.rtp.Timestamp != last.Timestamp+160 {
			return fmt.Sprintf("packet %d: %v after %v", i+1, p.rtp.Header, last.Header)
		}
	}
	return ""
}

func TestEveryCodecIsDescribedAndSent(t *testing.T) {
	for codec, want := range map[media.Codec]string{
		media.H264:       "H264/90000",
		media.H265:       "H265/90000",
		media.VP8:        "VP8/90000",
		media.VP9:        "VP9/90000",
		media.AV1:        "AV1/90000",
		media.MJPEG:      "JPEG/90000",
		media.MPEG4Video: "MP4V-ES/90000",
		media.Opus:       "opus/48000/2",
		media.PCMU:       "PCMU/8000",
		media.PCMA:       "PCMA/8000",
		media.G722:       "G722/8000",
		media.AAC:        "mpeg4-generic/48000/2",
		media.LPCM:       "L16/48000/2",
	} {
		t.Run(string(codec), func(t *testing.T) {
			t.Parallel()
			r, err := read(t, serve(t, Options{Clip: testClip(t, codec)}), gortsplib.TransportTCP)
			if err != nil {
				t.Fatal(err)
			}
			if f := r.desc.Medias[0].Formats[0]; f.RTPMap() != want {
				t.Errorf("described as %q, want %q", f.RTPMap(), want)
			}
			r.until(t, func(list []packet) bool { return len(list) >= 10 })
		})
	}
}

func TestPassword(t *testing.T) {
	for _, method := range []AuthMethod{Basic, DigestMD5, DigestSHA256} {
		camera := serve(t, Options{Clip: testClip(t, media.PCMU), User: "admin", Password: "s3cret", Auth: []AuthMethod{method}})
		for name, c := range map[string]struct {
			user *url.Userinfo
			ok   bool
		}{
			"right":          {url.UserPassword("admin", "s3cret"), true},
			"wrong password": {url.UserPassword("admin", "secret"), false},
			"wrong user":     {url.UserPassword("root", "s3cret"), false},
			"none":           {nil, false},
		} {
			t.Run(string(method)+" "+name, func(t *testing.T) {
				u, err := url.Parse(camera)
				if err != nil {
					t.Fatal(err)
				}
				u.User = c.user
				_, err = read(t, u.String(), gortsplib.TransportTCP)
				if c.ok != (err == nil) {
					t.Errorf("error is %v", err)
				}
			})
		}
	}
}

func TestTransports(t *testing.T) {
	for name, c := range map[string]struct {
		offered []Transport
		asked   gortsplib.Transport
		status  base.StatusCode // 0: it plays
	}{
		"both, tcp":     {nil, gortsplib.TransportTCP, 0},
		"both, udp":     {nil, gortsplib.TransportUDP, 0},
		"udp only, tcp": {[]Transport{UDP}, gortsplib.TransportTCP, base.StatusUnsupportedTransport},
		"udp only, udp": {[]Transport{UDP}, gortsplib.TransportUDP, 0},
		"tcp only, udp": {[]Transport{TCP}, gortsplib.TransportUDP, base.StatusUnsupportedTransport},
	} {
		t.Run(name, func(t *testing.T) {
			r, err := read(t, serve(t, Options{Clip: testClip(t, media.PCMU), Transports: c.offered}), c.asked)
			if c.status == 0 {
				if err != nil {
					t.Fatal(err)
				}
				r.until(t, func(list []packet) bool { return len(list) > 0 })
				return
			}
			var bad liberrors.ErrClientBadStatusCode
			if !errors.As(err, &bad) || bad.Code != c.status {
				t.Errorf("error is %v", err)
			}
		})
	}
}

func TestPath(t *testing.T) {
	camera := serve(t, Options{Clip: testClip(t, media.PCMU), Path: "/h264/ch1"})
	if _, err := read(t, camera, gortsplib.TransportTCP); err != nil || !strings.HasSuffix(camera, "/h264/ch1") {
		t.Errorf("%s: %v", camera, err)
	}
	var bad liberrors.ErrClientBadStatusCode
	if _, err := read(t, camera+"2", gortsplib.TransportTCP); !errors.As(err, &bad) || bad.Code != base.StatusNotFound {
		t.Errorf("error for another path is %v", err)
	}
}

// A test kills a camera and starts it again where it was.
func TestSamePortAgain(t *testing.T) {
	clip := testClip(t, media.PCMU)
	c, err := New(Options{Clip: clip, Listen: "127.0.0.1:0"})
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Listen(); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- c.Serve(ctx) }()
	r, err := read(t, c.URL(), gortsplib.TransportTCP)
	if err != nil {
		t.Fatal(err)
	}
	cancel()
	if err := <-done; err != nil {
		t.Errorf("serve: %v", err)
	}
	if err := r.client.Wait(); err == nil {
		t.Error("the reader wasn't hung up on")
	}
	again := serve(t, Options{Clip: clip, Listen: c.Addr().String()})
	if _, err := read(t, again, gortsplib.TransportUDP); err != nil || again != c.URL() {
		t.Errorf("%s: %v", again, err)
	}
}

func TestOnceHangsUp(t *testing.T) {
	clip := testClip(t, media.PCMU)
	short := Clip{Tracks: slices.Clone(clip.Tracks)}
	short.Tracks[0].Units = short.Tracks[0].Units[:20]
	camera := serve(t, Options{Clip: &short, Once: true})
	r, err := read(t, camera, gortsplib.TransportTCP)
	if err != nil {
		t.Fatal(err)
	}
	if err := r.client.Wait(); err == nil {
		t.Error("the reader wasn't hung up on")
	}
}

func TestOptionsAreRefused(t *testing.T) {
	clip := testClip(t, media.PCMU)
	for name, o := range map[string]Options{
		"no clip":       {},
		"no units":      {Clip: &Clip{Tracks: []Track{{Period: time.Second}}}},
		"no length":     {Clip: &Clip{Tracks: []Track{{Units: []Unit{{}}}}}},
		"small packets": {Clip: clip, MaxPacketSize: 100},
		"large packets": {Clip: clip, MaxPacketSize: 1500},
		"auth":          {Clip: clip, User: "a", Auth: []AuthMethod{"md4"}},
		"transport":     {Clip: clip, Transports: []Transport{"sctp"}},
	} {
		if _, err := New(o); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	jpeg := testClip(t, media.MJPEG)
	jpeg.Tracks[0].Units[0].Data = [][]byte{[]byte("no JPEG")}
	if _, err := New(Options{Clip: jpeg}); err == nil || !strings.Contains(err.Error(), "video") {
		t.Errorf("error for a unit that can't be sent is %v", err)
	}
	c, err := New(Options{Clip: clip, Listen: "127.0.0.1:0"})
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Listen(); err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	taken, err := New(Options{Clip: clip, Listen: c.Addr().String()})
	if err != nil {
		t.Fatal(err)
	}
	if err := taken.Run(t.Context()); err == nil || !strings.Contains(err.Error(), c.Addr().String()) {
		t.Errorf("error for a taken port is %v", err)
	}
}

// RTSPS, with a reader that takes any certificate.
func TestTLS(t *testing.T) {
	camera := serve(t, Options{Clip: testClip(t, media.H264), TLS: &tls.Config{Certificates: []tls.Certificate{selfSigned(t)}}})
	if !strings.HasPrefix(camera, "rtsps://") {
		t.Errorf("URL is %s", camera)
	}
	r, err := read(t, camera, gortsplib.TransportTCP)
	if err != nil {
		t.Fatal(err)
	}
	r.until(t, func(list []packet) bool { return len(list) >= 10 })
}

func selfSigned(t *testing.T) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

// E45: what the gateway must notice is there: pictures in the order of decoding, with the times of showing.
func TestBFramesOnTheWire(t *testing.T) {
	name, data := testmedia.BFrames()
	r, err := read(t, serve(t, Options{Clip: mustParse(t, name, data)}), gortsplib.TransportTCP)
	if err != nil {
		t.Fatal(err)
	}
	packets := r.until(t, func(list []packet) bool { return len(list) >= 60 })
	reversals := 0
	for i, p := range packets[1:] {
		if int32(p.rtp.Timestamp-packets[i].rtp.Timestamp) < 0 {
			reversals++
		}
	}
	if reversals < 3 {
		t.Errorf("%d reversals", reversals)
	}
}
