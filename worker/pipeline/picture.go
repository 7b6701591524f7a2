package pipeline

import (
	"fmt"

	"sluice/media"
	"sluice/worker/wire"
)

// Picture is one picture made of another.
type Picture struct {
	Source media.Track
	Codec  media.Codec
	// Width and Height bound the picture, in pixels; it keeps its shape and is never enlarged. 0: no bound.
	Width, Height int
	// FPS bounds the frames in a second. 0: as many as the source has.
	FPS int
	// SourceFPS is how many frames a second the source sends, as it was measured. What the bitstream says is not
	// asked: many cameras say nothing, or anything. 0: not known, UsualFPS or so.
	SourceFPS int
	// BitrateKbps is what the encoder is told. 0: BitrateFor the size.
	BitrateKbps int
	// Process is the user's own text between decoder and encoder, or empty.
	Process string
	// Preset is Superfast, which "" stands for too, or Ultrafast.
	Preset  string
	Encoder Encoder
}

// UsualFPS is taken of a source whose frame rate is not known.
const UsualFPS = 30

// rawPicture is what every encoder takes and every browser shows right: 8 bits, 4:2:0, and not the full range of
// JPEG, which some bitstreams can't tell.
const rawPicture = "videoconvert ! video/x-raw,format=(string){I420,NV12},colorimetry=(string){bt709,bt601}"

// TranscodePicture is the job that makes p: units of p.Source in, those of p.Codec out. allow is
// transcode.allow_elements. Errors are *UndecodableError, *UnencodableError, and *wire.Fault for a mistake in
// p.Process.
func TranscodePicture(p Picture, allow []string) (wire.Job, error) {
	if err := p.check(allow); err != nil {
		return wire.Job{}, err
	}
	if p.Encoder.Element == "" || p.Encoder.Codec != p.Codec {
		return wire.Job{}, &UnencodableError{Codec: p.Codec}
	}
	return p.job(allow), nil
}

// check finds what is wrong with the source or the process.
func (p Picture) check(allow []string) error {
	if err := decodable(p.Source, media.Video); err != nil || p.Process == "" {
		return err
	}
	return check(p.Process, allow, inName, outName, decoderName, encoderName)
}

func (p Picture) job(allow []string) wire.Job {
	in := port(inName, p.Source, frameRate(p.statedFPS()))
	j := wire.Job{
		Role:       wire.RoleTranscode,
		Inputs:     []wire.Port{in},
		Outputs:    output(media.Video, p.Codec),
		Properties: properties(encoderName, p.Encoder.settingsFor(p.kbps(), p.fps(), p.Preset)),
		Controls:   []wire.Control{p.Encoder.control(encoderName)},
		Allow:      allow,
		Limits:     limits(),
		Sandboxed:  true,
		Preroll:    true,
	}
	j.Pipeline = chain(appsrc(in), decode(&j, p.Source), deinterlace(p.Source), p.process(), p.rate(), p.scale(), rawPicture,
		p.Encoder.Element+" name="+encoderName, p.Encoder.after(), sink(outName))
	return j
}

// process is the user's part, with whatever it needs to get and give any raw format.
func (p Picture) process() string {
	if p.Process == "" {
		return ""
	}
	return chain("videoconvert", p.Process, "videoconvert")
}

// frameRate is what caps say of it. It has to stand in the appsrc's: without one x264enc holds a frame, rate control
// goes wild, and videorate aborts the process.
func frameRate(fps int) string { return fmt.Sprintf(",framerate=%d/1", fps) }

// rate drops frames, and holds none. Its clock starts with the first frame, for times do not begin at zero. A source
// whose rate is not known may send more than the bound.
func (p Picture) rate() string {
	if p.FPS == 0 || p.SourceFPS > 0 && p.FPS >= p.SourceFPS {
		return ""
	}
	return "videorate drop-only=true skip-to-first=true ! video/x-raw" + frameRate(p.FPS)
}

// scale keeps shape, and makes sizes even and pixels square: encoders want the one, browsers the other.
func (p Picture) scale() string {
	return "videoscale ! video/x-raw,pixel-aspect-ratio=1/1,width=(int)" + even(p.Width) + ",height=(int)" + even(p.Height)
}

// even is the range of even numbers up to bound.
func even(bound int) string {
	const largest = 16384
	if bound <= 0 || bound > largest {
		bound = largest
	}
	return fmt.Sprintf("[2,%d,2]", max(2, bound&^1))
}

// fps is how many frames a second reach the encoder, as far as that is known.
func (p Picture) fps() int { return Rate(p.SourceFPS, p.FPS) }

// statedFPS is what the caps of the source say: no less than what rate lets through, for it makes nothing faster.
func (p Picture) statedFPS() int {
	if p.SourceFPS <= 0 {
		return max(UsualFPS, p.FPS)
	}
	return p.SourceFPS
}

func (p Picture) kbps() int {
	if p.BitrateKbps > 0 {
		return p.BitrateKbps
	}
	w, h := Scaled(p.Source, p.Width, p.Height)
	return BitrateFor(w, h, p.fps())
}

// deinterlace makes one frame of two fields, without holding one back.
func deinterlace(t media.Track) string {
	if !t.Interlaced {
		return ""
	}
	return "videoconvert ! deinterlace method=linear fields=top"
}

// Rate is how many frames a second are left of a source's when there may be no more than bound. A source of 0 is not
// known, which counts as UsualFPS; a bound of 0 is none.
func Rate(source, bound int) int {
	if source <= 0 {
		source = UsualFPS
	}
	if bound <= 0 {
		return source
	}
	return min(source, bound)
}

// BitrateFor is a bitrate that a picture of that size looks well at, in kbit/s: 2350 for 1280 × 720 at 30 frames in a
// second. A size that is not known counts as that.
func BitrateFor(width, height, fps int) int {
	const perPixel = 0.085 // bits
	if width <= 0 || height <= 0 {
		width, height = 1280, 720
	}
	kbps := int(float64(width) * float64(height) * float64(fps) * perPixel / 1000)
	return min(max(kbps, 200), 8000)
}

// Scaled is the size of a track's picture within bounds, in even numbers, as the pipeline makes it of square pixels.
// It is 0, 0 while the track's size is not known; a bound of 0 is none.
func Scaled(t media.Track, width, height int) (w, h int) {
	if t.Width <= 0 || t.Height <= 0 {
		return 0, 0
	}
	shrink := 1.0
	if width > 0 {
		shrink = min(shrink, float64(width&^1)/float64(t.Width))
	}
	if height > 0 {
		shrink = min(shrink, float64(height&^1)/float64(t.Height))
	}
	return evenly(float64(t.Width) * shrink), evenly(float64(t.Height) * shrink)
}

// evenly is the next even number, at least 2.
func evenly(v float64) int { return max(2, int(v/2+0.5)*2) }
