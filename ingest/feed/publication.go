package feed

import (
	"slices"
	"time"

	"sluice/hub"
	"sluice/ingest"
	"sluice/media"
)

// publication is the writing end that outlives processes. It belongs to the goroutine that runs the feed.
type publication struct {
	publish   ingest.Publish // fixed
	publisher *hub.Publisher // nil before the first time
	tracks    []media.Track  // as they were published
	began     time.Time      // when the running process gave its first frame
	heard     time.Time      // when the newest frame came
}

// open publishes tracks. The publisher stays if the same kinds of tracks have come back.
func (p *publication) open(tracks []media.Track) error {
	if p.publisher != nil && slices.EqualFunc(tracks, p.tracks, same) {
		for _, t := range tracks {
			if err := p.publisher.Update(t); err != nil {
				return err
			}
		}
		return nil
	}
	publisher, err := p.publish(tracks)
	if err != nil {
		return err
	}
	p.publisher, p.tracks = publisher, tracks
	return nil
}

// same reports whether units of b can follow those of a.
func same(a, b media.Track) bool {
	return a.ID == b.ID && a.Kind == b.Kind && a.Codec == b.Codec && a.ClockRate == b.ClockRate && a.Channels == b.Channels
}
