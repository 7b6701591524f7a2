package transcode

import (
	"context"
	"log/slog"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"sluice/hub"
	"sluice/media"
	"sluice/worker"
	"sluice/worker/pipeline"
)

// soundsPerPicture is how many sound encoders may run for each picture encoder: one costs a hundredth of a core.
const soundsPerPicture = 8

// maxSnapshots is how many snapshots are made at a time.
const maxSnapshots = 2

// defaultLinger is how long a rendition is made after its last viewer.
const defaultLinger = 10 * time.Second

// Options is what all streams share.
type Options struct {
	Workers       *worker.Pool
	Encoder       string        // of pictures: "auto" or "", or a GStreamer element
	MaxWorkers    int           // picture encoders at a time; 0: one per core
	Linger        time.Duration // how long a rendition is made after its last viewer; 0: 10 s
	AllowElements []string      // that pipelines of the configuration may use although they are refused otherwise
	CacheDir      string        // where the chosen encoders are remembered; "": nowhere
	Log           *slog.Logger  // required
}

// Service is what transcoders of all streams share: the choice of encoders, and how many may run.
type Service struct {
	workers   workers
	chooser   chooser
	allow     []string
	linger    time.Duration
	pictures  *slots
	sounds    *slots
	preroll   bool          // a job begins at live; false only in a benchmark: with all of the cached GOP
	snapshots chan struct{} // capacity maxSnapshots: a place for each that is being made
	log       *slog.Logger

	counts counts

	mu      sync.Mutex
	streams map[*Stream]struct{} // guarded by mu: those that run
}

// counts is what Stats tells that only grows.
type counts struct{ started, restarts, failures, overloads, snapshots atomic.Uint64 }

// New makes a service that does nothing before Run.
func New(o Options) *Service { return newService(o, pool{o.Workers}, NewChooser(chooserOptions(o))) }

func newService(o Options, w workers, c chooser) *Service {
	s := &Service{
		workers: w, chooser: c, allow: o.AllowElements, linger: o.Linger, log: o.Log, preroll: true,
		snapshots: make(chan struct{}, maxSnapshots), streams: make(map[*Stream]struct{}),
	}
	if s.linger == 0 {
		s.linger = defaultLinger
	}
	limit := o.MaxWorkers
	if limit == 0 {
		limit = runtime.NumCPU()
	}
	s.pictures = newSlots(limit, s.signal)
	s.sounds = newSlots(soundsPerPicture*limit, s.signal)
	return s
}

// Run keeps the workers ready and finds out which encoders work, until ctx is done; then it returns the cause. All
// processes are gone then.
func (s *Service) Run(ctx context.Context) error {
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return s.workers.Run(ctx) })
	group.Go(func() error { return s.chooser.Run(ctx) })
	return group.Wait()
}

// Encoder is the element that encodes a codec, the best of those that have proved to work here. It waits until that
// is known.
func (s *Service) Encoder(ctx context.Context, codec media.Codec) (pipeline.Encoder, error) {
	return s.chooser.Encoder(ctx, codec)
}

// Stream makes the transcoder of a stream. It does nothing before its Run.
func (s *Service) Stream(st *hub.Stream, o StreamOptions) *Stream { return newStream(s, st, o) }

// slots are those of a kind.
func (s *Service) slots(kind media.Kind) *slots {
	if kind == media.Audio {
		return s.sounds
	}
	return s.pictures
}

// signal lets all streams look again at what may be made.
func (s *Service) signal() {
	s.mu.Lock()
	all := make([]*Stream, 0, len(s.streams))
	for t := range s.streams {
		all = append(all, t)
	}
	s.mu.Unlock()
	for _, t := range all {
		t.hub.Signal()
	}
}

func (s *Service) add(t *Stream) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.streams[t] = struct{}{}
}

func (s *Service) remove(t *Stream) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.streams, t)
}

// Stats is what a service does now, and what it has done.
type Stats struct {
	Pictures, Sounds int    // encoders that run, those included that nobody watches any more
	MaxPictures      int    // how many picture encoders may
	Started          uint64 // processes of encoders and sinks
	Restarts         uint64 // of those, after one that has failed
	Failures         uint64 // ends that nobody asked for
	Overloads        uint64 // times that an encoder was given less to do, since it could not keep up
	Snapshots        uint64 // pictures that were decoded
}

// Stats may be called from any goroutine.
func (s *Service) Stats() Stats {
	return Stats{
		Pictures: s.pictures.count(), Sounds: s.sounds.count(), MaxPictures: s.pictures.limit,
		Started: s.counts.started.Load(), Restarts: s.counts.restarts.Load(), Failures: s.counts.failures.Load(),
		Overloads: s.counts.overloads.Load(), Snapshots: s.counts.snapshots.Load(),
	}
}
