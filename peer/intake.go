package peer

import (
	"fmt"
	"time"

	"sluice/media"
	"sluice/rtpin"
)

// intake is the state of a Reception that Run owns.
type intake struct {
	reception *Reception
	sink      Sink
	sync      *rtpin.Synchronizer
	streams   []*incoming // that have begun
}

// open begins a stream.
func (i *intake) open(in *incoming) error {
	receiver, err := rtpin.NewReceiver(rtpin.Options{
		Track: in.track, Sync: i.sync, Resent: true,
		OnTrack: func(t media.Track) { i.sink.Track(in.rid, t) },
		OnUnit:  func(au *media.AccessUnit) { i.finished(in, au) },
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

func (i *intake) finished(in *incoming, au *media.AccessUnit) {
	if au.Keyframe && in.track.Kind == media.Video {
		in.wish.fulfilled()
	}
	i.sink.Unit(in.rid, in.track.ID, au)
}

// take handles one packet. The first one begins its stream.
func (i *intake) take(a arrival) error {
	if a.report != nil {
		if a.to.receiver != nil {
			a.to.receiver.Report(a.report, a.at)
		}
		return nil
	}
	if a.to.receiver == nil {
		if err := i.open(a.to); err != nil {
			return err
		}
	}
	i.reception.counted.received(len(a.packet.Payload))
	a.to.receiver.Push(a.packet, a.at)
	return nil
}

func (i *intake) tick(now time.Time) {
	var lost, malformed uint64
	for _, in := range i.streams {
		in.receiver.Tick(now)
		if in.wish.due(now) {
			i.reception.askKeyframe(in)
		}
		s := in.receiver.Stats()
		lost += s.Lost
		malformed += s.Malformed
	}
	i.reception.counted.lost.Store(lost)
	i.reception.counted.malformed.Store(malformed)
	i.sink.Tick(now)
}
