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
	"sync"
	"time"

	"github.com/pion/rtp"
	"github.com/pion/webrtc/v4"

	"sluice/internal/testviewer"
)

// timeSessions times how WHIP and WHEP sessions come to be: from the offer to its answer, from the answer to media.
// What is watched is sound, which has something to send at any moment.
func (b bench) timeSessions(ctx context.Context, n int) error {
	p, err := b.start(ctx, ports+"[limits]\nposts_per_second_per_ip = 0\n[streams.pub]\nsource = \"publish\"\n[streams.sound]\nsource = \"publish\"\n")
	if err != nil {
		return err
	}
	defer func() { _ = p.stop() }()
	sound, err := publish(ctx, p.url+"sound/whip")
	if err != nil {
		return fmt.Errorf("publish: %w", err)
	}
	defer sound.close()
	sending, stop := context.WithCancel(ctx)
	var ended sync.WaitGroup
	ended.Go(func() { sound.send(sending) })
	defer ended.Wait()
	defer stop()
	time.Sleep(time.Second) // until it is there to be watched

	var published, watched timings
	for range n {
		session, err := publish(ctx, p.url+"pub/whip")
		if err != nil {
			return fmt.Errorf("publish: %w", err)
		}
		published.add(session.took)
		session.close()
		if err := remove(ctx, session.location); err != nil {
			return err
		}
		if err := watched.watch(ctx, p.url+"sound/whep"); err != nil {
			return fmt.Errorf("watch: %w", err)
		}
	}
	printTimes("WHIP: POST to 201", published.answer)
	printTimes("WHIP: 201 to connected, and the first RTP sent", published.connected)
	printTimes("WHEP: POST to 201", watched.answer)
	printTimes("WHEP: 201 to connected", watched.connected)
	printTimes("WHEP: 201 to the first RTP received", watched.media)
	return nil
}

// timings are those of sessions of one kind: from the offer to its answer, and from there on.
type timings struct{ answer, connected, media []time.Duration }

// took is how long one publisher's session took to come to be.
type took struct{ answer, connected time.Duration }

func (t *timings) add(one took) {
	t.answer, t.connected = append(t.answer, one.answer), append(t.connected, one.connected)
}

func printTimes(name string, all []time.Duration) {
	slices.Sort(all)
	fmt.Printf("| %s, median of %d (slowest) | %.1f ms (%.1f ms) |\n",
		name, len(all), milliseconds(all[len(all)/2]), milliseconds(all[len(all)-1]))
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
	case <-v.Connected:
	case <-ctx.Done():
		return errors.New("it does not connect")
	}
	t.answer = append(t.answer, answered.Sub(asked))
	t.connected = append(t.connected, time.Since(answered))
	select {
	case <-v.Video:
	case <-v.Audio:
	case <-ctx.Done():
		return errors.New("no media came")
	}
	t.media = append(t.media, time.Since(answered))
	return remove(ctx, location)
}

// publisher is a session that sends sound.
type publisher struct {
	connection *webrtc.PeerConnection
	track      *webrtc.TrackLocalStaticRTP
	location   string
	took       took
}

func (p *publisher) close() { _ = p.connection.Close() }

// send sends a packet of silence each 10 ms.
func (p *publisher) send(ctx context.Context) {
	pace := time.NewTicker(10 * time.Millisecond)
	defer pace.Stop()
	packet := silence()
	for p.track.WriteRTP(packet) == nil {
		packet.SequenceNumber++
		packet.Timestamp += 480
		select {
		case <-pace.C:
		case <-ctx.Done():
			return
		}
	}
}

func silence() *rtp.Packet {
	return &rtp.Packet{Header: rtp.Header{Version: 2}, Payload: []byte{0xf0, 0xff, 0xfe}}
}

// publish makes a publisher, whose first packet goes out as soon as the connection stands.
func publish(ctx context.Context, endpoint string) (*publisher, error) {
	c, track, err := newPublisher()
	if err != nil {
		return nil, err
	}
	p := &publisher{connection: c, track: track}
	if err := p.connect(ctx, endpoint); err != nil {
		p.close()
		return nil, err
	}
	return p, nil
}

func (p *publisher) connect(ctx context.Context, endpoint string) error {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	connected := make(chan struct{})
	p.connection.OnConnectionStateChange(func(s webrtc.PeerConnectionState) {
		if s == webrtc.PeerConnectionStateConnected {
			close(connected)
		}
	})
	offer, err := gathered(p.connection)
	if err != nil {
		return err
	}
	asked := time.Now()
	location, answer, err := post(ctx, endpoint, offer)
	if err != nil {
		return err
	}
	answered := time.Now()
	p.took.answer, p.location = answered.Sub(asked), location
	if err := p.connection.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeAnswer, SDP: answer}); err != nil {
		return err
	}
	select {
	case <-connected:
	case <-ctx.Done():
		return errors.New("it does not connect")
	}
	if err := p.track.WriteRTP(silence()); err != nil {
		return err
	}
	p.took.connected = time.Since(answered)
	return nil
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
