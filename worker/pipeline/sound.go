package pipeline

import (
	"sluice/media"
	"sluice/worker/wire"
)

// Sound is one sound made of another.
type Sound struct {
	Source media.Track
	Codec  media.Codec // media.Opus, media.PCMU or media.PCMA
}

// TranscodeSound is the job that makes s: units of s.Source in, packets of 20 ms out. Opus is of 48 kHz and one or two
// channels, G.711 of 8 kHz and one. Errors are *UndecodableError and *UnencodableError.
func TranscodeSound(s Sound) (wire.Job, error) {
	if err := decodable(s.Source, media.Audio); err != nil {
		return wire.Job{}, err
	}
	encoders := Encoders(s.Codec)
	if len(encoders) == 0 || rawSound(s.Codec) == "" {
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
	j.Pipeline = chain(appsrc(in), decode(&j, s.Source), rawSound(s.Codec), e.Element+" name="+encoderName, sink(outName))
	return j, nil
}

// rawSound is the text that makes what an encoder takes of any raw sound. Opus cuts its packets itself; G.711 gives
// as many samples as it gets.
func rawSound(codec media.Codec) string {
	const convert = "audioconvert ! audioresample ! "
	switch codec {
	case media.Opus:
		return convert + "audio/x-raw,rate=48000,channels=[1,2]"
	case media.PCMU, media.PCMA:
		return convert + "audio/x-raw,format=S16LE,rate=8000,channels=1 ! audiobuffersplit output-buffer-duration=1/50"
	}
	return ""
}
