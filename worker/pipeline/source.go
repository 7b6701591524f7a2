package pipeline

import (
	"fmt"

	"sluice/media"
	"sluice/worker/wire"
)

// Source is the job that runs the user's own text as a source. Each chain of it may end in caps, which GStreamer
// itself takes between elements only; so may a sink's and a Picture's Process. What comes out raw is encoded by video and audio; an
// Encoder without Element is none, and such a pad is an error of the worker then. allow is
// transcode.allow_elements. The error is a *wire.Fault.
func Source(text string, video, audio Encoder, allow []string) (wire.Job, error) {
	if err := check(text, allow); err != nil {
		return wire.Job{}, err
	}
	j := wire.Job{Role: wire.RoleSource, Pipeline: text, Allow: allow, Limits: limits(), Sandboxed: true, Waits: waits(text)}
	if video.Element != "" {
		j.Encoders = append(j.Encoders, rawEncoder(video, media.Video, chain(Picture{}.scale(), rawPicture)))
	}
	if audio.Element != "" {
		j.Encoders = append(j.Encoders, rawEncoder(audio, media.Audio, rawSound(audio.Codec, fullRate)))
	}
	return j, nil
}

// newest is a queue that drops the oldest buffer when its encoder is too slow: the source goes on in its own time. Of
// pictures it holds few, since each is large and late ones are worth nothing. Buffers of sound are 10 or 20 ms long, and
// one that is dropped is heard: it holds a second or two, in which a busy machine comes to itself.
func newest(kind media.Kind) string {
	buffers := 4
	if kind == media.Audio {
		buffers = 100
	}
	return fmt.Sprintf("queue leaky=downstream max-size-buffers=%d max-size-bytes=0 max-size-time=0", buffers)
}

func rawEncoder(e Encoder, kind media.Kind, convert string) wire.RawEncoder {
	kbps := 0
	if kind == media.Video {
		kbps = BitrateFor(0, 0, UsualFPS)
	}
	return wire.RawEncoder{
		Kind:       kind,
		Chain:      chain(newest(kind), convert, e.Element+" name=%s", e.after()),
		Properties: properties("", e.settingsFor(kbps, UsualFPS, "")),
		Bitrate:    e.control(""),
	}
}
