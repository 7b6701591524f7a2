package rtsp

import (
	"context"
	"errors"
	"time"

	"github.com/bluenviron/gortsplib/v4/pkg/base"
	"github.com/bluenviron/gortsplib/v4/pkg/description"
	"github.com/pion/rtcp"
	"github.com/pion/rtp"

	"sluice/media"
	"sluice/rtpin"
)

// setUp makes a track of a section.
func (s *session) setUp(at *base.URL, m *description.Media, sec section, sync *rtpin.Synchronizer) error {
	id := sec.track.ID
	receiver, err := rtpin.NewReceiver(rtpin.Options{
		Track:     sec.track,
		Sync:      sync,
		Unordered: s.conn.transport != TCP,
		OnTrack:   func(t media.Track) { s.keep(s.publisher.Update(t)) },
		OnUnit:    func(au *media.AccessUnit) { s.keep(s.publisher.Write(id, au)) },
	})
	if err != nil {
		return err
	}
	s.conn.setUpNext(sec)
	if _, err := s.engine.Setup(at, m, 0, 0); err != nil {
		err = s.explain("SETUP", err)
		var status *StatusError
		if errors.As(err, &status) && status.Code == int(base.StatusUnsupportedTransport) {
			err = &TransportRefusedError{s.conn.transport}
		}
		return err
	}
	t := &track{media: m, receiver: receiver, reception: newReception(sec.track.ClockRate)}
	s.tracks = append(s.tracks, t)
	s.engine.OnPacketRTP(m, m.Formats[0], func(p *rtp.Packet) { s.hand(packet{track: t, rtp: p}) })
	s.engine.OnPacketRTCP(m, func(p rtcp.Packet) { s.hand(packet{track: t, rtcp: p}) })
	return nil
}

// hand is called by the engine.
func (s *session) hand(p packet) {
	p.arrived = time.Now()
	select {
	case s.packets <- p:
	case <-s.quit:
	}
}

// keep remembers the first failure of publishing, which ends the session.
func (s *session) keep(err error) {
	if s.failure == nil {
		s.failure = err
	}
}

// play asks for the packets and receives them until the session ends.
func (s *session) play(ctx context.Context) error {
	played, ended := make(chan struct{}), make(chan error, 1)
	s.wg.Go(func() {
		if _, err := s.engine.Play(nil); err != nil {
			ended <- s.explain("PLAY", err)
			return
		}
		close(played)
		ended <- s.explain("PLAY", s.engine.Wait())
	})
	err := s.receive(ctx, played, ended)
	if err != nil && s.conn.cause() == nil {
		s.conn.hurry()
	}
	return err
}

func (s *session) receive(ctx context.Context, played <-chan struct{}, ended <-chan error) error {
	tick := time.NewTicker(tickPeriod)
	defer tick.Stop()
	for s.failure == nil {
		select {
		case p := <-s.packets:
			s.take(p)
		case now := <-tick.C:
			if err := s.tick(now); err != nil {
				return err
			}
		case <-s.wishes:
			s.ignored++
		case <-played:
			played = nil
			s.heard = time.Now()
		case err := <-ended:
			return err
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return s.failure
}

// take gives a packet to its receiver, and publishes before the first one.
func (s *session) take(p packet) {
	if p.rtcp != nil {
		if sr, ok := p.rtcp.(*rtcp.SenderReport); ok {
			p.track.reception.sender(sr, p.arrived)
			p.track.receiver.Report(sr, p.arrived)
		}
		return
	}
	s.heard = p.arrived
	if s.publisher == nil && !s.begin() {
		return
	}
	p.track.reception.packet(p.rtp, p.arrived)
	p.track.receiver.Push(p.rtp, p.arrived)
}

// begin publishes. It reports false, and the session ends, if somebody else does so already.
func (s *session) begin() bool {
	publisher, err := s.publish(s.listed)
	if err != nil {
		s.keep(err)
		return false
	}
	s.publisher, s.wishes = publisher, publisher.KeyframeRequests()
	s.source.worked = s.conn.transport
	return true
}

// tick does what is due: late packets, silence, reports, statistics.
func (s *session) tick(now time.Time) error {
	for _, t := range s.tracks {
		t.receiver.Tick(now)
	}
	if err := s.silence(now); err != nil {
		return err
	}
	if now.Sub(s.reported) >= s.source.times.report {
		s.reported = now
		s.report(now)
	}
	s.count()
	return nil
}

// silence ends a session in which no RTP arrives.
func (s *session) silence(now time.Time) error {
	if s.heard.IsZero() { // PLAY is not answered yet
		return nil
	}
	silent := now.Sub(s.heard)
	if s.publisher == nil && !s.last && s.conn.transport != TCP && silent >= s.source.times.silence {
		return errNoPackets
	}
	if silent >= s.source.options.ReadTimeout {
		return &TimeoutError{Missing: "media", After: s.source.options.ReadTimeout}
	}
	return nil
}

// report sends receiver reports, which the engine encrypts where the camera wants SRTP.
func (s *session) report(now time.Time) {
	for _, t := range s.tracks {
		if r := t.reception.report(now); r != nil {
			_ = s.engine.WritePacketRTCP(t.media, r) // fails only if the session ends, or is too slow for reports
		}
	}
}

// count brings the source's statistics up to date.
func (s *session) count() {
	n := Stats{KeyframeRequests: s.ignored}
	if s.publisher != nil {
		n.Transport = s.conn.transport
	}
	for _, t := range s.tracks {
		r := t.receiver.Stats()
		n.Packets += r.Packets
		n.Bytes += r.Bytes
		n.Lost += r.Lost
		n.Malformed += r.Malformed
	}
	s.source.tally.set(n)
}
