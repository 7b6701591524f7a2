//go:build linux

package main

import (
	"errors"
	"sort"
	"time"

	"github.com/pion/rtcp"

	"sluice/media"
)

// sounds is what a viewer heard, with the reports that tie its clocks together.
type sounds struct {
	seen           []came
	picture, sound *rtcp.SenderReport
}

func (v *viewer) sounds() *sounds {
	return &sounds{seen: v.sound.seen(), picture: v.report(true), sound: v.report(false)}
}

var errNoReports = errors.New("no sender reports on picture and sound came")

// soundTook is how long sound was on its way: from when the camera sent the first sample of a packet, had it sent each
// sample by itself, until that packet came. all is what the camera sent, at sentRate, and rate is that of what came. The
// pictures tell what the camera's time is at the viewer, and sender reports what sound's time stamps are in it
// (RFC 3550, section 6.4.1).
func (s *script) soundTook(all []sent, sentRate int, heard *sounds, rate int, from, to time.Time) ([]time.Duration, error) {
	if heard.picture == nil || heard.sound == nil {
		return nil, errNoReports
	}
	begins := media.Duration(int64(heard.picture.RTPTime-s.offset), 90000) + apart(heard.picture, heard.sound)
	var took []time.Duration
	for _, c := range between(heard.seen, from, to) {
		at := begins + media.Duration(int64(int32(c.timestamp-heard.sound.RTPTime)), rate)
		i := sort.Search(len(all), func(i int) bool { return media.Duration(int64(all[i].timestamp), sentRate) > at })
		if i > 0 {
			unit := all[i-1]
			took = append(took, c.at.Sub(unit.at)-(at-media.Duration(int64(unit.timestamp), sentRate)))
		}
	}
	return took, nil
}

// apart is the time from one report to another, by the sender's clock of 2^-32 s.
func apart(from, to *rtcp.SenderReport) time.Duration {
	const bits = 32
	d := int64(to.NTPTime - from.NTPTime)
	return time.Duration(d>>bits)*time.Second + time.Duration((d&(1<<bits-1))*int64(time.Second)>>bits)
}
