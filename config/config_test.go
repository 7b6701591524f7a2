package config

import (
	"errors"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
)

// J150.
func TestEmptyFileIsDefault(t *testing.T) {
	for name, text := range map[string]string{"nothing": "", "BOM": "\xef\xbb\xbf", "comment": "# nothing\r\n", "empty tables": "[http]\n[streams]\n"} {
		t.Run(name, func(t *testing.T) {
			c, warnings, err := Parse([]byte(text), "config.toml", nil)
			if err != nil || len(warnings) > 0 {
				t.Fatal(err, warnings)
			}
			want := Default()
			if c.Streams = nil; !reflect.DeepEqual(c, want) {
				t.Errorf("got %+v, want %+v", c, want)
			}
		})
	}
}

func TestParseSetsEveryKey(t *testing.T) {
	c, warnings, err := Parse(read(t, "testdata/full.good.toml"), "full.good.toml", nil)
	if err != nil {
		t.Fatal(err)
	}
	before := Default()
	for i, l := range c.globals() {
		if reflect.DeepEqual(l.value.Interface(), before.globals()[i].value.Interface()) {
			t.Errorf("%s has its default", l.key)
		}
	}
	want := Stream{
		Source: "rtsps://user:p%40ss@cam.example.org:322/stream1", Transport: TransportTCP, OnDemand: true, ReadTimeout: 3 * time.Second,
		TLSFingerprint: "abcd00112233445566778899aabbccddeeff00112233445566778899aabbccdd", Start: StartGOP, OnConflict: ConflictReplace,
		Transcode: TranscodeNever,
		Push:      []Push{{URL: "whips://other.example.org/door/whip?a=b", Token: "t0"}, {URL: "whip://192.0.2.1:8889/door/whip"}},
	}
	if !reflect.DeepEqual(c.Streams["door"], want) {
		t.Errorf("door: got %+v, want %+v", c.Streams["door"], want)
	}
	wantServers := []ICEServer{
		{URLs: []string{"stun:stun.example.org:3478"}},
		{URLs: []string{"turn:[2001:db8::2]?transport=udp", "turns:turn.example.org:443?transport=tcp"}, Username: "u", Credential: "pw="},
	}
	if !reflect.DeepEqual(c.WebRTC.ICEServers, wantServers) {
		t.Errorf("ice_servers: %+v", c.WebRTC.ICEServers)
	}
	remote, studio := c.Streams["remote"], c.Streams["studio"]
	if remote.Source != "wheps://host.example.org/a/whep?b=c" || remote.Token != "t1" || studio.Source != PublishSource || studio.OnConflict != ConflictReject || studio.Push[0].Token != "t2" {
		t.Errorf("remote: %#v, studio: %#v", remote, studio)
	}
	if c.Streams["Door"].Start != StartKeyframe || c.Streams["cam-*"].Start != StartKeyframe || remote.Start != StartGOP {
		t.Errorf("starts: %+v", c.Streams)
	}
	test := c.Streams["test"]
	wantRenditions := map[string]Rendition{"low": {Height: 360, FPS: 15, MaxBitrateKbps: 500}, "0-thin_": {MaxBitrateKbps: 64}}
	if test.Transcode != TranscodeAlways || test.Process != "clockoverlay ! textoverlay text=\"a ' b\"" || !reflect.DeepEqual(test.Renditions, wantRenditions) {
		t.Errorf("test: %+v", test)
	}
	if test.Pipeline() != "videotestsrc is-live=true\n  ! timeoverlay" || test.SinkPipeline() != "fakesink" || test.Device() != "" {
		t.Errorf("pipelines: %q, %q", test.Pipeline(), test.SinkPipeline())
	}
	if desk := c.Streams["desk"]; desk.Device() != "screen?id=:99&width=1280&height=720&fps=15" || desk.Pipeline()+desk.SinkPipeline() != "" {
		t.Errorf("desk: %+v", desk)
	}
	if len(c.Streams) != 11 || !c.Streams["inline"].OnDemand || c.Streams["dotted"].ReadTimeout != 10*time.Second {
		t.Errorf("streams: %+v", c.Streams)
	}
	var doubted []string
	for _, w := range warnings {
		doubted = append(doubted, w.Key)
	}
	if want := []string{"http.tls_cert", "auth.jwt", "auth.http", "streams.Door.tls_insecure"}; !slices.Equal(doubted, want) {
		t.Errorf("warnings: %v", warnings)
	}
}

func TestValidateNeedsNoFile(t *testing.T) {
	c := Default()
	if err := c.Validate(); err != nil {
		t.Fatalf("the defaults: %v", err)
	}
	c.Log.Level = "loud"
	c.Streams = map[string]Stream{"a": {Source: "demo:", Transport: TransportAuto, ReadTimeout: time.Second, Start: StartKeyframe, OnConflict: ConflictReject, Transcode: TranscodeAuto}, "b": DefaultStream()}
	var faults Faults
	if err := c.Validate(); !errors.As(err, &faults) || len(faults) != 2 {
		t.Fatalf("got %v", err)
	}
	want := "log.level: \"loud\" is not one of debug, info, warn, error\nstreams.b.source: is missing: add source = \"rtsp://...\", \"publish\" or \"demo:\""
	if faults.Error() != want {
		t.Errorf("got:\n%s\nwant:\n%s", faults, want)
	}
	var first Fault
	if !errors.As(error(faults), &first) || first.Key != "log.level" {
		t.Errorf("first fault: %+v", first)
	}
}

func TestDoubts(t *testing.T) {
	print64 := strings.Repeat("ab", 32)
	const (
		internal = "[auth]\nmode = \"internal\"\n"
		anybody  = `users = [{ name = "anonymous", allow = [{ actions = ["play"], streams = ["*"] }] }]`
		turn     = `listen_udp = "3478", listen_tcp = "", secret = "0123456789abcdef"`
	)
	for _, tc := range []struct{ name, text, want string }{
		{"no bound", "limits.ring_max_age = \"0s\"\nlimits.ring_max_mib = 0", "c.toml:2:8: limits.ring_max_mib: with ring_max_age 0 too"},
		{"fingerprint without TLS", `streams.a = { source = "rtsp://cam/", tls_fingerprint = "` + print64 + `" }`, "streams.a.tls_fingerprint: does nothing: the source is not rtsps://"},
		{"insecure without TLS", `streams.a = { source = "demo:", tls_insecure = true }`, "streams.a.tls_insecure: does nothing: the source is not rtsps://"},
		{"both", `streams.a = { source = "rtsps://cam/", tls_insecure = true, tls_fingerprint = "` + print64 + `" }`, "streams.a.tls_insecure: does nothing beside tls_fingerprint"},
		{"token without WHEP", `streams.a = { source = "publish", token = "x" }`, "streams.a.token: does nothing: the source is neither whep:// nor wheps://"},
		{"conflict without publishers", `streams.a = { source = "demo:", on_conflict = "reject" }`, "streams.a.on_conflict: does nothing: the source is not \"publish\""},
		{"publisher on demand", `streams.a = { source = "publish", on_demand = true }`, "streams.a.on_demand: does nothing: a publisher comes when it likes"},
		{"one place for many streams", `streams."a*" = { source = "publish", push = [{ url = "whip://b/${stream}" }, { url = "whip://b/c" }] }`, "streams.\"a*\".push[1].url: is the same for every stream of the pattern"},
		{"process that is never", `streams.a = { source = "demo:", transcode = "never", process = "clockoverlay" }`, "streams.a.process: keeps the picture from every viewer beside transcode = \"never\""},
		{"renditions that are never", `streams.a = { source = "demo:", transcode = "never", renditions.low.height = 360 }`, "streams.a.renditions: do nothing beside transcode = \"never\""},
		{"one sink for many streams", `streams."a*" = { source = "publish", sink = "gst:fakesink" }`, "streams.\"a*\".sink: is the same for every stream of the pattern"},
		{"publisher made anew", `streams.a = { source = "publish", transcode = "always", process = "clockoverlay", sink = "gst:fakesink", renditions.low.height = 360 }`, ""},
		{"all that a publisher's stream can have", `streams.a = { source = "publish", on_conflict = "reject", push = [{ url = "whip://b/c" }] }`, ""},
		{"no users", "auth.mode = \"internal\"", `c.toml:1:6: auth.mode: without [[auth.users]] nobody may do anything: ` + "`gateway init`"},
		{"users of another mode", `auth.users = [{ name = "anonymous", allow = [{ actions = ["play"], streams = ["*"] }] }]`, `auth.users: do nothing: auth.mode is not "internal"`},
		{"nobody can be that", internal + `users = [{ name = "a", allow = [{ actions = ["admin"] }] }]`, `auth.users[0].name: "a" has neither a password nor tokens`},
		{"may do nothing", internal + `users = [{ name = "anonymous" }]`, `auth.users[0].name: "anonymous" may do nothing`},
		{"everybody may all", internal + `users = [{ name = "anonymous", allow = [{ actions = ["play", "admin"], streams = ["*"] }] }]`, "auth.users[0].allow[0].actions: let everybody who reaches the gateway change everything"},
		{"admin of some streams", internal + `users = [{ name = "anonymous", allow = [{ actions = ["metrics"], streams = ["a"] }] }]`, "auth.users[0].allow[0].streams: keep admin and metrics from being allowed"},
		{"JWT of another mode", `auth.jwt.issuer = "x"`, `auth.jwt: does nothing: auth.mode is not "jwt"`},
		{"callback of another mode", `auth.http.url = "https://x"`, `auth.http: does nothing: auth.mode is not "http"`},
		{"keys over plain HTTP", "auth = { mode = \"jwt\", jwt.jwks_url = \"http://id.example.org/\" }", "auth.jwt.jwks_url: is plain HTTP to another machine"},
		{"keys of this machine", "auth = { mode = \"jwt\", jwt.jwks_url = \"http://localhost:80/\" }", ""},
		{"callback over plain HTTP", "auth = { mode = \"http\", http.url = \"http://192.0.2.1/\" }", "auth.http.url: is plain HTTP to another machine"},
		{"callback of this machine", "auth = { mode = \"http\", http.url = \"http://[::1]:80/\" }", ""},
		{"plain HTTP for all", "http.listen = \":8889\"\n" + internal + anybody, "http.listen: is plain HTTP that other machines reach"}, // A96
		{"HTTPS for all", "http = { listen = \":8889\", tls = \"self-signed\" }\n" + internal + anybody, ""},
		{"plain HTTP behind a proxy", "http = { listen = \":8889\", trusted_proxies = [\"10.0.0.1\"] }\n" + internal + anybody, ""},
		{"all origins", `http.allow_origins = ["https://a.example", "*"]`, `http.allow_origins: with "*" and auth.mode = "none" every page`}, // I43
		{"all origins, with logins", "http.allow_origins = [\"*\"]\n" + internal + anybody, ""},
		{"everybody is a proxy", `http.trusted_proxies = ["::/0"]`, "http.trusted_proxies: has a network of all addresses"},
		{"certificate beside ACME", `http = { tls = "self-signed", tls_cert = "a", tls_key = "b" }`, `http.tls_cert: does nothing beside tls = "self-signed"`},
		{"names without ACME", `http.acme_hosts = ["a.example.org"]`, `http.acme_hosts: do nothing: http.tls is not "acme"`},
		{"shared port without TURN", `turn.share_https = true`, `turn.share_https: does nothing: turn.mode is not "embedded"`},
		{"shared port without TLS", "turn = { mode = \"embedded\", share_https = true, " + turn + " }", "turn.share_https: does nothing: [http] has no TLS"},
		{"URLs without TURN", "turn.urls = [\"turn:a\"]", `turn.urls: do nothing: turn.mode is "off"`},
		{"URLs of our own", "turn = { mode = \"embedded\", urls = [\"turn:a\"], " + turn + " }", ""},
		{"few ports", "turn = { mode = \"embedded\", relay_ports = \"50000-50009\", " + turn + " }", "turn.relay_ports: has 10 ports for a total_quota of 1000"},
		{"relays to everywhere", "turn = { mode = \"embedded\", allow_peers = [\"0.0.0.0/0\"], " + turn + " }", "turn.allow_peers: has a network of all addresses"},
		{"one", `streams.a = { source = "rtsps://cam/", tls_insecure = true }`, ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, warnings, err := Parse([]byte(tc.text), "c.toml", nil)
			if err != nil {
				t.Fatal(err)
			}
			if tc.want == "" && len(warnings) == 0 {
				return
			}
			if tc.want == "" || len(warnings) != 1 || !strings.Contains(warnings[0].String(), tc.want) {
				t.Errorf("got %v, want %q", warnings, tc.want)
			}
		})
	}
}

// Bounds are read from struct tags, where the compiler does not look.
func TestTagsSuitTheirFields(t *testing.T) {
	c, s := Default(), DefaultStream()
	all := append(c.globals(), leaves("stream", reflect.ValueOf(&s).Elem())...)
	for _, l := range append(all, leaves("rendition", reflect.ValueOf(Rendition{}))...) {
		for _, name := range []string{"min", "max"} {
			if bound, ok := l.tag.Lookup(name); ok {
				if message := setScalar(reflect.New(l.value.Type()).Elem(), bound); message != "" {
					t.Errorf("%s of %s: %s", name, l.key, message)
				}
			}
		}
		if _, ok := l.tag.Lookup("min"); !ok && l.value.CanInt() {
			t.Errorf("%s has no lower bound", l.key)
		}
	}
}
