package rtsp

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/bluenviron/gortsplib/v4"
	"github.com/bluenviron/gortsplib/v4/pkg/description"
	"github.com/pion/rtcp"
	"github.com/pion/rtp"

	"sluice/hub"
	"sluice/ingest"
	"sluice/media"
	"sluice/rtpin"
)

const (
	packetsCapacity = 512
	tickPeriod      = 50 * time.Millisecond // the receivers want to be called each 100 ms
)

// session is one stay at a camera, from DESCRIBE to TEARDOWN. All fields belong to run's goroutine, except that
// the engine's goroutine sends to packets.
type session struct {
	source  *Source
	conn    *conn
	to      target
	publish ingest.Publish
	last    bool // no other transport is left to try

	engine  *gortsplib.Client
	packets chan packet   // capacity packetsCapacity; sent to by the engine until quit, never closed
	quit    chan struct{} // closed when packets is read no more
	wg      sync.WaitGroup

	listed    []media.Track
	tracks    []*track
	publisher *hub.Publisher  // nil before the first packet
	wishes    <-chan struct{} // the publisher's keyframe requests; nil before the first packet
	failure   error           // of publishing or writing
	heard     time.Time       // when the last RTP packet, or the answer to PLAY, came
	reported  time.Time       // when the last receiver reports were sent
	ignored   uint64          // keyframe requests
}

// packet is an RTP or an RTCP packet on its way to its track.
type packet struct {
	track   *track
	rtp     *rtp.Packet
	rtcp    rtcp.Packet
	arrived time.Time
}

// track is one section that plays.
type track struct {
	media     *description.Media
	receiver  *rtpin.Receiver
	reception *reception
}

func newSession(s *Source, c *conn, to target, publish ingest.Publish, last bool) *session {
	return &session{
		source: s, conn: c, to: to, publish: publish, last: last,
		engine:  newEngine(c, to, s.options.ReadTimeout),
		packets: make(chan packet, packetsCapacity), quit: make(chan struct{}),
	}
}

// run plays until the session ends, and returns why. It has sent TEARDOWN, and nothing of it goes on.
func (s *session) run(ctx context.Context) error {
	defer s.source.tally.end()
	defer s.conn.Close()
	if err := s.engine.Start2(); err != nil {
		return fmt.Errorf("start the RTSP engine: %w", err)
	}
	left := make(chan struct{})
	leave := context.AfterFunc(ctx, func() {
		defer close(left)
		s.conn.hurry()
		s.engine.Close()
	})
	err := s.open()
	if err == nil {
		err = s.play(ctx)
	}
	close(s.quit)
	s.engine.Close()
	s.wg.Wait()
	if !leave() {
		<-left
		return ctx.Err()
	}
	return err
}

// open asks what the camera offers and sets up all of it that can be carried.
func (s *session) open() error {
	d, _, err := s.engine.Describe(s.to.url)
	if err != nil {
		return s.explain("DESCRIBE", err)
	}
	o := s.conn.offered()
	s.listed = o.tracks
	sync := rtpin.NewSynchronizer()
	var refusal error
	for i, sec := range o.carried {
		if err := s.setUp(d.BaseURL, d.Medias[i], sec, sync); err != nil {
			if s.conn.cause() != nil || s.mayFallBack(err) {
				return err
			}
			s.skip(sec.track.ID, err)
			refusal = err
		}
	}
	if len(s.tracks) == 0 {
		return refusal
	}
	return nil
}

// mayFallBack reports whether another transport is worth a try, rather than going on without the track.
func (s *session) mayFallBack(err error) bool {
	return len(s.tracks) == 0 && !s.last && blamesTransport(err)
}

// skip lists a track as not carried.
func (s *session) skip(id string, why error) {
	for i := range s.listed {
		if s.listed[i].ID == id {
			s.listed[i].Skipped = why.Error()
		}
	}
}
