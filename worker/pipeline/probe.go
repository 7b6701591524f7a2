package pipeline

import (
	"fmt"

	"sluice/media"
	"sluice/worker/wire"
)

// ProbeFrames is how many pictures a probe encodes. The worker asks for a keyframe after ten of them.
const ProbeFrames = 16

// ProbeEncoder is the job that tries out the first of some encoders of one codec that is installed, which
// wire.ProbeResult names: pictures of 640 × 360 as fast as they can be encoded, and no more than one in the appsink,
// so that a keyframe that the worker asks for has pictures left to come in. Where none is installed the worker says
// that the first one is missing.
func ProbeEncoder(candidates ...Encoder) wire.Job {
	const fps = 30
	j := wire.Job{Role: wire.RoleProbe, Limits: limits(), Sandboxed: true}
	var texts []string
	for _, e := range candidates {
		// Properties and the control find the one that there is by its name, which is its element's.
		texts = append(texts, chain(e.Element+" name="+e.Element, e.after()))
		j.Properties = append(j.Properties, properties(e.Element, e.settingsFor(BitrateFor(640, 360, fps), fps, ""))...)
		j.Controls = append(j.Controls, e.control(e.Element))
		j.Outputs = output(media.Video, e.Codec)
	}
	j.Elements = map[string][]string{encoderName: texts}
	j.Pipeline = chain(fmt.Sprintf("videotestsrc num-buffers=%d pattern=ball", ProbeFrames),
		"video/x-raw,format=I420,width=640,height=360,framerate=30/1", rawPicture,
		"{"+encoderName+"}", "appsink name="+outName+" sync=false max-buffers=1 enable-last-sample=false wait-on-eos=false")
	return j
}
