package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/pion/rtp"
	"github.com/pion/webrtc/v4"

	"sluice/internal/testviewer"
)

// timeSessions times how WHIP and WHEP sessions come to be: from the offer to its answer, from the answer to media.
func (b bench) timeSessions(ctx context.Context, n int) error {
	p, err := b.start(ctx, ports+"[limits]\nposts_per_second_per_ip = 0\n[streams.pub]\nsource = \"publish\"\n[streams.demo]\nsource = \"demo:\"\n")
	if err != nil {
		return err
	}
	defer func() { _ = p.stop() }()
	var published, watched timings
	for range n {
		if err := published.publish(ctx, p.url+"pub/whip"); err != nil {
			return fmt.Errorf("publish: %w", err)
		}
		if err := watched.watch(ctx, p.url+"demo/whep"); err != nil {
			return fmt.Errorf("watch: %w", err)
		}
	}
	published.print("WHIP: POST to 201", "WHIP: 201 to the first RTP sent")
	watched.print("WHEP: POST to 201", "WHEP: 201 to the first RTP received")
	return nil
}

// timings are those of sessions of one kind.
type timings struct{ answer, media []time.Duration }

func (t *timings) add(asked, answered, flowed time.Time) {
	t.answer = append(t.answer, answered.Sub(asked))
	t.media = append(t.media, flowed.Sub(answered))
}

func (t *timings) print(answer, media string) {
	for _, row := range []struct {
		name string
		all  []time.Duration
	}{{answer, t.answer}, {media, t.media}} {
		slices.Sort(row.all)
		fmt.Printf("| %s, median of %d (slowest) | %.1f ms (%.1f ms) |\n",
			row.name, len(row.all), milliseconds(row.all[len(row.all)/2]), milliseconds(row.all[len(row.all)-1]))
	}
}

// watch times a viewer.
func (t *timings) watch(ctx context.Context, endpoint string) error {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	v, err := testviewer.New(testviewer.Browser())
	if err != nil {
		return err
	}
	defer v.Close()
	offer, err := v.Offer()
	if err != nil {
		return err
	}
	asked := time.Now()
	location, answer, err := post(ctx, endpoint, offer)
	if err != nil {
		return err
	}
	answered := time.Now()
	if err := v.Accept(answer); err != nil {
		return err
	}
	select {
	case <-v.Video:
	case <-v.Audio:
	case <-ctx.Done():
		return errors.New("no media came")
	}
	t.add(asked, answered, time.Now())
	return remove(ctx, location)
}

// publish times a publisher, whose first packet goes out as soon as the connection stands.
func (t *timings) publish(ctx context.Context, endpoint string) error {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	c, track, err := newPublisher()
	if err != nil {
		return err
	}
	defer func() { _ = c.Close() }()
	connected := make(chan struct{})
	c.OnConnectionStateChange(func(s webrtc.PeerConnectionState) {
		if s == webrtc.PeerConnectionStateConnected {
			close(connected)
		}
	})
	offer, err := gathered(c)
	if err != nil {
		return err
	}
	asked := time.Now()
	location, answer, err := post(ctx, endpoint, offer)
	if err != nil {
		return err
	}
	answered := time.Now()
	if err := c.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeAnswer, SDP: answer}); err != nil {
		return err
	}
	select {
	case <-connected:
	case <-ctx.Done():
		return errors.New("it does not connect")
	}
	silence := &rtp.Packet{Header: rtp.Header{Version: 2, Marker: true}, Payload: []byte{0xfc, 0xff, 0xfe}}
	if err := track.WriteRTP(silence); err != nil {
		return err
	}
	t.add(asked, answered, time.Now())
	return remove(ctx, location)
}

// newPublisher is a connection with one track of sound.
func newPublisher() (*webrtc.PeerConnection, *webrtc.TrackLocalStaticRTP, error) {
	codecs, settings := &webrtc.MediaEngine{}, webrtc.SettingEngine{}
	if err := codecs.RegisterDefaultCodecs(); err != nil {
		return nil, nil, err
	}
	settings.SetIncludeLoopbackCandidate(true)
	settings.SetNetworkTypes([]webrtc.NetworkType{webrtc.NetworkTypeUDP4})
	c, err := webrtc.NewAPI(webrtc.WithMediaEngine(codecs), webrtc.WithSettingEngine(settings)).NewPeerConnection(webrtc.Configuration{})
	if err != nil {
		return nil, nil, err
	}
	opus := webrtc.RTPCodecCapability{MimeType: webrtc.MimeTypeOpus, ClockRate: 48000, Channels: 2}
	track, err := webrtc.NewTrackLocalStaticRTP(opus, "audio", "bench")
	if err == nil {
		only := webrtc.RTPTransceiverInit{Direction: webrtc.RTPTransceiverDirectionSendonly}
		_, err = c.AddTransceiverFromTrack(track, only)
	}
	if err != nil {
		_ = c.Close() // the error is the better one
		return nil, nil, err
	}
	return c, track, nil
}

// gathered is the connection's offer with all its candidates.
func gathered(c *webrtc.PeerConnection) (string, error) {
	offer, err := c.CreateOffer(nil)
	if err != nil {
		return "", err
	}
	done := webrtc.GatheringCompletePromise(c)
	if err := c.SetLocalDescription(offer); err != nil {
		return "", err
	}
	<-done
	return c.LocalDescription().SDP, nil
}

func post(ctx context.Context, endpoint, offer string) (location, answer string, err error) {
	status, header, body, err := request(ctx, http.MethodPost, endpoint, offer)
	if err != nil {
		return "", "", err
	}
	if status != http.StatusCreated {
		return "", "", fmt.Errorf("the offer is answered with %d: %s", status, body)
	}
	base, err := url.Parse(endpoint)
	if err != nil {
		return "", "", err
	}
	at, err := base.Parse(header.Get("Location"))
	if err != nil {
		return "", "", err
	}
	return at.String(), body, nil
}

func remove(ctx context.Context, location string) error {
	status, _, _, err := request(ctx, http.MethodDelete, location, "")
	if err == nil && status != http.StatusOK {
		err = fmt.Errorf("DELETE is answered with %d", status)
	}
	return err
}

func request(ctx context.Context, method, to, body string) (status int, header http.Header, answer string, err error) {
	q, err := http.NewRequestWithContext(ctx, method, to, strings.NewReader(body))
	if err != nil {
		return 0, nil, "", err
	}
	if body != "" {
		q.Header.Set("Content-Type", "application/sdp")
	}
	r, err := http.DefaultClient.Do(q)
	if err != nil {
		return 0, nil, "", err
	}
	defer r.Body.Close()
	text, err := io.ReadAll(r.Body)
	return r.StatusCode, r.Header, string(text), err
}
