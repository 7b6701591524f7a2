package rtpout_test

import (
	"math"
	"testing"
	"time"

	"github.com/pion/rtcp"

	"sluice/hub"
	"sluice/media"
)

// clock is what a sender report tells.
type clock struct{ rtcp.SenderReport }

// instant is the moment that a timestamp stands for by the report, which is of the moment now.
func (c clock) instant(timestamp uint32, rate int, now time.Time) time.Time {
	return now.Add(media.Duration(int64(int32(timestamp-c.RTPTime)), rate))
}

// reports reads the next, of picture and sound.
func (s *stage) reports() (video, audio clock) {
	s.t.Helper()
	n := s.player.Reports(s.now, s.buf[:])
	packets, err := rtcp.Unmarshal(s.buf[:n])
	if err != nil || len(packets) != 3 {
		s.t.Fatalf("%d packets of RTCP in %d bytes: %v", len(packets), n, err)
	}
	v, isReport := packets[0].(*rtcp.SenderReport)
	a, isReportToo := packets[1].(*rtcp.SenderReport)
	names, isNames := packets[2].(*rtcp.SourceDescription)
	if !isReport || !isReportToo || !isNames {
		s.t.Fatalf("%v", packets)
	}
	if v.SSRC != videoSSRC || a.SSRC != audioSSRC || v.NTPTime != a.NTPTime { // E48
		s.t.Errorf("%v", packets)
	}
	if c := names.Chunks; len(c) != 2 || c[0].Source != videoSSRC || c[1].Source != audioSSRC ||
		c[0].Items[0].Text != "sluice" || c[0].Items[0].Type != rtcp.SDESCNAME || c[1].Items[0].Text != "sluice" {
		s.t.Errorf("%v", names)
	}
	seconds := float64(v.NTPTime)/(1<<32) - 2208988800
	if off := seconds - float64(s.now.UnixNano())/1e9; math.Abs(off) > 1e-3 {
		s.t.Errorf("the NTP time is %v s off", off)
	}
	return clock{*v}, clock{*a}
}

// E48: reports go out each second, of those tracks that have sent, and count what was sent.
func TestReports(t *testing.T) {
	s := newStage(t, media.H264)
	s.join(hub.StartKeyframe)
	if n := s.player.Reports(s.now, s.buf[:]); n != 0 {
		t.Errorf("%d bytes before anything was sent", n)
	}
	s.picture(true)
	n := s.player.Reports(s.now, s.buf[:])
	if packets, err := rtcp.Unmarshal(s.buf[:n]); err != nil || len(packets) != 2 {
		t.Errorf("%v, %v", packets, err)
	}
	s.play(24, 100)
	if n := s.player.Reports(s.now, s.buf[:]); n != 0 {
		t.Errorf("%d bytes before a second was over", n)
	}
	s.play(1, 100)
	video, audio := s.reports()
	octets := 0
	for _, p := range s.of(videoSSRC) {
		octets += len(p.Payload)
	}
	if int(video.PacketCount) != len(s.of(videoSSRC)) || int(video.OctetCount) != octets || audio.PacketCount != 50 {
		t.Errorf("%+v and %+v", video, audio)
	}
}
