// Package gst is the source that a GStreamer pipeline is: a worker process runs it.
package gst

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"sluice/ingest"
	"sluice/ingest/feed"
	"sluice/media"
	"sluice/worker"
	"sluice/worker/pipeline"
)

// Encoders chooses what encodes raw pictures and sound. *transcode.Service does.
type Encoders interface {
	Encoder(ctx context.Context, codec media.Codec) (pipeline.Encoder, error)
}

// Options say which pipeline to run.
type Options struct {
	Pipeline string // as gst_parse_launch takes it; "gst:" before it is ignored
	Workers  *worker.Pool
	Encoders Encoders
	Allow    []string // elements that are refused otherwise (transcode.allow_elements)
	// ReadTimeout without media means that what the pipeline reads from is gone; 0: 10 s.
	ReadTimeout time.Duration
	Log         *slog.Logger
}

// Source runs one pipeline. It implements ingest.Source; one Run at a time.
type Source struct {
	options Options    // fixed after New
	feed    *feed.Feed // fixed after New
}

// New makes a source that is not running yet. Its error is a mistake in the text that can be told without GStreamer.
func New(o Options) (*Source, error) {
	o.Pipeline = strings.TrimSpace(strings.TrimPrefix(o.Pipeline, "gst:"))
	if o.Pipeline == "" {
		return nil, errEmpty
	}
	s := &Source{options: o}
	s.feed = feed.New(feed.Options{Start: s.start, Bitrate: Bitrate, Log: o.Log})
	return s, nil
}

var errEmpty = errors.New(`the pipeline is empty: write it behind "gst:", for example gst:videotestsrc is-live=true`)

// Run runs the pipeline until ctx is done, and again when it fails or ends, as feed.Feed.Run does. What GStreamer
// finds wrong with the pipeline is ingest.Permanent, and so is a worker that is not installed.
func (s *Source) Run(ctx context.Context, publish ingest.Publish) error {
	return s.feed.Run(ctx, publish)
}

func (s *Source) start(ctx context.Context) (feed.Worker, error) {
	if err := s.options.Workers.Err(); err != nil {
		return nil, err
	}
	job, err := job(ctx, s.options.Pipeline, s.options.Encoders, s.options.Allow, true)
	if err != nil {
		return nil, err
	}
	spec := feed.Spec(job, s.options.ReadTimeout)
	spec.Log = s.options.Log
	p, err := s.options.Workers.Start(ctx, spec)
	if err != nil {
		return nil, fmt.Errorf("start the pipeline: %w", err)
	}
	return p, nil
}
