package transcode

import (
	"context"

	"sluice/media"
	"sluice/worker"
	"sluice/worker/pipeline"
	"sluice/worker/wire"
)

// workers starts processes. It is a *worker.Pool but in tests.
type workers interface {
	Run(ctx context.Context) error
	Err() error
	Start(ctx context.Context, s worker.Spec) (process, error)
}

// process is what is used of a *worker.Process.
type process interface {
	Next(ctx context.Context) (worker.Event, error)
	Write(m *wire.Message, parts ...[]byte) bool
	RequestKeyframe(track uint8)
	SetBitrate(track uint8, bps int)
	EndOfStream()
	Stats() worker.Stats
	Close()
}

// pool is the real workers.
type pool struct{ *worker.Pool }

// Start implements workers.
func (p pool) Start(ctx context.Context, s worker.Spec) (process, error) {
	started, err := p.Pool.Start(ctx, s)
	if err != nil {
		return nil, err
	}
	return started, nil
}

// chooser chooses the encoder of a codec. It is a *Chooser but in tests.
type chooser interface {
	Run(ctx context.Context) error
	Encoder(ctx context.Context, codec media.Codec) (pipeline.Encoder, error)
	Failed(e pipeline.Encoder)
}
