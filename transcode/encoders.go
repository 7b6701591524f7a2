package transcode

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"time"

	"sluice/media"
	"sluice/worker"
	"sluice/worker/pipeline"
	"sluice/worker/wire"
)

// Workers is what a Chooser needs of a worker.Pool.
type Workers interface {
	Start(ctx context.Context, s worker.Spec) (process, error)
	// Greeting tells the version of GStreamer.
	Greeting(ctx context.Context) (wire.Greeting, error)
}

// ChooserOptions says how a Chooser chooses.
type ChooserOptions struct {
	Encoder  string // of pictures: an element, or "auto" or ""
	CacheDir string // where choices are remembered; "": nowhere
	Log      *slog.Logger
}

// An encoder that failed is tried again some time later. If none is left, that is sooner.
const (
	benched  = 10 * time.Minute
	hopeless = 30 * time.Second
)

// Chooser finds out which encoder to use by really encoding: that an element is installed says little. Each candidate
// runs in a process of its own, for it may crash or hang.
type Chooser struct {
	workers Workers
	options ChooserOptions
	memory  memory
	turn    chan struct{} // capacity 1: full while somebody tries encoders

	verdicts verdicts
	loaded   bool // owned by who has the turn
}

// NewChooser makes a Chooser that knows nothing yet.
func NewChooser(w Workers, o ChooserOptions) *Chooser {
	return &Chooser{
		workers: w, options: o, memory: memory{folder: o.CacheDir, log: o.Log},
		turn: make(chan struct{}, 1), verdicts: verdicts{all: map[candidate]verdict{}},
	}
}

// chooserOptions are the arguments of NewChooser.
func chooserOptions(o Options) (Workers, ChooserOptions) {
	return pool{o.Workers}, ChooserOptions{Encoder: o.Encoder, CacheDir: o.CacheDir, Log: o.Log}
}

// Run chooses an encoder of H264 before anybody needs one, and returns the cause when ctx is done. That none works is
// logged; that there is no worker is what many want, and no more than a word.
func (c *Chooser) Run(ctx context.Context) error {
	if _, err := c.Encoder(ctx, media.H264); err != nil && ctx.Err() == nil {
		level := slog.LevelWarn
		if errors.As(err, new(*worker.NotInstalledError)) {
			level = slog.LevelInfo
		} else if errors.As(err, new(*worker.OffError)) {
			level = slog.LevelDebug
		}
		c.options.Log.Log(ctx, level, "nothing can be transcoded to H.264", "err", err)
	}
	<-ctx.Done()
	return context.Cause(ctx)
}

// Encoder is the best encoder of a codec that works here. The first call for a picture's codec takes a moment, in
// which others wait. Errors are *EncoderKeyError, *NoEncoderError, *pipeline.UnencodableError, those of
// worker.Pool.Start and the cause of ctx.
func (c *Chooser) Encoder(ctx context.Context, codec media.Codec) (pipeline.Encoder, error) {
	all, configured := c.candidates(codec)
	if len(all) == 0 {
		return pipeline.Encoder{}, &pipeline.UnencodableError{Codec: codec}
	}
	if !isPicture(codec) { // one encoder each, and no chip to trust
		return all[0], nil
	}
	select {
	case c.turn <- struct{}{}:
		defer func() { <-c.turn }()
	case <-ctx.Done():
		return pipeline.Encoder{}, context.Cause(ctx)
	}
	e, err := c.choose(ctx, all)
	if none := (*NoEncoderError)(nil); configured && errors.As(err, &none) {
		v, _ := c.verdicts.of(all[0])
		return e, &EncoderKeyError{Element: all[0].Element, Err: v.err}
	}
	return e, err
}

// Failed is told that an encoder fails at work again and again: the next one is chosen for ten minutes. An encoder
// that the configuration names has no next one.
func (c *Chooser) Failed(e pipeline.Encoder) {
	if _, configured := c.candidates(e.Codec); configured {
		return
	}
	c.options.Log.Warn("an encoder keeps failing and is not used for a while", "encoder", e.Element, "codec", e.Codec, "for", benched)
	c.verdicts.set(e, verdict{err: errKeepsFailing, until: time.Now().Add(benched)})
}

// candidates are the encoders to try, best first; the configuration may name one.
func (c *Chooser) candidates(codec media.Codec) (list []pipeline.Encoder, configured bool) {
	all := pipeline.Encoders(codec)
	element := c.options.Encoder
	if element == "" || element == "auto" || !isPicture(codec) {
		return all, false
	}
	inTable := func(e pipeline.Encoder) bool { return e.Element == element }
	other := codec == media.H264 && slices.ContainsFunc(pipeline.Encoders(media.VP8), inTable)
	if other || codec != media.H264 && !slices.ContainsFunc(all, inTable) {
		return all, false // it is that of another codec
	}
	return []pipeline.Encoder{pipeline.FindEncoder(element, codec)}, true
}

func isPicture(codec media.Codec) bool { return codec == media.H264 || codec == media.VP8 }

// choose needs the turn.
func (c *Chooser) choose(ctx context.Context, all []pipeline.Encoder) (pipeline.Encoder, error) {
	if err := c.recall(ctx); err != nil {
		return pipeline.Encoder{}, err
	}
	for {
		left := slices.DeleteFunc(slices.Clone(all), c.verdicts.exclude)
		if len(left) == 0 {
			return pipeline.Encoder{}, c.giveUp(all)
		}
		if v, known := c.verdicts.of(left[0]); known && v.err == nil {
			return left[0], nil
		}
		if err := c.tryFirst(ctx, left); err != nil {
			return pipeline.Encoder{}, err
		}
	}
}

// tryFirst comes to a verdict on at least one encoder. The error is one of ctx or of the workers as a whole.
func (c *Chooser) tryFirst(ctx context.Context, list []pipeline.Encoder) error {
	o, err := c.try(ctx, list)
	if err != nil {
		return err
	}
	if o.tried < 0 { // one of them failed without a word
		return c.trySingly(ctx, list)
	}
	for _, e := range list[:o.tried] {
		c.note(e, notInstalled(e))
	}
	if o.tried < len(list) {
		c.note(list[o.tried], o.err)
	}
	return nil
}

// trySingly goes on until it finds one that is installed.
func (c *Chooser) trySingly(ctx context.Context, list []pipeline.Encoder) error {
	for i, e := range list {
		o, err := c.try(ctx, list[i:i+1])
		if err != nil {
			return err
		}
		if o.tried == 0 {
			c.note(e, o.err)
			return nil
		}
		c.note(e, notInstalled(e))
	}
	return nil
}

// note comes to a verdict on an encoder, and remembers it if it works.
func (c *Chooser) note(e pipeline.Encoder, err error) {
	c.verdicts.set(e, verdict{err: err})
	fault := (*wire.Fault)(nil)
	switch {
	case err == nil:
		c.options.Log.Info("an encoder works and is used", "codec", e.Codec, "encoder", e.Element)
		c.remember(e)
	case !errors.As(err, &fault) || fault.Code != wire.FaultMissingElement:
		c.options.Log.Warn("an encoder is installed but does not work", "codec", e.Codec, "encoder", e.Element, "err", err)
	}
}

// remember does not keep what only stands in for an encoder that failed at work.
func (c *Chooser) remember(e pipeline.Encoder) {
	if !c.verdicts.failedAtWork(e.Codec) {
		c.memory.keep(of(e))
	}
}

// giveUp tells why none works. They are tried again soon, for it may have been the machine's load.
func (c *Chooser) giveUp(all []pipeline.Encoder) error {
	failure := &NoEncoderError{Codec: all[0].Codec}
	soon := time.Now().Add(hopeless)
	for _, e := range all {
		v, _ := c.verdicts.of(e)
		if v.until.IsZero() {
			c.verdicts.set(e, verdict{err: v.err, until: soon})
		}
		if !e.Hardware {
			failure.Reasons = append(failure.Reasons, reason(e, v.err))
		}
	}
	return failure
}

// recall takes what was remembered of this machine for true, once.
func (c *Chooser) recall(ctx context.Context) error {
	if c.loaded {
		return nil
	}
	greeting, err := c.workers.Greeting(ctx)
	if err != nil {
		return err
	}
	c.loaded = true
	for _, found := range c.memory.load(fingerprint(greeting.Library, c.options.Encoder)) {
		c.trust(found)
	}
	return nil
}

// trust takes an encoder that was once chosen for the first that works.
func (c *Chooser) trust(found candidate) {
	all := pipeline.Encoders(found.codec)
	i := slices.IndexFunc(all, func(e pipeline.Encoder) bool { return of(e) == found })
	if i < 0 {
		return
	}
	for _, e := range all[:i] {
		c.verdicts.set(e, verdict{err: errRemembered})
	}
	c.verdicts.set(all[i], verdict{})
}
