// Package testviewer is a WHEP player for tests and benchmarks: a pion PeerConnection that hands out the RTP packets
// it receives.
package testviewer

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"

	"github.com/pion/interceptor"
	"github.com/pion/rtcp"
	"github.com/pion/rtp"
	"github.com/pion/webrtc/v4"
)

// Options says what the viewer offers.
type Options struct {
	Video, Audio []Codec // none: no such section
	TCP          bool    // it gets no UDP through
	Token        string  // shown as a bearer token; "": none
}

// Codec is one payload of an offer.
type Codec struct {
	MimeType    string // "video/H264"
	ClockRate   uint32
	Channels    uint16
	FMTP        string
	PayloadType uint8
}

// The payloads that browsers offer, and H265 as Safari does.
var (
	H264 = Codec{"video/H264", 90000, 0, "level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f", 102}
	H265 = Codec{"video/H265", 90000, 0, "level-id=180;profile-id=1;tier-flag=0;tx-mode=SRST", 116}
	VP8  = Codec{"video/VP8", 90000, 0, "", 96}
	VP9  = Codec{"video/VP9", 90000, 0, "profile-id=0", 98}
	AV1  = Codec{"video/AV1", 90000, 0, "level-idx=5;profile=0;tier=0", 45}
	Opus = Codec{"audio/opus", 48000, 2, "minptime=10;useinbandfec=1", 111}
	G722 = Codec{"audio/G722", 8000, 0, "", 9}
	PCMU = Codec{"audio/PCMU", 8000, 0, "", 0}
	PCMA = Codec{"audio/PCMA", 8000, 0, "", 8}
)

// Browser offers what a browser with H265 would.
func Browser() Options {
	return Options{Video: []Codec{VP8, VP9, H264, H265, AV1}, Audio: []Codec{Opus, G722, PCMU, PCMA}}
}

// packetBuffer is how many packets may wait to be read; a test that reads slower loses some.
const packetBuffer = 4096

// Viewer is one player. Close it in any case.
type Viewer struct {
	pc       *webrtc.PeerConnection
	token    string // fixed
	location string // of the session; "" before Post

	Video, Audio chan *rtp.Packet // closed when the track ends
	Connected    chan struct{}    // closed once ICE and DTLS are through
	Closed       chan struct{}    // closed when the connection has failed or ended

	mu      sync.Mutex
	reports []*rtcp.SenderReport
}

// New makes a viewer that has not asked for anything yet.
func New(o Options) (*Viewer, error) {
	media := &webrtc.MediaEngine{}
	for kind, codecs := range o.byKind() {
		for _, c := range codecs {
			if err := media.RegisterCodec(c.parameters(kind), kind); err != nil {
				return nil, fmt.Errorf("register %s: %w", c.MimeType, err)
			}
		}
	}
	settings := webrtc.SettingEngine{}
	settings.SetIncludeLoopbackCandidate(true)
	if o.TCP {
		settings.SetNetworkTypes([]webrtc.NetworkType{webrtc.NetworkTypeTCP4})
	}
	api := webrtc.NewAPI(webrtc.WithMediaEngine(media), webrtc.WithSettingEngine(settings),
		webrtc.WithInterceptorRegistry(&interceptor.Registry{}))
	pc, err := api.NewPeerConnection(webrtc.Configuration{})
	if err != nil {
		return nil, fmt.Errorf("make a viewer: %w", err)
	}
	v := &Viewer{
		pc: pc, token: o.Token, Video: make(chan *rtp.Packet, packetBuffer), Audio: make(chan *rtp.Packet, packetBuffer),
		Connected: make(chan struct{}), Closed: make(chan struct{}),
	}
	v.follow()
	for kind, codecs := range o.byKind() {
		if len(codecs) == 0 {
			continue
		}
		if _, err := pc.AddTransceiverFromKind(kind, webrtc.RTPTransceiverInit{Direction: webrtc.RTPTransceiverDirectionRecvonly}); err != nil {
			v.Close()
			return nil, fmt.Errorf("offer %s: %w", kind, err)
		}
	}
	return v, nil
}

func (o Options) byKind() map[webrtc.RTPCodecType][]Codec {
	return map[webrtc.RTPCodecType][]Codec{webrtc.RTPCodecTypeVideo: o.Video, webrtc.RTPCodecTypeAudio: o.Audio}
}

func (c Codec) parameters(kind webrtc.RTPCodecType) webrtc.RTPCodecParameters {
	p := webrtc.RTPCodecParameters{PayloadType: webrtc.PayloadType(c.PayloadType)}
	p.MimeType, p.ClockRate, p.Channels, p.SDPFmtpLine = c.MimeType, c.ClockRate, c.Channels, c.FMTP
	if kind == webrtc.RTPCodecTypeVideo {
		p.RTCPFeedback = []webrtc.RTCPFeedback{{Type: "nack"}, {Type: "nack", Parameter: "pli"}, {Type: "ccm", Parameter: "fir"}}
	}
	return p
}

func (v *Viewer) follow() {
	var connected, closed sync.Once
	v.pc.OnConnectionStateChange(func(s webrtc.PeerConnectionState) {
		switch s {
		case webrtc.PeerConnectionStateConnected:
			connected.Do(func() { close(v.Connected) })
		case webrtc.PeerConnectionStateFailed, webrtc.PeerConnectionStateClosed, webrtc.PeerConnectionStateDisconnected:
			closed.Do(func() { close(v.Closed) })
		}
	})
	v.pc.OnTrack(func(t *webrtc.TrackRemote, r *webrtc.RTPReceiver) {
		go v.readReports(r)
		out := v.Video
		if t.Kind() == webrtc.RTPCodecTypeAudio {
			out = v.Audio
		}
		defer close(out)
		for {
			p, _, err := t.ReadRTP()
			if err != nil {
				return
			}
			select {
			case out <- p:
			default:
			}
		}
	})
}

func (v *Viewer) readReports(r *webrtc.RTPReceiver) {
	for {
		packets, _, err := r.ReadRTCP()
		if err != nil {
			return
		}
		for _, p := range packets {
			if sr, ok := p.(*rtcp.SenderReport); ok {
				v.mu.Lock()
				v.reports = append(v.reports, sr)
				v.mu.Unlock()
			}
		}
	}
}

// Reports are the sender reports received so far.
func (v *Viewer) Reports() []*rtcp.SenderReport {
	v.mu.Lock()
	defer v.mu.Unlock()
	return append([]*rtcp.SenderReport(nil), v.reports...)
}

// SendRTCP sends feedback, such as a PLI.
func (v *Viewer) SendRTCP(p ...rtcp.Packet) error { return v.pc.WriteRTCP(p) }

// Offer makes the offer, with all candidates in it.
func (v *Viewer) Offer() (string, error) { return Offer(v.pc, nil) }

// Offer makes the offer of a connection, with all candidates in it.
func Offer(pc *webrtc.PeerConnection, o *webrtc.OfferOptions) (string, error) {
	offer, err := pc.CreateOffer(o)
	if err != nil {
		return "", fmt.Errorf("make an offer: %w", err)
	}
	gathered := webrtc.GatheringCompletePromise(pc)
	if err := pc.SetLocalDescription(offer); err != nil {
		return "", fmt.Errorf("apply the offer: %w", err)
	}
	<-gathered
	return pc.LocalDescription().SDP, nil
}

// Accept applies the answer.
func (v *Viewer) Accept(answer string) error {
	return v.pc.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeAnswer, SDP: answer})
}

// StatusError is an answer to the POST that is not 201.
type StatusError struct {
	Status int
	Body   string
	Header http.Header
}

func (e *StatusError) Error() string { return fmt.Sprintf("HTTP %d: %s", e.Status, e.Body) }

// Post sends the offer to a WHEP endpoint and applies the answer. It returns *StatusError if that is not 201.
func (v *Viewer) Post(ctx context.Context, endpoint string) error {
	offer, err := v.Offer()
	if err != nil {
		return err
	}
	status, header, body, err := v.do(ctx, http.MethodPost, endpoint, offer)
	if err != nil {
		return err
	}
	if status != http.StatusCreated {
		return &StatusError{Status: status, Body: body, Header: header}
	}
	base, err := url.Parse(endpoint)
	if err != nil {
		return err
	}
	location, err := base.Parse(header.Get("Location"))
	if err != nil {
		return err
	}
	v.location = location.String()
	return v.Accept(body)
}

// Location is the URL of the session.
func (v *Viewer) Location() string { return v.location }

// Delete ends the session by its URL and returns the status.
func (v *Viewer) Delete(ctx context.Context) (int, error) {
	status, _, _, err := v.do(ctx, http.MethodDelete, v.location, "")
	return status, err
}

func (v *Viewer) do(ctx context.Context, method, to, body string) (int, http.Header, string, error) {
	r, err := http.NewRequestWithContext(ctx, method, to, strings.NewReader(body))
	if err != nil {
		return 0, nil, "", err
	}
	r.Header.Set("Content-Type", "application/sdp")
	if v.token != "" {
		r.Header.Set("Authorization", "Bearer "+v.token)
	}
	w, err := http.DefaultClient.Do(r)
	if err != nil {
		return 0, nil, "", err
	}
	text, err := io.ReadAll(w.Body)
	return w.StatusCode, w.Header, string(text), errors.Join(err, w.Body.Close())
}

// Watch makes a viewer and waits until it is connected.
func Watch(ctx context.Context, endpoint string, o Options) (*Viewer, error) {
	v, err := New(o)
	if err != nil {
		return nil, err
	}
	if err := v.Post(ctx, endpoint); err != nil {
		v.Close()
		return nil, err
	}
	select {
	case <-v.Connected:
		return v, nil
	case <-ctx.Done():
		v.Close()
		return nil, fmt.Errorf("connect to %s: %w", endpoint, ctx.Err())
	}
}

// Close ends the connection without a word to the endpoint.
func (v *Viewer) Close() { _ = v.pc.GracefulClose() }
