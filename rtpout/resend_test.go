package rtpout_test

import (
	"bytes"
	"encoding/binary"
	"testing"
	"time"

	"sluice/hub"
	"sluice/media"
	"sluice/rtpout"
)

// resent asks for a packet and takes all that is sent again.
func (s *stage) resent(sequence uint16) (all []packet) {
	s.t.Helper()
	s.player.Nack(s.now, videoSSRC, sequence)
	for {
		n := s.player.NextResend(s.now, s.buf[:])
		if n == 0 {
			return all
		}
		all = append(all, s.parse(s.buf[:n]))
	}
}

// joinWithout joins without RTX.
func (s *stage) joinWithoutRTX(start hub.Start) {
	s.t.Helper()
	all := s.outgoing()
	all[0].RTX, all[0].RTXSSRC = 0, 0
	s.joinWith(rtpout.Feed{Stream: s.stream, Rendition: "main", Start: start}, all)
}

// B13, F27: what is asked for again is the packet that was sent, in the wrapping of RFC 4588, with numbers of its own
// that have no gap; without RTX it is the same packet, byte by byte. Picture IDs are the viewer's (F32).
func TestResends(t *testing.T) {
	for _, codec := range videoCodecs {
		for _, rtx := range []bool{true, false} {
			name := string(codec)
			if rtx {
				name += " by RTX"
			}
			t.Run(name, func(t *testing.T) {
				s := newStage(t, codec)
				s.play(30, 100) // so that picture IDs differ from those that were cut
				if s.joinWithoutRTX(hub.StartKeyframe); rtx {
					s.player.Close()
					s.join(hub.StartKeyframe)
				}
				s.play(20, 100)
				s.source.Close()
				s.publish()
				s.play(20, 100)
				s.pictures()
				checkResends(t, s, rtx)
			})
		}
	}
}

func checkResends(t *testing.T, s *stage, rtx bool) {
	t.Helper()
	var before *packet
	for _, want := range s.of(videoSSRC)[100:] {
		all := s.resent(want.SequenceNumber)
		if len(all) != 1 {
			t.Fatalf("%d packets", len(all))
		}
		got := all[0]
		if rtx {
			if before != nil && got.SequenceNumber != before.SequenceNumber+1 {
				t.Errorf("resend %d after %d", got.SequenceNumber, before.SequenceNumber)
			}
			before = &all[0]
			got = unwrap(t, s, got)
		}
		if !bytes.Equal(got.raw, want.raw) {
			t.Fatalf("got\n%x, want\n%x", got.raw, want.raw)
		}
	}
}

// unwrap takes a packet out of a resend (RFC 4588 4).
func unwrap(t *testing.T, s *stage, p packet) packet {
	t.Helper()
	if p.SSRC != rtxSSRC || p.PayloadType != rtxPT {
		t.Fatalf("%v", p.Header)
	}
	p.SSRC, p.PayloadType = videoSSRC, videoPT
	p.SequenceNumber = binary.BigEndian.Uint16(p.Payload)
	p.Payload = p.Payload[2:]
	raw, err := p.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	return s.parse(raw)
}

// Packets of a burst can be had again while it goes on, those to come cannot be had before; after more than a round
// of all sequence numbers the right packets are found.
func TestResendsDuringABurstAndAfterAWrap(t *testing.T) {
	s := newStage(t, media.VP8)
	s.size = 40_000
	s.play(100, 100)
	s.join(hub.StartGOP)
	sent := s.of(videoSSRC)
	for _, p := range []packet{sent[0], sent[len(sent)-1]} {
		if all := s.resent(p.SequenceNumber); len(all) != 1 || !bytes.Equal(unwrap(t, s, all[0]).raw, p.raw) {
			t.Fatalf("%d packets sent again", len(all))
		}
	}
	if all := s.resent(sent[len(sent)-1].SequenceNumber + 1); len(all) != 0 {
		t.Error("a packet was sent again that has not been sent")
	}
	s.play(2000, 50)
	s.pictures()
	sent = s.of(videoSSRC)
	if len(sent) < 66_000 {
		t.Fatalf("%d packets", len(sent))
	}
	for _, p := range sent[len(sent)-50:] {
		if all := s.resent(p.SequenceNumber); len(all) != 1 || !bytes.Equal(unwrap(t, s, all[0]).raw, p.raw) {
			t.Fatalf("%d packets sent again", len(all))
		}
	}
}

// What is not there to be sent again is counted, and nothing more; so for a track that has no NACK.
func TestNacksThatCannotBeServed(t *testing.T) {
	s := newStage(t, media.H264)
	s.join(hub.StartKeyframe)
	s.player.Nack(s.now, videoSSRC, 1)
	s.play(5, 100)
	first := s.of(videoSSRC)[0]
	s.play(500, 20)
	asked := s.player.Stats().Resends
	if all := s.resent(first.SequenceNumber); len(all) != 0 {
		t.Errorf("%d packets that the ring has freed", len(all))
	}
	s.source.Close()
	s.publish() // clears the ring
	last := s.of(videoSSRC)[len(s.of(videoSSRC))-1]
	if all := s.resent(last.SequenceNumber); len(all) != 0 {
		t.Errorf("%d packets of a source that is gone", len(all))
	}
	if st := s.player.Stats(); st.Resends != asked+2 || st.Refused != 0 || st.Resent != 0 {
		t.Errorf("%+v", st)
	}
	s.player.Nack(s.now, audioSSRC, s.of(audioSSRC)[0].SequenceNumber)
	s.player.Nack(s.now, 77, 1)
	if st := s.player.Stats(); st.Resends != asked+2 || s.player.NextResend(s.now, s.buf[:]) != 0 {
		t.Errorf("%+v", st)
	}
}

// J123: a viewer that asks for all that is kept, every 10 ms, gets a fifth of what it is sent, beside a burst at the
// start, and each packet at most once within a round-trip time; what is refused is counted.
func TestNackFlood(t *testing.T) {
	for name, rtt := range map[string]time.Duration{"near": 0, "far": 200 * time.Millisecond} {
		t.Run(name, func(t *testing.T) {
			s := newStage(t, media.H264)
			s.size = 12_000
			s.join(hub.StartKeyframe)
			s.player.RTT(rtt)
			again, sent, resent := 0, 0, 0
			latest := map[uint16]time.Time{}
			for i := range 1000 {
				if i%4 == 0 {
					s.picture(i%200 == 0)
				}
				s.pass(10 * time.Millisecond)
				for _, p := range s.got[max(0, len(s.got)-500):] {
					s.player.Nack(s.now, videoSSRC, p.SequenceNumber)
				}
				for n := s.player.NextResend(s.now, s.buf[:]); n > 0; n = s.player.NextResend(s.now, s.buf[:]) {
					p := s.parse(s.buf[:n])
					original := unwrap(t, s, p).SequenceNumber
					if before, ok := latest[original]; ok && s.now.Sub(before) < max(rtt, 10*time.Millisecond) {
						t.Fatalf("a packet was sent again after %v", s.now.Sub(before))
					}
					latest[original] = s.now
					again += len(p.Payload) - 2
					resent++
				}
			}
			for _, p := range s.of(videoSSRC) {
				sent += len(p.Payload)
			}
			if most := sent/5 + 128<<10; again > most || again < sent/6 {
				t.Errorf("%d bytes for the first time and %d again", sent, again)
			}
			if st := s.player.Stats(); st.Refused == 0 || int(st.Resent) != resent || int(st.Bytes) != sent {
				t.Errorf("%+v", st)
			}
		})
	}
}
