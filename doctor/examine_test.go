package doctor

import (
	"errors"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"
)

var durations = regexp.MustCompile(`\bin (\d+ ms|\d+\.\d s)`)

const (
	loopbackUDP = "a 1 udp 2130706431 127.0.0.1 8189 typ host"
	loopbackTCP = "b 1 tcp 1671430143 127.0.0.1 8189 typ host tcptype passive"
	farUDP      = "c 1 udp 2130706430 192.0.2.1 8189 typ host"
)

var relayed = []ICEServer{{URL: "turn:127.0.0.1:3478?transport=udp", Username: "1:a", Credential: "c"}}

// The whole report on a gateway that is well.
func TestHealthy(t *testing.T) {
	f := &fake{candidates: []string{loopbackUDP, loopbackTCP}, servers: relayed}
	got, healthy := f.examine(t, Options{Token: "t"})
	const want = `ok    URL: the gateway at http://127.0.0.1:8889 answers in N ms
ok    clock: that of the gateway and ours agree
ok    login: with the token stream door may be played
ok    addresses: udp 127.0.0.1:8189 (loopback), tcp 127.0.0.1:8189 (loopback)
warn  addresses: loopback alone
      Only this machine can watch. For others, http.listen and webrtc.listen_udp
      have to be on all interfaces, with users, as ` + "`gateway init`" + ` writes them.
      > http.listen = ":8889"
      > webrtc.listen_udp = ":8189"
ok    TURN: turn:127.0.0.1:3478?transport=udp gives the relay 127.0.0.1:50000 in
      3 ms
ok    camera: stream door is ready: h264 640x360, opus
ok    session over udp 127.0.0.1:8189: connected in N ms, picture in N ms
ok    session over tcp 127.0.0.1:8189: connected in N ms, picture in N ms
ok    session over TURN turn:127.0.0.1:3478?transport=udp: connected in N ms,
      picture in N ms

Nothing to mend, 1 to look at.
`
	if got != want || !healthy {
		t.Errorf("healthy %v:\n%s", healthy, got)
	}
}

// breakages are gateways in which one thing is wrong, and what is said of it.
var breakages = map[string]struct {
	fake    *fake
	options Options
	want    string // within the report, in which lines are joined
	healthy bool
}{
	"wrong token": {
		fake:    &fake{answers: map[string]answer{"/api/v1/streams/door": problemOf(401, "invalid_credentials", "Wrong.")}},
		options: Options{Stream: "door", Token: "t"},
		want:    "FAIL login: the token is wrong The gateway knows no such token, or it has expired. A new one, and the line for the configuration, are made by: > gateway hash-password --token",
	},
	"no token": {
		fake:    &fake{answers: map[string]answer{"/api/v1/streams": problemOf(401, "no_credentials", "Wrong.")}},
		options: Options{},
		want:    "FAIL login: nobody gets in without a token Give one, or let everybody play. > --token TOKEN > [[auth.users]]",
	},
	"not this stream": {
		fake:    &fake{answers: map[string]answer{"/api/v1/streams/door": problemOf(403, "forbidden", "Alice may not play door.")}},
		options: Options{Stream: "door", Token: "t"},
		want:    `FAIL login: not for door Alice may not play door. Add the right to the user. > allow = [{ actions = ["play"], streams = ["door"] }]`,
	},
	"no such stream": {
		fake: &fake{answers: map[string]answer{"/api/v1/streams/dor": problemOf(404, "stream_not_found", "None.")}}, options: Options{Stream: "dor"},
		want: `FAIL login: there is no stream dor Is the name spelt right? To have such a stream: > [streams.dor] > source = "rtsp://CAMERA/PATH"`,
	},
	"no stream at all": {
		fake: &fake{answers: map[string]answer{"/api/v1/streams": {status: 200, body: "[]"}}},
		want: "FAIL login: there is no stream to look at None is configured, or none that may be played without a token.",
	},
	"too many wrong logins": {
		fake:    &fake{answers: map[string]answer{"/api/v1/streams/door": problemOf(429, "too_many_logins", "There were too many wrong logins.")}},
		options: Options{Stream: "door", Token: "t"},
		want:    "FAIL login: too many requests or wrong logins There were too many wrong logins. Wait a minute.",
	},
	"mode none, from elsewhere": {
		fake: &fake{answers: map[string]answer{"/healthz": problemOf(403, "not_local", "No.")}},
		want: `lets in its own machine alone Without authorisation (auth.mode = "none") everything is allowed, so nobody else is let in. ` +
			"`gateway init` writes users. > auth.mode = \"internal\"",
	},
	"something else": {
		fake: &fake{answers: map[string]answer{"/healthz": {status: 200, body: "<html>"}}},
		want: "FAIL URL: http://127.0.0.1:8889 is something else",
	},
	"a proxy that passes one path": {
		fake: &fake{answers: map[string]answer{"/readyz": {status: 404, body: "?"}}},
		want: "FAIL URL: http://127.0.0.1:8889 is something else",
	},
	"not ready": {
		fake: &fake{answers: map[string]answer{"/readyz": problemOf(503, "not_ready", "It is starting.")}},
		want: "FAIL URL: the gateway at http://127.0.0.1:8889 is not ready It is starting.",
	},
	"redirects for ever": {
		fake: &fake{answers: map[string]answer{"/healthz": {status: 302, header: http.Header{"Location": {"/elsewhere"}}}}},
		want: "FAIL URL: http://127.0.0.1:8889 is something else",
	},
	"clock": {
		fake: &fake{date: -2 * time.Minute},
		want: "behind ours Tokens that expire and credentials for TURN are taken for ones of another time. Have both machines keep time. > sudo timedatectl set-ntp true",
	},
	"no address": {
		fake: &fake{candidates: []string{}},
		want: `FAIL addresses: none is announced The machine has none besides loopback, or webrtc.interfaces leaves none. A viewer can't connect to nothing. > webrtc.additional_hosts = ["ADDRESS"]`,
	},
	"additional host that leads nowhere": {
		fake: &fake{candidates: []string{farUDP, loopbackUDP}, dead: "192.0.2.1"}, options: Options{Setup: &Setup{Listen: ":8889", AdditionalHosts: []string{"192.0.2.1", "cam.example"}}},
		want: `leave it out. (Some routers do not let a machine reach its own public address: look from outside with --url, too.) > webrtc.additional_hosts = ["cam.example"]`,
	},
	"one address of two": {
		fake: &fake{candidates: []string{farUDP, loopbackUDP}, dead: "192.0.2.1"},
		want: "or announce it no more: leave its interface out, or the host from webrtc.additional_hosts. > sudo ufw allow 8189/udp > webrtc.interfaces = [\"NAME\"]",
	},
	"firewall": {
		fake: &fake{dead: "127.0.0.1", verdict: Verdict{Sentence: "no packet has come", Advice: "open it"}},
		want: `FAIL session over udp 127.0.0.1:8189: not connected within 8.0 s No packet has come. Open it. > sudo ufw allow 8189/udp > webrtc.listen_tcp = "8189"`,
	},
	"firewall, TCP": {
		fake: &fake{candidates: []string{loopbackUDP, loopbackTCP}, dead: " tcp "},
		want: `FAIL session over tcp 127.0.0.1:8189: not connected within 8.0 s No connection could be made to that port. Open it in every firewall on the way. > sudo ufw allow 8189/tcp`,
	},
	"no picture": {
		fake: &fake{blind: true}, want: "connected, but no picture Nothing that can be shown came within 8.0 s. > gateway probe URL",
	},
	"no source": {
		fake: &fake{refused: &RefusedError{Status: 409, Detail: "the camera is off"}},
		want: "FAIL session: the stream has no source The camera is off. > gateway probe URL",
	},
	"full": {
		fake: &fake{refused: &RefusedError{Status: 503, Detail: "It has 1000 sessions."}},
		want: "FAIL session: the gateway can't serve this now It has 1000 sessions. > limits.sessions = 0",
	},
	"TURN with another secret": {
		fake: &fake{servers: relayed, relay: &RelayError{RelayUnauthorized, errors.New("401")}},
		want: "FAIL TURN: turn:127.0.0.1:3478?transport=udp refuses the credentials The secret that makes them is not that of the server " +
			"(coturn: static-auth-secret), or the clocks of the two machines differ. > turn.secret = \"SECRET\"",
	},
	"TURN that does not answer": {
		fake: &fake{servers: relayed, relay: &RelayError{RelayUnreachable, errors.New("no")}}, options: Options{Setup: &Setup{Listen: ":1", Turn: "external"}},
		want: `does not answer Nothing comes back from there: open the port in every firewall on the way, and see that the server runs. > sudo ufw allow 3478/udp > turn.urls = ["turn:HOST:3478?transport=udp"]`,
	},
	"TURN that forbids us": {
		fake: &fake{servers: relayed, relay: &RelayError{RelayForbidden, errors.New("403")}},
		want: "may not reach the media port 403. > allowed-peer-ip=127.0.0.1 # in turnserver.conf",
	},
	"TURN without a certificate": {
		fake: &fake{servers: relayed, relay: &RelayError{RelayCertificate, errors.New("unknown")}}, healthy: true,
		want: "warn TURN: turn:127.0.0.1:3478?transport=udp shows a certificate that is not trusted Viewers get no relay over TLS; the other transports work.",
	},
	"TURN that is full": {
		fake: &fake{servers: relayed, relay: &RelayError{RelayQuota, errors.New("it gives none (486)")}},
		want: "has nothing left It gives none (486). > turn.total_quota = 0 # or ip_quota, user_quota, relay_ports",
	},
	"camera has failed": {
		fake: &fake{answers: map[string]answer{"/api/v1/streams/door": {status: 200, body: `{"name":"door","state":"failed","error":"rtsp://u:secret1@h/ refuses"}`}}}, options: Options{Stream: "door"},
		want: "FAIL camera: stream door has failed rtsp://u:***@h/ refuses. > gateway probe URL # that of streams.door.source",
	},
	"no publisher": {
		fake: &fake{answers: map[string]answer{"/api/v1/streams/door": {status: 200, body: `{"name":"door","state":"failed","publish":true}`}}}, options: Options{Stream: "door"},
		want: "FAIL camera: stream door has no publisher",
	},
	"B-frames": {
		fake: &fake{answers: map[string]answer{"/api/v1/streams/door": {status: 200, body: `{"name":"door","state":"ready","tracks":[{"kind":"video","codec":"h264","b_frames":true}]}`}}}, options: Options{Stream: "door"},
		want: "warn camera: its picture has B-frames", healthy: true,
	},
	"no URL": {fake: &fake{}, options: Options{URL: "ftp://h"}, want: "FAIL URL: it is none of a gateway"},
	"nobody": {fake: &fake{}, options: Options{URL: "http://127.0.0.1:1"}, want: "FAIL URL: nobody answers at http://127.0.0.1:1 Nothing listens on that port."},
}

// Each breakage is named, with what mends it, and no session is left behind.
func TestBreakages(t *testing.T) {
	for name, c := range breakages {
		t.Run(name, func(t *testing.T) {
			got, healthy := c.fake.examine(t, c.options)
			if !strings.Contains(strings.Join(strings.Fields(got), " "), c.want) || healthy != c.healthy {
				t.Errorf("healthy %v:\n%s\nwant %s", healthy, got, c.want)
			}
			for _, s := range []string{"secret1", "Bearer"} {
				if strings.Contains(got, s) {
					t.Errorf("%s is told: %s", s, got)
				}
			}
			for _, line := range strings.Split(got, "\n") {
				if len(line) > reportWidth {
					t.Errorf("%d characters: %s", len(line), line)
				}
			}
		})
	}
}
