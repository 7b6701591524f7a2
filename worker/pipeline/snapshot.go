package pipeline

import (
	"fmt"

	"sluice/media"
	"sluice/worker/wire"
)

// Snapshot is the job that makes one JPEG (TypeFrame of track 0) of one keyframe, which an EOS follows. maxHeight
// bounds the picture, in pixels; 0 is no bound. The error is *UndecodableError.
func Snapshot(t media.Track, maxHeight int) (wire.Job, error) {
	if err := decodable(t, media.Video); err != nil {
		return wire.Job{}, err
	}
	in := port(inName, t, "")
	j := wire.Job{
		Role:      wire.RoleTranscode,
		Inputs:    []wire.Port{in},
		Outputs:   output(media.Video, media.MJPEG),
		Limits:    limits(),
		Sandboxed: true,
	}
	scale := Picture{Height: maxHeight}.scale()
	j.Pipeline = chain(appsrc(in), decode(&j, t), deinterlace(t), scale,
		"videoconvert", jpegColours, fmt.Sprintf("jpegenc quality=%d", jpegQuality), sink(outName))
	return j, nil
}

const (
	jpegQuality = 85
	// jpegColours are those of JFIF: the full range, ITU-R BT.601.
	jpegColours = "video/x-raw,format=I420,colorimetry=(string)1:4:0:0"
)
