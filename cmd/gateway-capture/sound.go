//go:build capture

package main

import (
	"sync/atomic"
	"time"

	_ "github.com/pion/mediadevices/pkg/driver/audiotest" // registers the test sound

	"github.com/pion/mediadevices/pkg/codec/opus"
	"github.com/pion/mediadevices/pkg/driver"
	"github.com/pion/mediadevices/pkg/io/audio"
	"github.com/pion/mediadevices/pkg/prop"
	"github.com/pion/mediadevices/pkg/wave"

	"sluice/media"
	"sluice/worker/wire"
)

const (
	sampleRate      = 48000
	packet          = 20 * time.Millisecond
	maxDrift        = 40 * time.Millisecond // of counted samples against the clock, before they are set anew
	driftPackets    = 50                    // that drift is judged by: the one that came with the least delay counts
	bitsEachChannel = 48000                 // bit/s of Opus
)

// openSoundTest opens the test sound, a steady tone.
func openSoundTest(d wire.Device) (*stream, error) {
	found, err := find(d)
	if err != nil {
		return nil, err
	}
	if err = found.driver.Open(); err != nil {
		return nil, refused(found, err)
	}
	recorder, ok := found.driver.(driver.AudioRecorder)
	if !ok {
		return nil, &wire.Fault{Code: wire.FaultStart, Element: found.info.Label, Message: "it gives no sound"}
	}
	mode := prop.Media{Audio: prop.Audio{SampleRate: sampleRate, ChannelCount: 2, Latency: packet}}
	sound, err := recorder.AudioRecord(mode)
	if err != nil {
		return nil, refused(found, err)
	}
	return encodeSound(found.info.Label, sound, 2, d)
}

// encodeSound puts an encoder behind what a device gives: 48 kHz, one or two channels.
func encodeSound(name string, sound audio.Reader, channels int, d wire.Device) (*stream, error) {
	p, err := opus.NewParams()
	if err != nil {
		return nil, err
	}
	p.BitRate = d.BitrateKbps * 1000
	if d.BitrateKbps == 0 {
		p.BitRate = bitsEachChannel * channels
	}
	p.Latency = opus.Latency20ms
	watched := &watchedSound{reader: sound}
	encoder, err := p.BuildAudioEncoder(watched, prop.Media{Audio: prop.Audio{SampleRate: sampleRate, ChannelCount: channels}})
	if err != nil {
		return nil, &wire.Fault{Code: wire.FaultStart, Element: "opus", Message: err.Error()}
	}
	return &stream{
		name: name, encoder: encoder, seen: &watched.seen,
		caps:  wire.Caps{Kind: media.Audio, Codec: media.Opus, ClockRate: sampleRate, Channels: channels, Encoder: "opus"},
		stamp: watched.stamp,
		key:   func([]byte) bool { return true },
	}, nil
}

// watchedSound counts samples, which is a steadier clock than the moments at which a device gives them.
type watchedSound struct {
	reader audio.Reader
	seen   atomic.Uint64
	came   int64 // ns of CLOCK_MONOTONIC when the newest chunk ended
	read   int64 // samples that were read
	taken  int64 // samples that the encoder has taken
	origin int64 // ns of CLOCK_MONOTONIC of sample 0; 0: not known
	drift  int64 // ns: the least since judged packets
	judged int
}

// Read gives the next chunk.
func (w *watchedSound) Read() (wave.Audio, func(), error) {
	chunk, release, err := w.reader.Read()
	if err != nil {
		return nil, func() {}, err
	}
	w.seen.Add(1)
	w.came = monotonic()
	w.read += int64(chunk.ChunkInfo().Len)
	return chunk, release, nil
}

// stamp is the time of the packet that the encoder has made last.
func (w *watchedSound) stamp() (pts, duration int64) {
	w.follow(w.came - nanoseconds(w.read))
	pts = w.origin + nanoseconds(w.taken)
	w.taken += int64(packet * sampleRate / time.Second)
	return pts, int64(packet)
}

// follow looks whether the samples keep up with the clock, by which sample 0 was at origin. Whatever else a machine
// has to do makes single packets late, so that says nothing.
func (w *watchedSound) follow(origin int64) {
	if w.origin == 0 {
		w.origin = origin
	}
	drift := origin - w.origin
	if w.judged == 0 || drift < w.drift {
		w.drift = drift
	}
	if w.judged++; w.judged < driftPackets {
		return
	}
	w.judged = 0
	if time.Duration(w.drift).Abs() > maxDrift {
		w.origin += w.drift
	}
}

// nanoseconds is how long n samples last.
func nanoseconds(n int64) int64 { return n * (int64(time.Second) / 1000) / (sampleRate / 1000) }
