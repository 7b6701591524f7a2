package gateway_test

import (
	"context"
	"log/slog"
	"strings"
	"testing"
	"time"

	"sluice/config"
	"sluice/gateway"
)

// examine has the doctor look at a gateway, and returns its report with its lines joined.
func examine(t *testing.T, r *running, o gateway.DoctorOptions) (report string, healthy bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	var b strings.Builder
	o.URL, o.Out, o.Version, o.Log = r.url, &b, "test", slog.New(slog.DiscardHandler)
	healthy, err := gateway.Doctor(ctx, o)
	if err != nil {
		t.Fatal(err)
	}
	return strings.Join(strings.Fields(b.String()), " "), healthy
}

func parsed(t *testing.T, toml string) *config.Config {
	t.Helper()
	c, _, err := config.Parse([]byte(toml), "test.toml", nil)
	if err != nil {
		t.Fatal(err)
	}
	return &c
}

func wants(t *testing.T, report string, all ...string) {
	t.Helper()
	for _, want := range all {
		if !strings.Contains(report, want) {
			t.Errorf("%s\ndoes not say: %s", report, want)
		}
	}
}

// A gateway that is well: each address, TCP and each transport of TURN carries a picture, and no session stays.
func TestDoctorFindsNothing(t *testing.T) {
	const toml = "[streams.demo]\nsource = \"demo:\"\n"
	r := start(t, "listen_tcp = \"0\"\n"+"[turn]\nmode = \"embedded\"\nsecret = \"0123456789abcdef\"\nlisten_udp = \"0\"\nlisten_tcp = \"0\"\n"+toml)
	eventually(t, "the stream is ready", func() bool { return streamReady(t, r, "demo") })
	report, healthy := examine(t, r, gateway.DoctorOptions{Config: parsed(t, toml), File: "test.toml"})
	if !healthy || strings.Contains(report, "FAIL") {
		t.Errorf("it is not well: %s", report)
	}
	wants(t, report, "ok configuration: test.toml is valid, with 1 stream", "ok URL: the gateway at "+r.url, "ok clock:",
		"ok login: without a token stream demo may be played", "ok STUN: stun:127.0.0.1:", "?transport=udp gives the relay 127.0.0.1:",
		"?transport=tcp gives the relay 127.0.0.1:", "ok camera: stream demo is ready: h264 1280x720, opus",
		"ok session over udp 127.0.0.1:", "ok session over tcp 127.0.0.1:")
	if n := strings.Count(report, "ok session over TURN turn:127.0.0.1:"); n != 2 {
		t.Errorf("%d sessions through relays: %s", n, report)
	}
	var sessions []struct{ State string }
	r.get(t, "/api/v1/sessions", &sessions)
	for _, s := range sessions {
		if s.State != "closed" { // one is remembered, since it was never connected
			t.Errorf("a session was left behind: %+v", s)
		}
	}
}

func streamReady(t *testing.T, r *running, name string) bool {
	t.Helper()
	var s struct{ State string }
	r.get(t, "/api/v1/streams/"+name, &s)
	return s.State == "ready"
}

// What is broken is named, with the line that mends it.
func TestDoctorFindsBreakages(t *testing.T) {
	const users = "[auth]\nmode = \"internal\"\n[[auth.users]]\nname = \"alice\"\npassword = \"\"\ntokens = [\"sha256:2b7136c72b01f7efe189a842a59fd1eae022df2be0949920d26bd53512ac1138\"]\n" +
		"allow = [{ actions = [\"play\"], streams = [\"demo\"] }]\n"
	const demo = "[streams.demo]\nsource = \"demo:\"\n"
	other := start(t, "[turn]\nmode = \"embedded\"\nsecret = \"0123456789abcdef\"\nlisten_udp = \"0\"\nlisten_tcp = \"\"\n"+demo)
	there, healthy := examine(t, other, gateway.DoctorOptions{Stream: "nope"})
	if healthy {
		t.Error("a stream that is not there is none to fail")
	}
	wants(t, there, "FAIL login: there is no stream nope", "> [streams.nope]")

	turn := other.turnURL(t)
	for _, c := range []struct {
		name, toml string
		options    gateway.DoctorOptions
		want       []string
	}{
		{
			"wrong token", users + demo,
			gateway.DoctorOptions{Stream: "demo", Token: "not-alice"},
			[]string{"FAIL login: the token is wrong", "> gateway hash-password --token"},
		},
		{
			"another's stream", users + demo,
			gateway.DoctorOptions{Stream: "garden", Token: "DZMB5IV62VAWZCCFN3NL6MMC34"},
			[]string{"FAIL login: not for garden", `> allow = [{ actions = ["play"], streams = ["garden"] }]`},
		},
		{
			"TURN with another secret", "[turn]\nmode = \"external\"\nsecret = \"fedcba9876543210\"\nurls = [\"" + turn + "\"]\n" + demo,
			gateway.DoctorOptions{},
			[]string{"FAIL TURN: " + turn + " refuses the credentials", `> turn.secret = "SECRET"`, "ok session over udp 127.0.0.1:"},
		},
		{
			"address that leads nowhere", "additional_hosts = [\"192.0.2.1\"]\n" + demo,
			gateway.DoctorOptions{Config: parsed(t, "webrtc.additional_hosts = [\"192.0.2.1\"]\n")},
			[]string{"FAIL session over udp 192.0.2.1:", "not connected within 8.0 s It stands in webrtc.additional_hosts", "> webrtc.additional_hosts = []", "ok session over udp 127.0.0.1:"},
		},
		{
			"camera that is off", "[streams.cam]\nsource = \"rtsp://127.0.0.1:1/live\"\n",
			gateway.DoctorOptions{Config: parsed(t, "[streams.cam]\nsource = \"rtsp://127.0.0.1:1/live\"\n")},
			[]string{"FAIL camera: stream cam has failed 127.0.0.1:1 refuses the connection", "> gateway probe URL", "FAIL camera: it can't be reached from here"},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := start(t, c.toml)
			if strings.Contains(c.toml, "demo:") && c.options.Token == "" {
				eventually(t, "the stream is ready", func() bool { return streamReady(t, r, "demo") })
			}
			report, healthy := examine(t, r, c.options)
			if healthy {
				t.Error("nothing was found")
			}
			wants(t, report, c.want...)
		})
	}
}

// turnURL is where a gateway's TURN server is.
func (r *running) turnURL(t *testing.T) string {
	t.Helper()
	var ice struct {
		ICEServers []struct{ URLs []string } `json:"ice_servers"`
	}
	_, body := r.get(t, "/api/v1/ice", nil)
	r.get(t, "/api/v1/ice", &ice)
	for _, s := range ice.ICEServers {
		for _, url := range s.URLs {
			if strings.HasPrefix(url, "turn:") {
				return url
			}
		}
	}
	t.Fatalf("no TURN server in %s", body)
	return ""
}
