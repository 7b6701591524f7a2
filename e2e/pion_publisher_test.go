package e2e

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pion/interceptor"
	"github.com/pion/rtcp"
	"github.com/pion/rtp"
	"github.com/pion/rtp/codecs"
	"github.com/pion/sdp/v3"
	"github.com/pion/webrtc/v4"
	"github.com/pion/webrtc/v4/pkg/media/h264reader"

	"sluice/internal/testviewer"
	"sluice/media"
)

// pionPublisher publishes H264 by WHIP with pion. What is odd about it, its options say.
type pionPublisher struct {
	connection   *webrtc.PeerConnection
	socket       *peerSocket
	resource     string
	answer       string
	connected    chan struct{} // closed once it is
	closed       chan struct{} // closed when the gateway has ended the connection
	stopped      chan struct{} // closed by stop
	sending      sync.WaitGroup
	requests     atomic.Int64
	silent       atomic.Bool // sends no more media
	milliseconds float64     // from POST to its answer
}

// pionOptions are the ways in which a publisher of pion's differs from an ordinary one.
type pionOptions struct {
	rids   []string                                          // simulcast layers, all of the same picture
	mangle func(offer string) string                         // of what is sent; pion itself keeps the offer as it was
	write  func(interceptor.RTPWriter) interceptor.RTPWriter // sees every packet before it is encrypted
	late   bool                                              // gathers after the answer, on the relays that it names alone
}

var pionH264 = webrtc.RTPCodecCapability{
	MimeType: webrtc.MimeTypeH264, ClockRate: 90000, SDPFmtpLine: "level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f",
	RTCPFeedback: []webrtc.RTCPFeedback{{Type: "nack"}, {Type: "nack", Parameter: "pli"}, {Type: "ccm", Parameter: "fir"}},
}

// publishWithPion publishes until the end of the test.
func publishWithPion(t testing.TB, endpoint string, o pionOptions) *pionPublisher {
	t.Helper()
	p, refused := offerWithPion(t, endpoint, o)
	if refused != nil {
		t.Fatalf("POST %s: %+v", endpoint, *refused)
	}
	return p
}

// offerWithPion is publishWithPion for offers that may be refused.
func offerWithPion(t testing.TB, endpoint string, o pionOptions) (*pionPublisher, *problem) {
	t.Helper()
	p := &pionPublisher{connected: make(chan struct{}), closed: make(chan struct{}), stopped: make(chan struct{})}
	p.connection = p.newConnection(t, o)
	t.Cleanup(p.close)
	p.watchState()
	tracks := p.addTracks(t, o.rids)
	var offer string
	if o.late {
		offer = p.bareOffer(t)
	} else {
		offer = p.offer(t)
	}
	if o.mangle != nil {
		offer = o.mangle(offer)
	}
	began := time.Now()
	location, answer, header, refused := postOffer(t, endpoint, offer)
	p.milliseconds = float64(time.Since(began).Microseconds()) / 1000
	if refused != nil {
		return nil, refused
	}
	p.resource, p.answer = location, answer
	if o.late {
		p.gather(t, header, offer)
	}
	if err := p.connection.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeAnswer, SDP: answer}); err != nil {
		t.Fatalf("the answer is not understood: %v:\n%s", err, answer)
	}
	p.sending.Go(func() { p.send(tracks) })
	return p, nil
}

func (p *pionPublisher) newConnection(t testing.TB, o pionOptions) *webrtc.PeerConnection {
	t.Helper()
	engine, chain := &webrtc.MediaEngine{}, &interceptor.Registry{}
	if err := errors.Join(
		engine.RegisterCodec(webrtc.RTPCodecParameters{RTPCodecCapability: pionH264, PayloadType: 102}, webrtc.RTPCodecTypeVideo),
		webrtc.ConfigureSimulcastExtensionHeaders(engine),
		webrtc.ConfigureNack(engine, chain),
		webrtc.ConfigureRTCPReports(chain),
	); err != nil {
		t.Fatal(err)
	}
	if o.write != nil {
		chain.Add(&writing{o.write})
	}
	settings := webrtc.SettingEngine{}
	p.socket = useSocket(t, &settings)
	api := webrtc.NewAPI(webrtc.WithMediaEngine(engine), webrtc.WithInterceptorRegistry(chain), webrtc.WithSettingEngine(settings))
	configuration := webrtc.Configuration{}
	if o.late {
		configuration = relayOnly()
	}
	c, err := api.NewPeerConnection(configuration)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func (p *pionPublisher) watchState() {
	var connected, closed sync.Once
	p.connection.OnConnectionStateChange(func(s webrtc.PeerConnectionState) {
		switch s {
		case webrtc.PeerConnectionStateConnected:
			connected.Do(func() { close(p.connected) })
		case webrtc.PeerConnectionStateClosed, webrtc.PeerConnectionStateFailed:
			closed.Do(func() { close(p.closed) })
		}
	})
}

// outgoing is a track of video, or one layer of it.
type outgoing struct {
	*webrtc.TrackLocalStaticRTP
	cut         rtp.Packetizer
	transceiver *webrtc.RTPTransceiver
}

// addTracks adds one track of video, or one for each layer.
func (p *pionPublisher) addTracks(t testing.TB, rids []string) []*outgoing {
	t.Helper()
	if len(rids) == 0 {
		rids = []string{""}
	}
	var tracks []*outgoing
	var transceiver *webrtc.RTPTransceiver
	for _, rid := range rids {
		var options []func(*webrtc.TrackLocalStaticRTP)
		if rid != "" {
			options = append(options, webrtc.WithRTPStreamID(rid))
		}
		track, err := webrtc.NewTrackLocalStaticRTP(pionH264, "video", "pion", options...)
		if err == nil && transceiver == nil {
			only := webrtc.RTPTransceiverInit{Direction: webrtc.RTPTransceiverDirectionSendonly}
			transceiver, err = p.connection.AddTransceiverFromTrack(track, only)
		} else if err == nil {
			err = transceiver.Sender().AddEncoding(track)
		}
		if err != nil {
			t.Fatal(err)
		}
		cut := rtp.NewPacketizer(1200, 0, 0, &codecs.H264Payloader{}, rtp.NewRandomSequencer(), 90000)
		tracks = append(tracks, &outgoing{track, cut, transceiver})
	}
	for _, rid := range rids {
		p.sending.Go(func() { p.hear(transceiver.Sender(), rid) })
	}
	return tracks
}

// write sends a picture. The packets of a layer bear the names of section and layer.
func (o *outgoing) write(picture []byte) error {
	for _, packet := range o.cut.Packetize(picture, 90000/25) {
		if o.RID() != "" {
			for _, e := range o.transceiver.Sender().GetParameters().HeaderExtensions {
				var err error
				switch e.URI {
				case sdp.SDESMidURI:
					err = packet.SetExtension(uint8(e.ID), []byte(o.transceiver.Mid())) //nolint:gosec // 1 to 14
				case sdp.SDESRTPStreamIDURI:
					err = packet.SetExtension(uint8(e.ID), []byte(o.RID())) //nolint:gosec // 1 to 14
				}
				if err != nil {
					return err
				}
			}
		}
		if err := o.WriteRTP(packet); err != nil {
			return err
		}
	}
	return nil
}

func (p *pionPublisher) offer(t testing.TB) string {
	t.Helper()
	sdp, err := testviewer.Offer(p.connection, nil)
	if err != nil {
		t.Fatal(err)
	}
	return sdp
}

// postOffer is the one request of WHIP and WHEP: Location, answer and header of the 201, or a refusal.
func postOffer(t testing.TB, endpoint, offer string) (location, answer string, header http.Header, refused *problem) {
	t.Helper()
	r, err := client.Post(endpoint, "application/sdp", strings.NewReader(offer))
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	body, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	if r.StatusCode != http.StatusCreated {
		return "", "", nil, problemOf(t, r, body)
	}
	if r.Header.Get("Content-Type") != "application/sdp" || r.Header.Get("ETag") == "" {
		t.Errorf("the 201 has the header %v", r.Header)
	}
	at, err := url.Parse(r.Header.Get("Location"))
	if err != nil || at.Path == "" {
		t.Fatalf("no usable Location in the 201: %v", r.Header)
	}
	return r.Request.URL.ResolveReference(at).String(), string(body), r.Header, nil
}

// hear counts the keyframe wishes for a layer until the connection closes.
func (p *pionPublisher) hear(sender *webrtc.RTPSender, rid string) {
	read := sender.ReadRTCP
	if rid != "" {
		read = func() ([]rtcp.Packet, interceptor.Attributes, error) { return sender.ReadSimulcastRTCP(rid) }
	}
	for {
		packets, _, err := read()
		if err != nil {
			return
		}
		for _, packet := range packets {
			switch packet.(type) {
			case *rtcp.PictureLossIndication, *rtcp.FullIntraRequest:
				p.requests.Add(1)
			}
		}
	}
}

// send plays the test stream over and over to all tracks once the connection stands.
func (p *pionPublisher) send(tracks []*outgoing) {
	const frame = time.Second / 25
	select {
	case <-p.connected:
	case <-p.stopped:
		return
	}
	pace := time.NewTicker(frame)
	defer pace.Stop()
	for {
		for _, picture := range testPictures() {
			select {
			case <-pace.C:
			case <-p.stopped:
				return
			}
			if p.silent.Load() {
				continue
			}
			for _, track := range tracks {
				if track.write(picture) != nil {
					return // closed
				}
			}
		}
	}
}

// testPictures are the pictures of the H264 test stream, each with start codes.
var testPictures = sync.OnceValue(func() [][]byte {
	reader, err := h264reader.NewReader(bytes.NewReader(fileOf(media.H264)))
	if err != nil {
		panic(err)
	}
	var all [][]byte
	var picture []byte
	for {
		nal, err := reader.NextNAL()
		if err != nil {
			return all
		}
		picture = append(append(picture, 0, 0, 0, 1), nal.Data...)
		if nal.UnitType == h264reader.NalUnitTypeCodedSliceIdr || nal.UnitType == h264reader.NalUnitTypeCodedSliceNonIdr {
			all, picture = append(all, picture), nil
		}
	}
})

func (p *pionPublisher) keyframeRequests(testing.TB) int { return int(p.requests.Load()) }

// stop ends the session as a well-behaved publisher does.
func (p *pionPublisher) stop(t testing.TB) int {
	t.Helper()
	status := deleteResource(t, p.resource)
	p.close()
	return status
}

// close goes away without a DELETE. It may be called twice.
func (p *pionPublisher) close() {
	select {
	case <-p.stopped:
	default:
		close(p.stopped)
	}
	_ = p.connection.Close() // may be closed
	p.sending.Wait()
}

func deleteResource(t testing.TB, resource string) int {
	t.Helper()
	q, err := http.NewRequestWithContext(t.Context(), http.MethodDelete, resource, nil)
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

// writing is an interceptor that puts itself between pion's packets and SRTP.
type writing struct {
	wrap func(interceptor.RTPWriter) interceptor.RTPWriter
}

func (w *writing) NewInterceptor(string) (interceptor.Interceptor, error) {
	return &writer{wrap: w.wrap}, nil
}

type writer struct {
	interceptor.NoOp
	wrap func(interceptor.RTPWriter) interceptor.RTPWriter
}

func (w *writer) BindLocalStream(_ *interceptor.StreamInfo, next interceptor.RTPWriter) interceptor.RTPWriter {
	return w.wrap(next)
}
