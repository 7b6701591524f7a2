package pipeline

import (
	"sluice/media"
	"sluice/worker/wire"
)

// Source is the job that runs the user's own text as a source. What comes out raw is encoded by video and audio; an
// Encoder without Element is none, and such a pad is an error of the worker then. allow is
// transcode.allow_elements. The error is a *wire.Fault.
func Source(text string, video, audio Encoder, allow []string) (wire.Job, error) {
	if err := check(text, allow); err != nil {
		return wire.Job{}, err
	}
	j := wire.Job{Role: wire.RoleSource, Pipeline: text, Allow: allow, Limits: limits(), Sandboxed: true}
	if video.Element != "" {
		j.Encoders = append(j.Encoders, rawEncoder(video, media.Video, chain(Picture{}.scale(), rawPicture)))
	}
	if audio.Element != "" {
		j.Encoders = append(j.Encoders, rawEncoder(audio, media.Audio, rawSound(audio.Codec)))
	}
	return j, nil
}

// newest is a queue that drops the oldest frame when its encoder is too slow: the source goes on in its own time.
const newest = "queue leaky=downstream max-size-buffers=4 max-size-bytes=0 max-size-time=0"

func rawEncoder(e Encoder, kind media.Kind, convert string) wire.RawEncoder {
	kbps := 0
	if kind == media.Video {
		kbps = BitrateFor(0, 0, usualFPS)
	}
	return wire.RawEncoder{
		Kind:       kind,
		Chain:      chain(newest, convert, e.Element+" name=%s", e.after()),
		Properties: properties("", e.settingsFor(kbps, usualFPS, "")),
		Bitrate:    e.control(""),
	}
}
