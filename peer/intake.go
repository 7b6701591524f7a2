package peer

import (
	"fmt"
	"time"

	"sluice/media"
	"sluice/rtpin"
)

// What one publisher may send (I31): far above what a camera or an encoder does, far below what harms the others.
const (
	maxPacketRate = 5000            // packets/s
	maxBitRate    = 50_000_000      // bit/s
	rateWindow    = 2 * time.Second // over which they are measured
)

// FloodError tells that a peer sends more than any encoder does: the connection is ended.
type FloodError struct{}

func (e *FloodError) Error() string {
	return fmt.Sprintf("the peer sends too much: more than %d packets or %d Mbit a second, or streams that were not negotiated",
		maxPacketRate, maxBitRate/1_000_000)
}

// intake is the state of a Reception that Run owns.
type intake struct {
	reception *Reception
	sink      Sink
	sync      *rtpin.Synchronizer
	streams   []*incoming

	window         time.Time // since when packets and bytes are counted
	packets, bytes int
}

// open begins a stream.
func (i *intake) open(in *incoming) error {
	receiver, err := rtpin.NewReceiver(rtpin.Options{
		Track: in.track, Sync: i.sync, Resent: true,
		OnTrack: func(t media.Track) { i.sink.Track(in.rid, t) },
		OnUnit:  func(au *media.AccessUnit) { i.sink.Unit(in.rid, in.track.ID, au) },
		OnLost:  func() { i.reception.RequestKeyframe(in.rid) },
	})
	if err != nil {
		return fmt.Errorf("receive %s: %w", in.track.ID, err)
	}
	in.receiver = receiver
	i.streams = append(i.streams, in)
	i.sink.Track(in.rid, in.track)
	return nil
}

// take handles one packet, or the beginning of a stream, which comes before all of its packets.
func (i *intake) take(a arrival) error {
	switch {
	case a.report != nil:
		a.from.receiver.Report(a.report, a.at)
		return nil
	case a.packet == nil:
		return i.open(a.from)
	}
	i.packets++
	i.bytes += len(a.packet.Payload)
	i.reception.counted.received(len(a.packet.Payload))
	a.from.receiver.Push(a.packet, a.at)
	return nil
}

func (i *intake) tick(now time.Time) error {
	if i.reception.streams.exceeded() {
		return &FloodError{}
	}
	if span := now.Sub(i.window); span >= rateWindow {
		if float64(i.packets) > maxPacketRate*span.Seconds() || float64(i.bytes)*8 > maxBitRate*span.Seconds() {
			return &FloodError{}
		}
		i.window, i.packets, i.bytes = now, 0, 0
	}
	var lost uint64
	for _, in := range i.streams {
		in.receiver.Tick(now)
		lost += in.receiver.Stats().Lost
	}
	i.reception.counted.lost.Store(lost)
	i.sink.Tick(now)
	return nil
}
