package fanout

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/pion/rtcp"
)

// told writes down what it is told.
type told []string

func (l *told) add(format string, args ...any) { *l = append(*l, fmt.Sprintf(format, args...)) }

func (l *told) nack(ssrc uint32, first, mask uint16) { l.add("nack %d %d %016b", ssrc, first, mask) }
func (l *told) keyframe(ssrc uint32)                 { l.add("keyframe %d", ssrc) }
func (l *told) report(ssrc uint32, r receptionReport) {
	l.add("report %d %d %d %d %d %d %d", ssrc, r.fraction, r.lost, r.highest, r.jitter, r.lastSR, r.delay)
}
func (l *told) remb(bitrate uint64) { l.add("remb %d", bitrate) }
func (l *told) bye()                { l.add("bye") }

// compound is what pion makes of packets.
func compound(t testing.TB, packets ...rtcp.Packet) []byte {
	t.Helper()
	data, err := rtcp.Marshal(packets)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// packet is one with a body of our own making; its length is right.
func packet(kind byte, count int, body ...byte) []byte {
	p := []byte{0x80 | byte(count), kind, 0, 0}
	binary.BigEndian.PutUint16(p[2:], uint16(len(body)/4))
	return append(p, body...)
}

// lying is a packet whose length says something else.
func lying(data []byte, words uint16) []byte {
	data = slices.Clone(data)
	binary.BigEndian.PutUint16(data[2:], words)
	return data
}

var (
	block  = rtcp.ReceptionReport{SSRC: 7, FractionLost: 64, TotalLost: 0xFFFFFF, LastSequenceNumber: 1<<16 | 5, Jitter: 9, LastSenderReport: 11, Delay: 13}
	blockS = "report 7 64 -1 65541 9 11 13"
)

// remb is a REMB with an exponent and a mantissa of its own.
func remb(exponent, mantissa uint32, ssrcs byte) []byte {
	body := append(make([]byte, 8), "REMB"...)
	body = binary.BigEndian.AppendUint32(body, uint32(ssrcs)<<24|exponent<<18|mantissa)
	return packet(206, 15, append(body, make([]byte, 4*int(ssrcs))...)...)
}

func repeat(p []byte, n int) []byte { return slices.Repeat(p, n) }

// J121
func TestReadFeedback(t *testing.T) {
	rr := compound(t, &rtcp.ReceiverReport{SSRC: 1, Reports: []rtcp.ReceptionReport{block}})
	sr := compound(t, &rtcp.SenderReport{SSRC: 1, Reports: []rtcp.ReceptionReport{block, block}})
	pli := compound(t, &rtcp.PictureLossIndication{SenderSSRC: 1, MediaSSRC: 7})
	nack := compound(t, &rtcp.TransportLayerNack{SenderSSRC: 1, MediaSSRC: 7, Nacks: []rtcp.NackPair{{PacketID: 5, LostPackets: 3}, {PacketID: 65535}}})
	fir := compound(t, &rtcp.FullIntraRequest{SenderSSRC: 1, FIR: []rtcp.FIREntry{{SSRC: 7, SequenceNumber: 1}, {SSRC: 8}}})
	sdes := compound(t, rtcp.NewCNAMESourceDescription(1, "viewer"))
	nackS := []string{"nack 7 5 0000000000000011", "nack 7 65535 0000000000000000"}
	padded := append(slices.Clone(pli), 0, 0, 0, 4)
	padded[0] |= 0x20
	padded = lying(padded, 3)
	for name, c := range map[string]struct {
		data []byte
		want []string
		ok   bool
	}{
		"nothing":               {nil, nil, true},
		"receiver report":       {rr, []string{blockS}, true},
		"sender report":         {sr, []string{blockS, blockS}, true},
		"PLI":                   {pli, []string{"keyframe 7"}, true},
		"FIR":                   {fir, []string{"keyframe 7", "keyframe 8"}, true},
		"NACK":                  {nack, nackS, true},
		"compound":              {slices.Concat(rr, sdes, nack, pli), slices.Concat([]string{blockS}, nackS, []string{"keyframe 7"}), true},
		"REMB of 2.5 Mbit/s":    {compound(t, &rtcp.ReceiverEstimatedMaximumBitrate{SenderSSRC: 1, Bitrate: 2.5e6, SSRCs: []uint32{7}}), []string{"remb 2500000"}, true},
		"REMB of 2^63":          {remb(46, 1<<17, 1), []string{fmt.Sprintf("remb %d", uint64(1)<<63)}, true},
		"REMB beyond 64 bits":   {remb(63, 1<<17, 1), []string{fmt.Sprintf("remb %d", uint64(math.MaxUint64))}, true},
		"REMB of 0":             {remb(63, 0, 1), nil, true},
		"REMB without its SSRC": {lying(remb(1, 1, 1), 4)[:20], nil, false},
		"REMB of no SSRC":       {remb(1, 1, 0), []string{"remb 2"}, true},
		"another message of the application layer": {packet(206, 15, make([]byte, 16)...), nil, true},
		"padded":                    {padded, []string{"keyframe 7"}, true},
		"padding in the middle":     {append(slices.Clone(padded), pli...), nil, false},
		"padding of 0":              {append(slices.Clone(padded[:15]), 0), nil, false},
		"padding beyond the packet": {append(slices.Clone(padded[:15]), 252), nil, false},
		"padding of 3":              {append(slices.Clone(padded[:15]), 3), nil, false},
		"padding of no body":        {[]byte{0xA0, 200, 0, 0}, nil, false},

		"version 0":                          {append([]byte{0x01}, pli[1:]...), nil, false},
		"version 3":                          {append([]byte{0xC1}, pli[1:]...), nil, false},
		"three bytes":                        {pli[:3], nil, false},
		"a header alone":                     {packet(205, 1), nil, false},
		"length beyond the end":              {lying(pli, 3), nil, false},
		"length 65535":                       {lying(pli, 65535), nil, false},
		"length 0":                           {lying(pli, 0), nil, false},
		"a lie after the truth":              {append(slices.Clone(rr), lying(pli, 9)...), []string{blockS}, false},
		"31 blocks in one's room":            {append([]byte{0x80 | 31}, rr[1:]...), nil, false},
		"sender report of a receiver's size": {packet(200, 0, make([]byte, 20)...), nil, false},
		"an empty NACK":                      {packet(205, 1, make([]byte, 8)...), nil, false},
		"NACK with FMT 31":                   {append([]byte{0x80 | 31}, nack[1:]...), nil, true},
		"an empty FIR":                       {packet(206, 4, make([]byte, 8)...), nil, false},
		"half a FIR":                         {packet(206, 4, make([]byte, 12)...), nil, false},
		"short PLI":                          {packet(206, 1, make([]byte, 4)...), nil, false},
		"256 NACKs":                          {packet(205, 1, make([]byte, 8+4*256)...), repeatS("nack 0 0 0000000000000000", 256), true},
		"1000 NACKs":                         {packet(205, 1, make([]byte, 8+4*1000)...), repeatS("nack 0 0 0000000000000000", 256), false},
		"200 FIRs, 200 NACKs":                {append(packet(206, 4, make([]byte, 8+8*200)...), packet(205, 1, make([]byte, 8+4*200)...)...), append(repeatS("keyframe 0", 200), repeatS("nack 0 0 0000000000000000", 56)...), false},
		"compound of 64":                     {repeat(pli, 64), repeatS("keyframe 7", 64), true},
		"compound of 500":                    {repeat(pli, 500), repeatS("keyframe 7", 64), false},
		"compound of 500 empty":              {repeat([]byte{0x80, 204, 0, 0}, 500), nil, false},

		"TWCC of 65535 statuses":  {packet(205, 15, 0, 0, 0, 1, 0, 0, 0, 7, 0, 1, 0xFF, 0xFF, 0, 0, 0, 0, 0xFF, 0xFF, 0xFF, 0xFF), nil, true},
		"XR garbage":              {append(packet(207, 31, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF), pli...), []string{"keyframe 7"}, true},
		"SDES item overrun":       {append(packet(202, 31, 0, 0, 0, 1, 1, 0xFF, 'x', 'x'), pli...), []string{"keyframe 7"}, true},
		"APP":                     {append(packet(204, 0, make([]byte, 12)...), pli...), []string{"keyframe 7"}, true},
		"an unknown type":         {append(packet(255, 3, make([]byte, 12)...), pli...), []string{"keyframe 7"}, true},
		"SR of NTP 0":             {compound(t, &rtcp.SenderReport{SSRC: 1}), nil, true},
		"SR after 2036":           {compound(t, &rtcp.SenderReport{SSRC: 1, NTPTime: 5}), nil, true},
		"BYE":                     {slices.Concat(rr, compound(t, &rtcp.Goodbye{Sources: []uint32{4, 1}, Reason: "bored"})), []string{blockS, "bye"}, true},
		"BYE for a foreign SSRC":  {slices.Concat(rr, compound(t, &rtcp.Goodbye{Sources: []uint32{7}})), []string{blockS}, true},
		"BYE for nobody":          {slices.Concat(rr, packet(203, 0)), []string{blockS}, true},
		"BYE of more than it has": {packet(203, 31, 0, 0, 0, 1), nil, false},
	} {
		t.Run(name, func(t *testing.T) {
			var l told
			err := readFeedback(c.data, &l)
			if (err == nil) != c.ok || err != nil && !errors.Is(err, errMalformedRTCP) {
				t.Errorf("reading ends with %v", err)
			}
			if !slices.Equal(l, c.want) {
				t.Errorf("it says\n%s\nnot\n%s", strings.Join(l, "\n"), strings.Join(c.want, "\n"))
			}
		})
	}
}

func repeatS(s string, n int) []string { return slices.Repeat([]string{s}, n) }

// count counts what it is told.
type count int

func (c *count) nack(uint32, uint16, uint16)    { *c++ }
func (c *count) keyframe(uint32)                { *c++ }
func (c *count) report(uint32, receptionReport) { *c++ }
func (c *count) remb(uint64)                    { *c++ }
func (c *count) bye()                           { *c++ }

func TestAllocationsOfFeedback(t *testing.T) {
	data := usual(t)
	var c count
	if n := testing.AllocsPerRun(100, func() {
		if err := readFeedback(data, &c); err != nil {
			t.Fatal(err)
		}
	}); n > 0 {
		t.Errorf("%v allocations to read feedback", n)
	}
	if c == 0 {
		t.Error("nothing was read")
	}
}

// usual is what Chromium sends when a packet is lost: a report with its name, a NACK and a REMB.
func usual(t testing.TB) []byte {
	t.Helper()
	return compound(t, &rtcp.ReceiverReport{SSRC: 1, Reports: []rtcp.ReceptionReport{block, block}},
		rtcp.NewCNAMESourceDescription(1, "viewer"),
		&rtcp.TransportLayerNack{SenderSSRC: 1, MediaSSRC: 7, Nacks: []rtcp.NackPair{{PacketID: 5, LostPackets: 3}}},
		&rtcp.ReceiverEstimatedMaximumBitrate{SenderSSRC: 1, Bitrate: 2.5e6, SSRCs: []uint32{7}})
}

// silentREMB reports whether there is a REMB of mantissa 0, which pion reads as another rate.
func silentREMB(data []byte) bool {
	for {
		at := bytes.Index(data, []byte("REMB"))
		if at < 0 || len(data) < at+8 {
			return false
		}
		if binary.BigEndian.Uint32(data[at+4:])&0x3FFFF == 0 {
			return true
		}
		data = data[at+4:]
	}
}

// FuzzReadFeedback compares with pion/rtcp where both accept a packet, and holds the bounds where not.
func FuzzReadFeedback(f *testing.F) {
	f.Add(usual(f))
	f.Add(usual(f)[8:])
	f.Add(compound(f, &rtcp.SenderReport{SSRC: 1, Reports: []rtcp.ReceptionReport{block}}, &rtcp.Goodbye{Sources: []uint32{1}}))
	f.Add(compound(f, &rtcp.FullIntraRequest{SenderSSRC: 1, FIR: []rtcp.FIREntry{{SSRC: 7}}}, &rtcp.PictureLossIndication{MediaSSRC: 7}))
	f.Add(remb(63, 1<<17, 1))
	f.Add(packet(205, 1, make([]byte, 8+4*300)...))
	f.Add(repeat([]byte{0x80, 204, 0, 0}, 70))
	f.Fuzz(func(t *testing.T, data []byte) {
		var ours told
		err := readFeedback(data, &ours)
		if len(ours) > maxEntries+maxCompound*31 {
			t.Errorf("%d bytes say %d things", len(data), len(ours))
		}
		packets, oracleErr := rtcp.Unmarshal(data)
		if err != nil || oracleErr != nil || silentREMB(data) {
			return
		}
		if theirs := oracle(packets); !slices.Equal(ours, theirs) {
			t.Errorf("we read\n%s\npion reads\n%s", strings.Join(ours, "\n"), strings.Join(theirs, "\n"))
		}
	})
}

// oracle is what packets say as pion reads them.
func oracle(packets []rtcp.Packet) (l told) {
	reports := func(list []rtcp.ReceptionReport) {
		for _, r := range list {
			l.report(r.SSRC, receptionReport{r.FractionLost, int32(r.TotalLost<<8) >> 8, r.LastSequenceNumber, r.Jitter, r.LastSenderReport, r.Delay})
		}
	}
	for _, p := range packets {
		switch p := p.(type) {
		case *rtcp.SenderReport:
			reports(p.Reports)
		case *rtcp.ReceiverReport:
			reports(p.Reports)
		case *rtcp.TransportLayerNack:
			for _, n := range p.Nacks {
				l.nack(p.MediaSSRC, n.PacketID, uint16(n.LostPackets))
			}
		case *rtcp.PictureLossIndication:
			l.keyframe(p.MediaSSRC)
		case *rtcp.FullIntraRequest:
			for _, e := range p.FIR {
				l.keyframe(e.SSRC)
			}
		case *rtcp.ReceiverEstimatedMaximumBitrate:
			if rate := clamp(p.Bitrate); rate > 0 {
				l.remb(rate)
			}
		case *rtcp.Goodbye:
			if slices.Contains(p.Sources, sender(packets[0])) {
				l.bye()
			}
		}
	}
	return l
}

func clamp(rate float32) uint64 {
	if rate >= math.MaxUint64 {
		return math.MaxUint64
	}
	return uint64(rate)
}

// sender is who sent a packet.
func sender(p rtcp.Packet) uint32 {
	data, err := p.Marshal()
	if err != nil || len(data) < 8 {
		return 0
	}
	return binary.BigEndian.Uint32(data[4:])
}
