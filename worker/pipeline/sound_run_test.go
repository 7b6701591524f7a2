package pipeline_test

import (
	"encoding/binary"
	"fmt"
	"math"
	"testing"
	"time"

	"sluice/media"
	"sluice/worker/pipeline"
	"sluice/worker/wire"
)

// microphone is sound as cameras send it, 0.8 s of a tone.
type microphone struct {
	text     string // after the tone
	codec    media.Codec
	rate     int // of the samples
	clock    int
	channels int
	bits     int
}

const tone = 440 // Hz

func microphones() map[string]microphone {
	raw := func(format string, rate, channels string) string {
		return "audioconvert ! audioresample ! audio/x-raw,format=" + format + ",rate=" + rate + ",channels=" + channels
	}
	return map[string]microphone{
		"PCMU":           {raw("S16LE", "8000", "1") + " ! mulawenc", media.PCMU, 8000, 8000, 1, 0},
		"PCMA":           {raw("S16LE", "8000", "1") + " ! alawenc", media.PCMA, 8000, 8000, 1, 0},
		"PCMA 16 kHz":    {raw("S16LE", "16000", "1") + " ! alawenc", media.PCMA, 16000, 16000, 1, 0},
		"G722":           {raw("S16LE", "16000", "1") + " ! avenc_g722", media.G722, 16000, 8000, 1, 0},
		"Opus":           {raw("S16LE", "48000", "2") + " ! opusenc", media.Opus, 48000, 48000, 2, 0},
		"AAC":            {raw("F32LE", "48000", "2") + " ! avenc_aac ! aacparse ! audio/mpeg,stream-format=raw", media.AAC, 48000, 48000, 2, 0},
		"AAC 16 kHz":     {raw("F32LE", "16000", "1") + " ! avenc_aac ! aacparse ! audio/mpeg,stream-format=raw", media.AAC, 16000, 16000, 1, 0},
		"MP3":            {raw("S16LE", "44100", "2") + " ! lamemp3enc ! mpegaudioparse", media.MP3, 44100, 90000, 2, 0},
		"LPCM 8":         {raw("U8", "16000", "1"), media.LPCM, 16000, 16000, 1, 8},
		"LPCM 16":        {raw("S16BE", "44100", "2"), media.LPCM, 44100, 44100, 2, 16},
		"LPCM 24":        {raw("S24BE", "48000", "2"), media.LPCM, 48000, 48000, 2, 24},
		"LPCM 5.1":       {raw("S16BE", "48000", "6"), media.LPCM, 48000, 48000, 6, 16},
		"LPCM 4":         {raw("S16BE", "48000", "4"), media.LPCM, 48000, 48000, 4, 16},
		"LPCM not known": {raw("S16BE", "8000", "1"), media.LPCM, 8000, 8000, 0, 0},
	}
}

func (m microphone) track(r result) media.Track {
	t := media.Track{ID: "audio", Kind: media.Audio, Codec: m.codec, ClockRate: m.clock, Channels: m.channels, BitDepth: m.bits}
	if m.codec == media.AAC {
		t.ParameterSets = [][]byte{r.caps.CodecData}
	}
	return t
}

// Every codec becomes Opus, and Opus and AAC become G.711, in packets of 20 ms in which the tone is heard as loud as it was.
func TestSoundsWithWorker(t *testing.T) {
	cache := t.TempDir()
	for name, m := range microphones() {
		t.Run(name, func(t *testing.T) {
			r := newRunner(t, cache)
			source := r.record("audiotestsrc wave=sine freq=440 volume=0.5 num-buffers=40 samplesperbuffer=960 ! audio/x-raw,rate=48000 ! "+m.text,
				media.Audio, m.codec)
			for i := range source.frames {
				source.frames[i].PTS += int64(time.Hour)
				source.frames[i].DTS = source.frames[i].PTS
			}
			made := []media.Codec{media.Opus}
			if m.codec == media.Opus || name == "AAC" {
				made = []media.Codec{media.Opus, media.PCMU, media.PCMA}
			}
			for _, codec := range made {
				t.Run(string(codec), func(t *testing.T) {
					job, err := pipeline.TranscodeSound(pipeline.Sound{Source: m.track(source), Codec: codec})
					if err != nil {
						t.Fatal(err)
					}
					r := r.with(t)
					checkSound(r, codec, r.burst(job, source.frames))
				})
			}
		})
	}
}

// A packet of sound comes out as soon as the units that it is made of are in.
func TestSoundIsNotHeldBack(t *testing.T) {
	cache := t.TempDir()
	for _, name := range []string{"PCMU", "PCMA 16 kHz", "G722", "LPCM not known", "LPCM 24"} {
		t.Run(name, func(t *testing.T) {
			m, r := microphones()[name], newRunner(t, cache)
			text := fmt.Sprintf("audiotestsrc num-buffers=12 samplesperbuffer=%d ! audio/x-raw,rate=%d ! ", m.rate/50, m.rate)
			source := r.record(text+m.text, media.Audio, m.codec)
			job, err := pipeline.TranscodeSound(pipeline.Sound{Source: m.track(source), Codec: media.Opus})
			if err != nil {
				t.Fatal(err)
			}
			if out := r.run(job, source.frames[:8]); out.held > 0 {
				t.Errorf("%d packets of 20 ms are held back", out.held)
			}
		})
	}
}

// checkSound listens to what was made of 0.8 s.
func checkSound(r *runner, codec media.Codec, out result) {
	r.t.Helper()
	if n := len(out.frames); n < 37 || n > 46 {
		r.t.Errorf("%d packets came out, want about 40", n)
	}
	for i, f := range out.frames[1:] {
		step := time.Duration(f.PTS - out.frames[i].PTS)
		last := i == len(out.frames)-2
		first := codec == media.Opus && i < 2 // Opus begins 6.5 ms before its input, but not before zero
		if !last && !first && (step-20*time.Millisecond).Abs() > time.Millisecond {
			r.t.Errorf("packet %d comes %v after the one before", i+1, step)
		}
		if codec != media.Opus && !last && len(f.Payload) != 160 {
			r.t.Errorf("packet %d has %d samples, want 160", i+1, len(f.Payload))
		}
	}
	samples, rate := listen(r, codec, out)
	loud, pitch := level(samples), frequency(samples, rate)
	if loud < 0.25 || loud > 0.45 || math.Abs(pitch-tone) > 15 { // a sine of 0.5 has 0.354
		r.t.Errorf("the tone has %.3f and %.0f Hz, want 0.354 and %d Hz", loud, pitch, tone)
	}
}

// listen decodes packets by a pipeline of its own.
func listen(r *runner, codec media.Codec, out result) (samples []float64, rate int) {
	r.t.Helper()
	decoder, caps, rate := "opusdec", "audio/x-opus,channel-mapping-family=0,rate=48000,channels=2", 48000
	switch codec {
	case media.PCMU:
		decoder, caps, rate = "mulawdec", "audio/x-mulaw,rate=8000,channels=1", 8000
	case media.PCMA:
		decoder, caps, rate = "alawdec", "audio/x-alaw,rate=8000,channels=1", 8000
	}
	heard := r.burst(wire.Job{
		Role: wire.RoleTranscode,
		Pipeline: `appsrc name=in is-live=true format=time caps="` + caps + `" ! ` + decoder +
			" ! audioconvert ! audio/x-raw,format=S16BE,channels=1 ! appsink name=out sync=false",
		Inputs:  []wire.Port{{Name: "in", Kind: media.Audio, Codec: codec, Caps: caps}},
		Outputs: []wire.Port{{Name: "out", Kind: media.Audio, Codec: media.LPCM}},
	}, out.frames)
	for _, f := range heard.frames {
		for b := f.Payload; len(b) >= 2; b = b[2:] {
			samples = append(samples, float64(int16(binary.BigEndian.Uint16(b)))/32768)
		}
	}
	return samples, rate
}

// middle leaves out how a tone begins and ends.
func middle(samples []float64) []float64 { return samples[len(samples)/4 : len(samples)*3/4] }

// level is the root of the mean square.
func level(samples []float64) float64 {
	sum := 0.0
	for _, s := range middle(samples) {
		sum += s * s
	}
	return math.Sqrt(sum / float64(len(samples)/2))
}

// frequency counts how often a tone rises through zero.
func frequency(samples []float64, rate int) float64 {
	m := middle(samples)
	rises := 0
	for i := range m[1:] {
		if m[i] < 0 && m[i+1] >= 0 {
			rises++
		}
	}
	return float64(rises) * float64(rate) / float64(len(m))
}
