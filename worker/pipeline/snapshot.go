package pipeline

import (
	"fmt"

	"sluice/media"
	"sluice/worker/wire"
)

// Snapshot is the job that makes one JPEG (TypeFrame of track 0) of one keyframe, which an EOS follows. Of p count the
// source, the bounds and the process, without which it would show what viewers are not shown. allow is
// transcode.allow_elements. The errors are *UndecodableError, and *wire.Fault for a mistake in p.Process.
func Snapshot(p Picture, allow []string) (wire.Job, error) {
	if err := p.check(allow); err != nil {
		return wire.Job{}, err
	}
	t := p.Source
	in := port(inName, t, "")
	j := wire.Job{
		Role:      wire.RoleTranscode,
		Inputs:    []wire.Port{in},
		Outputs:   output(media.Video, media.MJPEG),
		Allow:     allow,
		Limits:    limits(),
		Sandboxed: true,
	}
	j.Pipeline = chain(appsrc(in), decode(&j, t), deinterlace(t), p.process(), p.scale(),
		"videoconvert", jpegColours, fmt.Sprintf("jpegenc quality=%d", jpegQuality), sink(outName))
	return j, nil
}

const (
	jpegQuality = 85
	// jpegColours are those of JFIF: the full range, ITU-R BT.601.
	jpegColours = "video/x-raw,format=I420,colorimetry=(string)1:4:0:0"
)
