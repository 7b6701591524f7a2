package pipeline_test

import (
	"cmp"
	"encoding/hex"
	"fmt"
	"testing"
	"time"

	"sluice/media"
	"sluice/worker/pipeline"
	"sluice/worker/wire"
)

// cameras are pictures as cameras send them. Tunes make an encoder give each frame at once, as a camera does.
func cameras() map[string]camera {
	const (
		n    = 12
		x264 = " ! x264enc speed-preset=ultrafast key-int-max=30 "
		au   = ",stream-format=byte-stream,alignment=au"
		low  = "tune=zerolatency bframes=0 ! video/x-h264,profile="
	)
	hevc := " ! x265enc speed-preset=ultrafast tune=zerolatency ! h265parse ! video/x-h265,stream-format=byte-stream,alignment=au"
	return map[string]camera{
		"H.264":              {codec: media.H264, text: pattern(n, 320, 180, "I420") + x264 + low + "main" + au},
		"H264 B-frames":      {codec: media.H264, text: pattern(n, 320, 180, "I420") + x264 + "bframes=2 b-adapt=false ! video/x-h264,profile=high" + au, held: 2},
		"H264 10 bit":        {codec: media.H264, text: pattern(n, 320, 180, "I420_10LE") + x264 + low + "high-10" + au},
		"H264 4:2:2":         {codec: media.H264, text: pattern(n, 320, 180, "Y42B") + x264 + low + "high-4:2:2" + au},
		"H264 odd and tall":  {codec: media.H264, text: pattern(n, 202, 360, "I420") + x264 + low + "main" + au},
		"H264 interlaced":    {codec: media.H264, text: pattern(n, 320, 180, "I420") + x264 + "tune=zerolatency interlaced=true ! video/x-h264,profile=high" + au, interlaced: true},
		"H.265":              {codec: media.H265, text: pattern(n, 320, 180, "I420") + hevc},
		"H265 10 bit":        {codec: media.H265, text: pattern(n, 320, 180, "I420_10LE") + hevc},
		"VP8":                {codec: media.VP8, text: pattern(n, 320, 180, "I420") + " ! vp8enc deadline=1"},
		"VP9":                {codec: media.VP9, text: pattern(n, 320, 180, "I420") + " ! vp9enc deadline=1 cpu-used=8 lag-in-frames=0"},
		"AV1":                {codec: media.AV1, text: pattern(6, 160, 90, "I420") + " ! av1enc usage-profile=realtime cpu-used=8 lag-in-frames=0 ! av1parse ! video/x-av1,stream-format=obu-stream,alignment=tu"},
		"Motion JPEG":        {codec: media.MJPEG, text: pattern(n, 320, 180, "I420") + " ! jpegenc"},
		"Motion JPEG, 4:2:2": {codec: media.MJPEG, text: pattern(n, 320, 180, "Y42B") + " ! jpegenc"},
		"MPEG-4 Visual":      {codec: media.MPEG4Video, text: pattern(n, 320, 180, "I420") + " ! avenc_mpeg4"},
	}
}

type camera struct {
	codec      media.Codec
	text       string
	interlaced bool
	held       int // frames that the stream itself makes a decoder hold
	rate       int // frames a second; 0: 30
}

func (c camera) track(r result) media.Track {
	t := media.Track{
		ID: "video", Kind: media.Video, Codec: c.codec, ClockRate: 90000, Interlaced: c.interlaced,
		Width: r.caps.Width, Height: r.caps.Height,
	}
	if len(r.caps.CodecData) > 0 {
		t.ParameterSets = [][]byte{r.caps.CodecData}
	}
	return t
}

// late moves frames to a time of day, for no stream begins at zero, and takes away what a source does not tell.
// Pictures that come in another order than they are shown keep it.
func (c camera) late(frames []wire.Message) []wire.Message {
	for i := range frames {
		if c.held == 0 {
			frames[i].PTS = int64(i) * int64(time.Second) / int64(cmp.Or(c.rate, 30))
		}
		frames[i].PTS += int64(time.Hour)
		frames[i].DTS, frames[i].Ext = frames[i].PTS, 0
	}
	return frames
}

// Every codec that can be decoded becomes what browsers take, frame by frame, with none held back, and constrained
// baseline in the case of H264; and a JPEG.
func TestPicturesWithWorker(t *testing.T) {
	cache := t.TempDir()
	for name, camera := range cameras() {
		t.Run(name, func(t *testing.T) {
			r := newRunner(t, cache)
			source := r.record(camera.text, media.Video, camera.codec)
			frames := camera.late(source.frames)
			for element, codec := range camera.encoders(name) {
				t.Run(element, func(t *testing.T) {
					job, err := pipeline.TranscodePicture(pipeline.Picture{
						Source: camera.track(source), Codec: codec, Encoder: pipeline.FindEncoder(element, codec),
					}, nil)
					if err != nil {
						t.Fatal(err)
					}
					out := r.with(t).run(job, frames)
					if out.held != camera.held {
						t.Errorf("%d frames were held back, want %d", out.held, camera.held)
					}
					checkPicture(t, codec, out, len(frames))
				})
			}
			t.Run("snapshot", func(t *testing.T) { checkSnapshot(r.with(t), camera.track(source), frames[:1]) })
		})
	}
}

// encoders are x264enc for all, VP8 for each codec once, and openh264enc for one.
func (c camera) encoders(name string) map[string]media.Codec {
	all := map[string]media.Codec{"x264enc": media.H264}
	if name == c.codec.Title() {
		all["vp8enc"] = media.VP8
	}
	if c.codec == media.MJPEG {
		all["openh264enc"] = media.H264
	}
	return all
}

func checkSnapshot(r *runner, track media.Track, keyframe []wire.Message) {
	r.t.Helper()
	job, err := pipeline.Snapshot(pipeline.Picture{Source: track, Height: 90}, nil)
	if err != nil {
		r.t.Fatal(err)
	}
	out := r.burst(job, keyframe)
	if len(out.frames) != 1 {
		r.t.Fatalf("%d pictures came out", len(out.frames))
	}
	if got := ffprobe(r.t, media.MJPEG, out); got.frames != 1 || got.height != 90 {
		r.t.Errorf("ffprobe sees %+v", got)
	}
}

// checkPicture holds n frames to what a browser needs.
func checkPicture(t *testing.T, codec media.Codec, out result, n int) {
	t.Helper()
	if len(out.frames) != n {
		t.Errorf("%d frames of %d came out", len(out.frames), n)
	}
	got := ffprobe(t, codec, out)
	if got.frames != n || got.reordered || got.pixels != "yuv420p" {
		t.Errorf("ffprobe sees %+v", got)
	}
	for i, f := range out.frames { // exactly when they came in
		if want := int64(time.Hour) + int64(i)*int64(time.Second)/30; f.PTS-want > 1000 || want-f.PTS > 1000 {
			t.Fatalf("frame %d is shown at %v, want %v", i, time.Duration(f.PTS), time.Duration(want))
		}
	}
	if codec == media.H264 {
		checkBaseline(t, out)
	}
}

// checkBaseline looks at the SPS: profile_idc 66 and constraint_set1_flag (H.264 A.2.1).
func checkBaseline(t *testing.T, out result) {
	t.Helper()
	for _, nalu := range wire.Split(media.H264, out.frames[0].Payload) {
		if nalu[0]&0x1f != 7 {
			continue
		}
		if nalu[1] != 66 || nalu[2]&0x40 == 0 {
			t.Errorf("profile-level-id is %s, want constrained baseline", hex.EncodeToString(nalu[1:4]))
		}
		return
	}
	t.Error("the first frame has no SPS")
}

// Sizes keep their shape and are even; frames are dropped down to the rate and never held; the user's part is seen.
func TestRenditionWithWorker(t *testing.T) {
	cache := t.TempDir()
	const n = 24
	x264 := " ! x264enc speed-preset=ultrafast tune=zerolatency"
	for name, c := range map[string]struct {
		width, height int
		shape         string // pixel-aspect-ratio of the source
		rate          int    // frames a second of the source
		picture       pipeline.Picture
		wantW, wantH  int
		frames        int
	}{
		"smaller":           {640, 360, "1/1", 30, pipeline.Picture{Height: 180}, 320, 180, n},
		"never larger":      {320, 180, "1/1", 30, pipeline.Picture{Height: 720}, 320, 180, n},
		"odd":               {638, 358, "1/1", 30, pipeline.Picture{Height: 181}, 320, 180, n},
		"portrait":          {360, 640, "1/1", 30, pipeline.Picture{Height: 320}, 180, 320, n},
		"by width":          {640, 360, "1/1", 30, pipeline.Picture{Width: 320}, 320, 180, n},
		"pixels not square": {360, 288, "16/15", 30, pipeline.Picture{}, 384, 288, n},
		"ten a second":      {320, 180, "1/1", 30, pipeline.Picture{FPS: 10}, 320, 180, n / 3},
		"as many as come":   {320, 180, "1/1", 30, pipeline.Picture{FPS: 60}, 320, 180, n},
		"half of sixty":     {320, 180, "1/1", 60, pipeline.Picture{FPS: 30, SourceFPS: 60}, 320, 180, n / 2},
		"not measured":      {320, 180, "1/1", 60, pipeline.Picture{FPS: 30}, 320, 180, n / 2},
		"all of sixty":      {320, 180, "1/1", 60, pipeline.Picture{FPS: 60, SourceFPS: 60}, 320, 180, n},
		"a clock":           {320, 180, "1/1", 30, pipeline.Picture{Process: "clockoverlay"}, 320, 180, n},
		"a clock, a size":   {320, 180, "1/1", 30, pipeline.Picture{Process: "clockoverlay ! videoscale ! video/x-raw, width=160, height=90"}, 160, 90, n},
		"a size, quoted":    {320, 180, "1/1", 30, pipeline.Picture{Process: "videoscale ! 'video/x-raw, width=160, height=90'"}, 160, 90, n},
		"flipped":           {320, 180, "1/1", 30, pipeline.Picture{Process: "videoflip video-direction=90r ! videobalance saturation=0"}, 180, 320, n},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRunner(t, cache)
			source := r.record(fmt.Sprintf("videotestsrc num-buffers=%d ! video/x-raw,format=I420,width=%d,height=%d,framerate=%d/1,pixel-aspect-ratio=%s%s"+
				" ! video/x-h264,stream-format=byte-stream,alignment=au", n, c.width, c.height, c.rate, c.shape, x264), media.Video, media.H264)
			camera := camera{codec: media.H264, rate: c.rate}
			c.picture.Source = camera.track(source)
			c.picture.Codec, c.picture.Encoder = media.H264, pipeline.FindEncoder("x264enc", media.H264)
			job, err := pipeline.TranscodePicture(c.picture, nil)
			if err != nil {
				t.Fatal(err)
			}
			out := r.burst(job, camera.late(source.frames))
			got := ffprobe(t, media.H264, out)
			if got.width != c.wantW || got.height != c.wantH || len(out.frames) != c.frames || got.frames != c.frames {
				t.Errorf("%d frames of %d × %d, want %d of %d × %d", got.frames, got.width, got.height, c.frames, c.wantW, c.wantH)
			}
		})
	}
}

// What a probe is for: the software encoders pass it, with a profile that browsers take.
func TestProbeEncoderWithWorker(t *testing.T) {
	r := newRunner(t, t.TempDir())
	for _, e := range append(pipeline.Encoders(media.H264), pipeline.Encoders(media.VP8)...) {
		if e.Hardware {
			continue
		}
		t.Run(e.Element, func(t *testing.T) {
			got := r.with(t).probe(pipeline.ProbeEncoder(e))
			if got.Element != e.Element || got.Frames != pipeline.ProbeFrames || got.BFrames || !got.ForceKey {
				t.Errorf("the worker has found %+v", got)
			}
		})
	}
}
