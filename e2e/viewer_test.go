package e2e

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pion/rtp"
	"github.com/pion/webrtc/v4"

	"sluice/internal/testviewer"
	"sluice/media"
)

const packetLimit = 40 * time.Second // for enough packets to come

// viewer watches a stream with pion and keeps every packet.
type viewer struct {
	connection *webrtc.PeerConnection
	socket     *peerSocket
	location   string      // of the session
	answer     string      // SDP
	header     http.Header // of the 201
	readers    sync.WaitGroup
	closed     chan struct{} // closed when the gateway has ended the connection

	mu       sync.Mutex
	received map[media.Kind]*reception // guarded by mu
	gone     bool                      // guarded by mu; no reader starts any more
}

// reception is what came of one track.
type reception struct {
	codec   webrtc.RTPCodecParameters
	packets []*rtp.Packet
}

// problem is a refusal of the gateway.
type problem struct {
	Status              int
	Type, Title, Detail string
	RetryAfter          string `json:"-"`
}

// viewerOptions are the ways in which a viewer differs from an ordinary one.
type viewerOptions struct {
	lite   bool                       // it only answers checks
	tcp    bool                       // it gets no UDP through
	data   bool                       // it wants a data channel too
	mangle func(offer string) string  // of what is sent; pion itself keeps the offer as it was
	accept func(answer string) string // of what it is answered
}

// watch plays a stream until the end of the test.
func (g *gatewayProcess) watch(t *testing.T, stream string) *viewer {
	t.Helper()
	return g.watchAs(t, stream, viewerOptions{})
}

// watchAs is watch for a viewer with options. One whose source is not there yet asks again when it is told to, as the
// player page does.
func (g *gatewayProcess) watchAs(t *testing.T, stream string, o viewerOptions) *viewer {
	t.Helper()
	deadline := time.Now().Add(packetLimit)
	for {
		v, refused := g.askAs(t, stream, o)
		if refused == nil {
			return v
		}
		again, err := strconv.Atoi(refused.RetryAfter)
		if refused.Status != http.StatusConflict || err != nil || time.Now().After(deadline) {
			t.Fatalf("POST /%s/whep: %+v; log:\n%s", stream, *refused, g.output)
		}
		time.Sleep(time.Duration(again) * time.Second)
	}
}

// ask asks for a stream as a browser does, with the offer of a viewer that knows every codec. A query may stand
// behind the stream's name.
func (g *gatewayProcess) ask(t *testing.T, stream string) (*viewer, *problem) {
	t.Helper()
	return g.askAs(t, stream, viewerOptions{})
}

func (g *gatewayProcess) askAs(t *testing.T, stream string, o viewerOptions) (*viewer, *problem) {
	t.Helper()
	stream, query, _ := strings.Cut(stream, "?")
	v := newViewer(t, o)
	offer := v.offer(t)
	if o.mangle != nil {
		offer = o.mangle(offer)
	}
	answer, refused := v.post(t, g.whep(stream)+"?"+query, offer)
	if refused != nil {
		v.close()
		return nil, refused
	}
	if o.accept != nil {
		answer = o.accept(answer)
	}
	v.answer = answer
	if err := v.connection.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeAnswer, SDP: answer}); err != nil {
		t.Fatalf("the answer is not understood: %v:\n%s", err, answer)
	}
	return v, nil
}

// newViewer is a viewer without a session.
func newViewer(t *testing.T, o viewerOptions) *viewer {
	t.Helper()
	v := &viewer{closed: make(chan struct{}), received: make(map[media.Kind]*reception)}
	v.connect(t, o)
	v.follow(t)
	return v
}

// follow keeps what comes until the end of the test.
func (v *viewer) follow(t *testing.T) {
	t.Helper()
	t.Cleanup(v.close)
	v.connection.OnTrack(v.read)
	var once sync.Once
	v.connection.OnConnectionStateChange(func(s webrtc.PeerConnectionState) {
		if s == webrtc.PeerConnectionStateClosed || s == webrtc.PeerConnectionStateFailed {
			once.Do(func() { close(v.closed) })
		}
	})
}

// connect makes the viewer's connection, which has no addresses before there is an offer.
func (v *viewer) connect(t *testing.T, o viewerOptions) {
	t.Helper()
	codecs := &webrtc.MediaEngine{}
	if err := codecs.RegisterDefaultCodecs(); err != nil {
		t.Fatal(err)
	}
	settings := webrtc.SettingEngine{}
	settings.SetLite(o.lite)
	settings.SetIncludeLoopbackCandidate(true)
	if o.tcp {
		settings.SetNetworkTypes([]webrtc.NetworkType{webrtc.NetworkTypeTCP4})
	} else {
		v.socket = useSocket(t, &settings)
	}
	var err error
	v.connection, err = webrtc.NewAPI(webrtc.WithMediaEngine(codecs), webrtc.WithSettingEngine(settings)).NewPeerConnection(webrtc.Configuration{})
	if err == nil && o.data {
		_, err = v.connection.CreateDataChannel("chat", nil)
	}
	if err != nil {
		t.Fatal(err)
	}
}

func (v *viewer) offer(t *testing.T) string {
	t.Helper()
	for _, kind := range []webrtc.RTPCodecType{webrtc.RTPCodecTypeVideo, webrtc.RTPCodecTypeAudio} {
		only := webrtc.RTPTransceiverInit{Direction: webrtc.RTPTransceiverDirectionRecvonly}
		if _, err := v.connection.AddTransceiverFromKind(kind, only); err != nil {
			t.Fatal(err)
		}
	}
	sdp, err := testviewer.Offer(v.connection, nil)
	if err != nil {
		t.Fatal(err)
	}
	return sdp
}

// post sends the offer. The answer is a 201 with all that WHEP wants, or a problem document.
func (v *viewer) post(t *testing.T, endpoint, offer string) (answer string, refused *problem) {
	t.Helper()
	v.location, answer, v.header, refused = postOffer(t, endpoint, offer)
	return answer, refused
}

func readAll(t testing.TB, r io.Reader) string {
	t.Helper()
	b, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// problemOf is what a refusal says, which has to be a problem document.
func problemOf(t testing.TB, r *http.Response, body []byte) *problem {
	t.Helper()
	p := &problem{RetryAfter: r.Header.Get("Retry-After")}
	if err := json.Unmarshal(body, p); err != nil || r.Header.Get("Content-Type") != "application/problem+json" || p.Status != r.StatusCode {
		t.Errorf("status %d is not told by a problem document but %q", r.StatusCode, body)
	}
	p.Status = r.StatusCode
	return p
}

// read keeps the packets of a track until it ends.
func (v *viewer) read(track *webrtc.TrackRemote, _ *webrtc.RTPReceiver) {
	in := &reception{codec: track.Codec()}
	v.mu.Lock()
	if v.gone {
		v.mu.Unlock()
		return
	}
	v.received[media.Kind(track.Kind().String())] = in
	v.readers.Add(1)
	v.mu.Unlock()
	defer v.readers.Done()
	for {
		p, _, err := track.ReadRTP()
		if err != nil {
			return
		}
		v.mu.Lock()
		in.packets = append(in.packets, p)
		v.mu.Unlock()
	}
}

// snapshot is what has come of a track so far; without packets if it has not begun.
func (v *viewer) snapshot(kind media.Kind) reception {
	v.mu.Lock()
	defer v.mu.Unlock()
	if in := v.received[kind]; in != nil {
		return reception{codec: in.codec, packets: in.packets[:len(in.packets):len(in.packets)]}
	}
	return reception{}
}

// awaitPackets waits until a track has brought a number of packets.
func (v *viewer) awaitPackets(t *testing.T, kind media.Kind, n int) {
	t.Helper()
	v.awaitMore(t, kind, n, packetLimit)
}

// awaitMore waits until a track has brought n packets in all.
func (v *viewer) awaitMore(t *testing.T, kind media.Kind, n int, limit time.Duration) {
	t.Helper()
	eventually(t, limit, func() string {
		if got := len(v.snapshot(kind).packets); got < n {
			return fmt.Sprintf("%d packets of %s, want %d (connection %s)", got, kind, n, v.connection.ConnectionState())
		}
		return ""
	})
}

// awaitFrames waits until a video track has brought whole pictures, told by their markers.
func (v *viewer) awaitFrames(t *testing.T, n int) {
	t.Helper()
	eventually(t, packetLimit, func() string {
		got := 0
		for _, p := range v.snapshot(media.Video).packets {
			if p.Marker {
				got++
			}
		}
		if got < n {
			return fmt.Sprintf("%d pictures, want %d (connection %s)", got, n, v.connection.ConnectionState())
		}
		return ""
	})
}

// close leaves without a word to the gateway, as a browser that is switched off.
func (v *viewer) close() {
	v.mu.Lock()
	v.gone = true
	v.mu.Unlock()
	_ = v.connection.Close() // may be closed
	v.readers.Wait()
}

// request sends a request without a body to the session's URL and returns the status.
func (v *viewer) request(t *testing.T, method string) int {
	t.Helper()
	q, err := http.NewRequestWithContext(t.Context(), method, v.location, nil)
	if err != nil {
		t.Fatal(err)
	}
	r, err := client.Do(q)
	if err != nil {
		t.Fatal(err)
	}
	_ = r.Body.Close()
	return r.StatusCode
}
