package e2e

import (
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"sluice/internal/camera"
	"sluice/internal/testcamera"
	"sluice/media"
)

// TestBadCameras has one gateway with every kind of wrong source: each is told in one sentence that names the stream,
// without its password, and the good stream plays on.
//
// Proves J130, J131, J133, J136, J143 and J162 as an operator sees them.
func TestBadCameras(t *testing.T) {
	t.Parallel()
	good := startCamera(t, camera.Options{Clip: clip(t, media.H264), Path: "/live", User: "viewer", Password: canary})
	web := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(web.Close)
	empty := (&testcamera.Camera{SDP: "v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n"}).Start(t)
	mute := silentListener(t)
	at := func(address string) string { return "rtsp://viewer:" + canaryInURL + "@" + address + "/live" }
	bad := map[string]struct{ source, says string }{
		"wrong-path":     {strings.Replace(withUser(good, "viewer", canaryInURL), "/live", "/other", 1), "check the path"},
		"wrong-password": {withUser(good, "viewer", canaryInURL+"2"), "refuses the user or the password"},
		"no-password":    {good, "asks for a user and password"},
		"closed-port":    {at("127.0.0.1:1"), "refuses the connection"},
		"no-host":        {at("camera.invalid"), "camera.invalid"},
		"web-server":     {at(web.Listener.Addr().String()), "speaks HTTP, not RTSP"},
		"no-media":       {at(empty.Address()), "offers no track at all"},
		"silent":         {at(mute), "no answer from the camera"},
	}
	config := "streams.good.source = \"" + withUser(good, "viewer", canaryInURL) + "\"\n"
	for name, b := range bad {
		config += fmt.Sprintf("streams.%s = { source = %q, read_timeout = \"2s\" }\n", name, b.source)
	}
	g := startGateway(t, config)
	v := g.watch(t, "good")
	var told []string
	for name, b := range bad {
		eventually(t, cameraLimit, func() string {
			s := g.stream(t, name)
			_, why := g.ask(t, name)
			if !strings.Contains(s.Error, b.says) || why == nil || !strings.Contains(why.Detail, b.says) {
				return fmt.Sprintf("stream %s is %s and says %q; a viewer is told %+v; want %q", name, s.State, s.Error, why, b.says)
			}
			told = append(told, why.Detail)
			return ""
		})
		eventually(t, listenLimit, func() string {
			log := g.warnings(name)
			if says := func(line string) bool { return strings.Contains(line, b.says) }; !slices.ContainsFunc(log, says) {
				return fmt.Sprintf("the log says of stream %s: %q, want %q", name, log, b.says)
			}
			return ""
		})
	}
	p := openBrowser(t, chromium).open(t, g.page("wrong-password"))
	told = append(told, p.awaitBanner("waiting", playLimit, "refuses the user or the password").Text)
	index := openBrowser(t, chromium).open(t, g.URL)
	told = append(told, index.awaitText(playLimit, "speaks HTTP").Text)
	g.checkSecret(t, told...)

	seen := len(v.snapshot(media.Video).packets)
	v.awaitMore(t, media.Video, seen+30, packetLimit)
	v.close()
	checkPackets(t, media.Video, v.snapshot(media.Video).packets)
}

// warnings are the lines of the log that warn of a stream.
func (g *gatewayProcess) warnings(stream string) []string {
	var all []string
	for line := range strings.Lines(g.output.String()) {
		if strings.Contains(line, "WARN") && strings.Contains(line, "stream="+stream+" ") {
			all = append(all, line)
		}
	}
	return all
}

// silentListener takes connections and says nothing.
func silentListener(t *testing.T) (address string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	return l.Addr().String()
}

// TestBadConfiguration starts the gateway with what it cannot run: it ends with 1 and one sentence for each fault.
//
// Proves J151, J152, J153, J154, J157, J159, J160 and J162 at the command line.
func TestBadConfiguration(t *testing.T) {
	t.Parallel()
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = taken.Close() }) // after the subtests
	takenUDP, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = takenUDP.Close() })
	secret := "streams.door.source = \"rtsp://viewer:" + canaryInURL + "@127.0.0.1/live"
	_, udpPort, _ := net.SplitHostPort(takenUDP.LocalAddr().String()) // an address has a port
	for name, c := range map[string]struct {
		config string
		says   []string
	}{
		"truncated":       {globals + secret, []string{"config.toml:4"}},
		"unknown key":     {globals + secret + "\"\nhttp.lisen = 1\n", []string{"config.toml:5:6: http.lisen", "did you mean listen"}},
		"wrong type":      {globals + "http.allow_origins = 4\n" + secret + "\"\nlog.level = 5\n", []string{"http.allow_origins", "log.level"}},
		"port taken":      {"http.listen = \"" + taken.Addr().String() + "\"\nwebrtc.listen_udp = \"0\"\n" + secret + "\"\n", []string{"http.listen", taken.Addr().String(), "in use"}},
		"UDP port taken":  {"http.listen = \"127.0.0.1:0\"\nwebrtc.listen_udp = \"" + udpPort + "\"\n" + secret + "\"\n", []string{"webrtc.listen_udp", udpPort, "in use"}},
		"not loopback":    {"http.listen = \"0.0.0.0:0\"\n" + secret + "\"\n", []string{"http.listen", `auth.mode = "none"`}},
		"UDP not local":   {"http.listen = \"127.0.0.1:0\"\nwebrtc.listen_udp = \":0\"\n", []string{"webrtc.listen_udp", `auth.mode = "none"`}},
		"bad stream name": {globals + "streams.\"a b\".source = \"demo:\"\n", []string{"a b"}},
		"bad source":      {globals + "streams.door.source = \"rtsp://viewer:" + canary + "%zz@h/\"\n", []string{"streams.door.source"}},
		"missing secret":  {globals + "streams.door.source = \"rtsp://u:${SLUICE_E2E_NONE}@h/\"\n", []string{"streams.door.source", "SLUICE_E2E_NONE"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := start(t, "gateway", command(program, "--config", writeConfig(t, c.config)))
			if code := p.exit(listenLimit); code != 1 {
				t.Errorf("it ended with %d, want 1", code)
			}
			out := p.output.String()
			for _, words := range c.says {
				if !strings.Contains(out, words) {
					t.Errorf("it does not say %q but\n%s", words, out)
				}
			}
			if strings.Contains(out, "goroutine") || strings.Contains(out, "canary") || strings.Contains(out, "Open http") {
				t.Errorf("it says what it should not:\n%s", out)
			}
		})
	}
}

// TestReadableSecret warns of a password that every user of the machine can read (J157).
func TestReadableSecret(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "config.toml")
	text := globals + "streams.door.source = \"rtsp://viewer:" + canaryInURL + "@127.0.0.1:1/live\"\n"
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	g := &gatewayProcess{process: start(t, "gateway", command(program, "--config", path))}
	g.URL = g.await(t, `Open (http://\S+) in a browser`, listenLimit)
	g.await(t, `WARN.*streams\.door\.source`, listenLimit)
	g.checkSecret(t)
	g.stop(t)
}
