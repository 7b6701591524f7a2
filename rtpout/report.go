package rtpout

import (
	"encoding/binary"
	"time"
)

// reportInterval is how often sender reports are sent.
const reportInterval = time.Second

const (
	typeSenderReport      = 200
	typeSourceDescription = 202
	senderReportSize      = 28
	itemCNAME             = 1
)

// Reports writes the sender reports of all tracks that have sent, and the names of their sources, as one compound
// packet without encryption (RFC 3550 6.1) if a second has passed since the last, and returns its length; else 0. All
// are of one reading of the clock (E48). dst has at least MaxPacket bytes.
func (p *Player) Reports(now time.Time, dst []byte) int {
	p.tell(now)
	if p.reports && p.now-p.reported < int64(reportInterval) {
		return 0
	}
	n, sources := 0, 0
	for i := range p.tracks {
		t := &p.tracks[i]
		t.history.shrink(p.milliseconds())
		if t.packets > 0 {
			n += t.report(now, dst[n:])
			sources++
		}
	}
	if sources == 0 {
		return 0
	}
	p.reports, p.reported = true, p.now
	return n + p.describe(dst[n:], sources)
}

// report writes a sender report (RFC 3550 6.4.1) that tells of nothing received.
func (t *track) report(now time.Time, dst []byte) int {
	rtcpHeader(dst, 0, typeSenderReport, senderReportSize)
	binary.BigEndian.PutUint32(dst[4:], t.ssrc)
	binary.BigEndian.PutUint64(dst[8:], wallClock(now))
	binary.BigEndian.PutUint32(dst[16:], t.timestamp(now))
	binary.BigEndian.PutUint32(dst[20:], t.packets)
	binary.BigEndian.PutUint32(dst[24:], t.octets)
	return senderReportSize
}

// describe writes the source description (RFC 3550 6.5) of those tracks that report.
func (p *Player) describe(dst []byte, sources int) int {
	n := 4
	for i := range p.tracks {
		if t := &p.tracks[i]; t.packets > 0 {
			n += t.describe(dst[n:])
		}
	}
	rtcpHeader(dst, sources, typeSourceDescription, n)
	return n
}

// describe writes a chunk of one item, which ends with one to four zeros.
func (t *track) describe(dst []byte) int {
	binary.BigEndian.PutUint32(dst, t.ssrc)
	dst[4], dst[5] = itemCNAME, byte(len(t.out.CNAME))
	n := 6 + copy(dst[6:], t.out.CNAME)
	end := (n + 4) &^ 3
	clear(dst[n:end])
	return end
}

func rtcpHeader(dst []byte, count int, kind byte, size int) {
	dst[0], dst[1] = rtpVersion|byte(count), kind
	binary.BigEndian.PutUint16(dst[2:], uint16(size/4-1))
}
