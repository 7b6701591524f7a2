package pipeline

import (
	"fmt"
	"slices"

	"sluice/media"
	"sluice/worker/wire"
)

// Sound is one sound made of another.
type Sound struct {
	Source media.Track
	Codec  media.Codec // media.Opus, media.PCMU or media.PCMA
}

// TranscodeSound is the job that makes s: units of s.Source in, packets of 20 ms out. Opus is of one or two
// channels, G.711 of 8 kHz and one. Errors are *UndecodableError and *UnencodableError.
func TranscodeSound(s Sound) (wire.Job, error) {
	if err := decodable(s.Source, media.Audio); err != nil {
		return wire.Job{}, err
	}
	encoders := Encoders(s.Codec)
	if len(encoders) == 0 || rawSound(s.Codec, s.opusRate()) == "" {
		return wire.Job{}, &UnencodableError{Codec: s.Codec}
	}
	e := encoders[0]
	in := port(inName, s.Source, "")
	j := wire.Job{
		Role:       wire.RoleTranscode,
		Inputs:     []wire.Port{in},
		Outputs:    output(media.Audio, s.Codec),
		Properties: properties(encoderName, e.settingsFor(0, 0, "")),
		Controls:   []wire.Control{e.control(encoderName)},
		Limits:     limits(),
		Sandboxed:  true,
	}
	j.Pipeline = chain(appsrc(in), decode(&j, s.Source), rawSound(s.Codec, s.opusRate()), e.Element+" name="+encoderName, sink(outName))
	return j, nil
}

// rawSound is the text that makes what an encoder takes of any raw sound. Opus cuts its packets itself, of samples at
// opusRate; G.711 gives as many samples as it gets.
func rawSound(codec media.Codec, opusRate int) string {
	const convert = "audioconvert ! audioresample ! "
	switch codec {
	case media.Opus:
		return convert + fmt.Sprintf("audio/x-raw,rate=%d,channels=[1,2]", opusRate)
	case media.PCMU, media.PCMA:
		return convert + "audio/x-raw,format=S16LE,rate=8000,channels=1 ! audiobuffersplit output-buffer-duration=1/50"
	}
	return ""
}

// fullRate is what Opus is made of where nothing else suits better.
const fullRate = 48000

// opusRate is the rate of the samples that Opus is made of: the source's where Opus takes that (RFC 6716, section 2),
// for the resampler keeps some samples back, and so a packet of 20 ms is complete only with the next unit.
func (s Sound) opusRate() int {
	switch s.Source.Codec {
	case media.G722:
		return 16000 // its RTP clock says 8000 (RFC 3551, section 4.5.2)
	case media.PCMU, media.PCMA, media.LPCM:
		if rates := []int{8000, 12000, 16000, 24000}; slices.Contains(rates, s.Source.ClockRate) {
			return s.Source.ClockRate
		}
	}
	return fullRate
}
