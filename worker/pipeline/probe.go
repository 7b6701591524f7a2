package pipeline

import (
	"sluice/media"
	"sluice/worker/wire"
)

// ProbeFrames is how many pictures a probe encodes. The worker asks for a keyframe after ten of them.
const ProbeFrames = 30

// ProbeEncoder is the job that tries an encoder out: pictures of 640 × 360 as fast as they can be encoded, and no
// more than one in the appsink, so that a keyframe that the worker asks for has pictures left to come in.
func ProbeEncoder(e Encoder) wire.Job {
	const (
		raw = "video/x-raw,format=I420,width=640,height=360,framerate=30/1"
		fps = 30
	)
	j := wire.Job{
		Role:       wire.RoleProbe,
		Outputs:    output(media.Video, e.Codec),
		Properties: properties(encoderName, e.settingsFor(BitrateFor(640, 360, fps), fps, "")),
		Limits:     limits(),
		Sandboxed:  true,
	}
	j.Pipeline = chain("videotestsrc num-buffers=30 pattern=ball", raw, rawPicture, e.Element+" name="+encoderName,
		e.after(), "appsink name="+outName+" sync=false max-buffers=1 enable-last-sample=false wait-on-eos=false")
	return j
}
