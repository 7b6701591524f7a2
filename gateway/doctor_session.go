package gateway

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"time"

	"sluice/doctor"
	"sluice/media"
	"sluice/peer"
	"sluice/signalling/client"
	"sluice/transport"
)

// doctorViewers makes WHEP sessions. Each has a UDP port of its own: several from one would be hard to tell apart, for us
// and for the gateway.
type doctorViewers struct {
	certificate tls.Certificate
	agent       string
	log         *slog.Logger
}

// newEngine makes the engine of one session, and what closes it. A port on loopback makes it open another one for
// sessions that come to servers, which is the one in use.
func (v *doctorViewers) newEngine(ctx context.Context) (*peer.Engine, func(), error) {
	port, err := transport.Listen(ctx, transport.Options{ListenUDP: "127.0.0.1:0", Sockets: 1, Log: v.log})
	if err != nil {
		return nil, nil, err
	}
	engine := peer.NewEngine(ctx, peer.Options{Conn: port.Others(), Hosts: port, Certificate: v.certificate, Log: v.log})
	running, stop := context.WithCancel(ctx)
	var reading sync.WaitGroup
	reading.Go(func() { _ = port.Run(running, transport.Nobody{}) }) // nothing comes to it
	return engine, func() {
		_ = engine.Close() // what can't be closed ends with the process
		stop()
		reading.Wait()
		_ = port.Close()
	}, nil
}

// Open implements doctor.Viewers.
func (v *doctorViewers) Open(ctx context.Context, o doctor.SessionOptions) (doctor.Session, error) {
	c, err := client.New(client.Options{
		Protocol: client.WHEP, URL: o.URL, Token: o.Token, UserAgent: v.agent, TLSInsecure: o.Insecure,
	})
	if err != nil {
		return nil, err
	}
	engine, closeEngine, err := v.newEngine(ctx)
	if err != nil {
		return nil, err
	}
	s, err := openSession(ctx, engine, c, peer.ReceiveOptions{Loopback: true, Dial: o.TCP, Relayed: o.Relayed})
	if err != nil {
		closeEngine()
		return nil, err
	}
	s.closeEngine = closeEngine
	return s, nil
}

func openSession(ctx context.Context, engine *peer.Engine, c *client.Client, o peer.ReceiveOptions) (*doctorSession, error) {
	r, err := engine.OfferReceive(o)
	if err != nil {
		return nil, fmt.Errorf("make an offer: %w", err)
	}
	s, err := c.Post(ctx, withoutCandidates(r.Description()))
	if err == nil && s.CounterOffer {
		_ = s.Delete(ctx) // it ends by itself as well
		err = errors.New("the gateway makes the offer itself: the stream has nothing that ours can take")
	}
	if err != nil {
		r.Close()
		return nil, refusedSession(err)
	}
	return &doctorSession{session: s, reception: r, picture: make(chan struct{})}, nil
}

func refusedSession(err error) error {
	var status *client.StatusError
	if errors.As(err, &status) {
		return &doctor.RefusedError{Status: status.Status, Detail: status.Detail}
	}
	return err
}

// withoutCandidates has the gateway know no address of ours: it connects by the one way that we try, or not at all.
func withoutCandidates(sdp string) string {
	var b strings.Builder
	for line := range strings.Lines(sdp) {
		if !strings.HasPrefix(line, "a=candidate:") && !strings.HasPrefix(line, "a=end-of-candidates") {
			b.WriteString(line)
		}
	}
	return b.String()
}

// doctorSession is one session. It is a peer.Sink that looks for the first picture.
type doctorSession struct {
	session     *client.Session
	reception   *peer.Reception
	closeEngine func() // after the reception

	running sync.WaitGroup
	stop    context.CancelFunc // set by Connect

	video   bool          // owned by the goroutine of Run: there is a picture to wait for
	shown   bool          // owned by the goroutine of Run
	picture chan struct{} // closed by the goroutine of Run at the first picture, or sound where there is none
}

// Answer implements doctor.Session.
func (s *doctorSession) Answer() string { return s.session.SDP }

// Servers implements doctor.Session.
func (s *doctorSession) Servers() []doctor.ICEServer {
	var all []doctor.ICEServer
	for _, i := range s.session.ICEServers {
		for _, url := range i.URLs {
			all = append(all, doctor.ICEServer{URL: url, Username: i.Username, Credential: i.Credential})
		}
	}
	return all
}

// Connect implements doctor.Session.
func (s *doctorSession) Connect(ctx context.Context, answer string, servers []doctor.ICEServer) error {
	var use []peer.ICEServer
	for _, i := range servers {
		use = append(use, peer.ICEServer{URLs: []string{i.URL}, Username: i.Username, Credential: i.Credential})
	}
	s.video = sendsVideo(answer)
	if err := s.reception.Accept(answer, use); err != nil {
		return err
	}
	running, stop := context.WithCancel(context.WithoutCancel(ctx))
	s.stop = stop
	s.running.Go(func() { _ = s.reception.Run(running, s) }) // Done tells
	select {
	case <-s.reception.Connected():
		return nil
	case <-s.reception.Done():
		return firstError(s.reception.Err(), errors.New("the connection was closed"))
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// sendsVideo reports whether the gateway's answer has a picture.
func sendsVideo(answer string) bool {
	_, section, ok := strings.Cut(answer, "\r\nm=video ")
	section, _, _ = strings.Cut(section, "\r\nm=")
	return ok && !strings.HasPrefix(section, "0 ") && strings.Contains(section, "\r\na=sendonly")
}

// Picture implements doctor.Session.
func (s *doctorSession) Picture(ctx context.Context) error {
	select {
	case <-s.picture:
		return nil
	case <-s.reception.Done():
		return firstError(s.reception.Err(), errors.New("the connection was closed"))
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// Verdict implements doctor.Session.
func (s *doctorSession) Verdict(ctx context.Context) (doctor.Verdict, error) {
	text, err := s.session.Verdict(ctx)
	if err != nil {
		return doctor.Verdict{}, err
	}
	var v doctor.Verdict
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		return doctor.Verdict{}, fmt.Errorf("read the verdict: %w", err)
	}
	return v, nil
}

// Close implements doctor.Session.
func (s *doctorSession) Close(ctx context.Context) {
	if s.stop != nil {
		s.stop()
	}
	s.reception.Close()
	s.running.Wait()
	s.closeEngine()
	_ = s.session.Delete(ctx) // it ends by itself as well
}

// Track implements peer.Sink.
func (s *doctorSession) Track(string, media.Track) {}

// Unit implements peer.Sink.
func (s *doctorSession) Unit(_, track string, au *media.AccessUnit) {
	isPicture := track == string(media.Video) && au.Keyframe
	if !s.shown && (isPicture || !s.video) {
		s.shown = true
		close(s.picture)
	}
}

// Tick implements peer.Sink.
func (s *doctorSession) Tick(time.Time) {}

func firstError(err, otherwise error) error {
	if err != nil {
		return err
	}
	return otherwise
}
