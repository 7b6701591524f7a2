package main

import (
	"crypto/rand"
	"errors"
	"io"
	"net"
	"net/http"
	"sync"

	"github.com/pion/rtp"
	"github.com/pion/webrtc/v4"
)

// endpoint makes a PeerConnection for each offer.
type endpoint struct {
	api    *webrtc.API // fixed, as is the public
	public *public

	mu       sync.Mutex
	sessions map[string]*webrtc.PeerConnection // guarded by mu
}

func newEndpoint(socket net.PacketConn, p *public) (*endpoint, error) {
	media := &webrtc.MediaEngine{}
	if err := media.RegisterDefaultCodecs(); err != nil {
		return nil, err
	}
	settings := webrtc.SettingEngine{}
	settings.SetIncludeLoopbackCandidate(true)
	settings.SetNetworkTypes([]webrtc.NetworkType{webrtc.NetworkTypeUDP4})
	settings.SetICEUDPMux(webrtc.NewICEUDPMux(nil, socket))
	// An API without a registry has pion's default interceptors.
	api := webrtc.NewAPI(webrtc.WithMediaEngine(media), webrtc.WithSettingEngine(settings))
	return &endpoint{api: api, public: p, sessions: map[string]*webrtc.PeerConnection{}}, nil
}

func (e *endpoint) post(w http.ResponseWriter, r *http.Request) {
	offer, err := io.ReadAll(io.LimitReader(r.Body, 1<<16))
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	v, answer, err := e.answer(string(offer))
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	id := rand.Text()
	e.mu.Lock()
	e.sessions[id] = v
	e.mu.Unlock()
	w.Header().Set("Location", "/whep/"+id)
	w.Header().Set("Content-Type", "application/sdp")
	w.WriteHeader(http.StatusCreated)
	_, _ = io.WriteString(w, answer) // a viewer that left will not connect either
}

func (e *endpoint) delete(w http.ResponseWriter, r *http.Request) {
	e.mu.Lock()
	v, ok := e.sessions[r.PathValue("session")]
	delete(e.sessions, r.PathValue("session"))
	e.mu.Unlock()
	if !ok {
		http.NotFound(w, r)
		return
	}
	_ = v.Close() // it is gone either way
}

// answer makes a connection that sends once it stands.
func (e *endpoint) answer(offer string) (*webrtc.PeerConnection, string, error) {
	c, err := e.api.NewPeerConnection(webrtc.Configuration{})
	if err != nil {
		return nil, "", err
	}
	answer, err := e.negotiate(c, offer)
	if err != nil {
		return nil, "", errors.Join(err, c.Close())
	}
	return c, answer, nil
}

func (e *endpoint) negotiate(c *webrtc.PeerConnection, offer string) (string, error) {
	video, err := addTrack(c, webrtc.RTPCodecCapability{MimeType: webrtc.MimeTypeH264, ClockRate: 90000}, "video")
	if err != nil {
		return "", err
	}
	audio, err := addTrack(c, webrtc.RTPCodecCapability{MimeType: webrtc.MimeTypeOpus, ClockRate: 48000, Channels: 2}, "audio")
	if err != nil {
		return "", err
	}
	e.follow(c, video, audio)
	if err = c.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeOffer, SDP: offer}); err != nil {
		return "", err
	}
	answer, err := c.CreateAnswer(nil)
	if err != nil {
		return "", err
	}
	gathered := webrtc.GatheringCompletePromise(c)
	if err := c.SetLocalDescription(answer); err != nil {
		return "", err
	}
	<-gathered
	return c.LocalDescription().SDP, nil
}

// follow starts to send when the connection stands, and ends it when it has failed.
func (e *endpoint) follow(c *webrtc.PeerConnection, video, audio *webrtc.TrackLocalStaticRTP) {
	stop, once := make(chan struct{}), sync.Once{}
	c.OnConnectionStateChange(func(s webrtc.PeerConnectionState) {
		switch s {
		case webrtc.PeerConnectionStateConnected:
			go e.send(video, audio, stop)
		case webrtc.PeerConnectionStateFailed:
			_ = c.Close() // it is gone either way
		case webrtc.PeerConnectionStateClosed:
			once.Do(func() { close(stop) })
		}
	})
}

// send hands a viewer's packets to its tracks until stop is closed.
func (e *endpoint) send(video, audio *webrtc.TrackLocalStaticRTP, stop <-chan struct{}) {
	q := e.public.enter()
	defer e.public.leave(q)
	for {
		select {
		case s := <-q:
			track := audio
			if s.video {
				track = video
			}
			if track.WriteRTP(own(s.packet)) != nil {
				return
			}
		case <-stop:
			return
		}
	}
}

// own is a packet whose header may be written to; the payload stays shared.
func own(p *rtp.Packet) *rtp.Packet {
	return &rtp.Packet{Header: p.Header, Payload: p.Payload}
}

// addTrack adds a track, and reads the reports on it, as interceptors want it.
func addTrack(c *webrtc.PeerConnection, codec webrtc.RTPCodecCapability, id string) (*webrtc.TrackLocalStaticRTP, error) {
	track, err := webrtc.NewTrackLocalStaticRTP(codec, id, "reference")
	if err != nil {
		return nil, err
	}
	sender, err := c.AddTrack(track)
	if err != nil {
		return nil, err
	}
	go func() { // ends when the connection does
		for {
			if _, _, err := sender.ReadRTCP(); err != nil {
				return
			}
		}
	}()
	return track, nil
}
