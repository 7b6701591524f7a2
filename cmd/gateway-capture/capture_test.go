//go:build capture

package main

import (
	"image"
	"math/rand/v2"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/pion/mediadevices/pkg/frame"
	"github.com/pion/mediadevices/pkg/io/audio"
	"github.com/pion/mediadevices/pkg/io/video"
	"github.com/pion/mediadevices/pkg/prop"
	"github.com/pion/mediadevices/pkg/wave"

	"sluice/media"
	"sluice/worker/wire"
)

var cameras = []wire.DeviceInfo{
	{Kind: "camera", Label: "HD Webcam", ID: "/dev/video0"},
	{Kind: "camera", Label: "Webcam", ID: "/dev/video2"},
}

func TestMatch(t *testing.T) {
	for name, c := range map[string]struct {
		device wire.Device
		want   string // ID, or part of the fault
		fails  bool
	}{
		"any":            {wire.Device{Kind: "camera"}, "/dev/video0", false},
		"id":             {wire.Device{ID: "/dev/video2"}, "/dev/video2", false},
		"exact label":    {wire.Device{Label: "Webcam"}, "/dev/video2", false},
		"part of one":    {wire.Device{Label: "hd web"}, "/dev/video0", false},
		"no such label":  {wire.Device{Label: "Front"}, `"HD Webcam", "Webcam"`, true},
		"no such id":     {wire.Device{ID: "/dev/video9"}, `"/dev/video0", "/dev/video2"`, true},
		"label is no id": {wire.Device{ID: "Webcam"}, `ID "Webcam"`, true},
	} {
		t.Run(name, func(t *testing.T) {
			i, err := match(cameras, c.device)
			switch {
			case c.fails && (err == nil || !strings.Contains(err.Error(), c.want)):
				t.Errorf("error %v, want one that says %s", err, c.want)
			case !c.fails && (err != nil || cameras[i].ID != c.want):
				t.Errorf("found %d, %v, want %s", i, err, c.want)
			}
		})
	}
	if _, err := match(nil, wire.Device{Kind: "microphone"}); err == nil || !strings.Contains(err.Error(), "microphone") {
		t.Errorf("of none: %v", err)
	}
}

func TestChoose(t *testing.T) {
	modes := []prop.Media{
		{Video: prop.Video{Width: 640, Height: 480, FrameRate: 30, FrameFormat: frame.FormatYUYV}},
		{Video: prop.Video{Width: 1280, Height: 720, FrameRate: 10, FrameFormat: frame.FormatYUYV}},
		{Video: prop.Video{Width: 1280, Height: 720, FrameRate: 30, FrameFormat: frame.FormatMJPEG}},
		{Video: prop.Video{Width: 1920, Height: 1080, FrameRate: 5, FrameFormat: frame.FormatYUYV}},
		{Video: prop.Video{Width: 1920, Height: 1080, FrameRate: 30, FrameFormat: frame.FormatMJPEG}},
	}
	for name, c := range map[string]struct {
		device wire.Device
		want   int
	}{
		"nothing asked for": {wire.Device{Kind: "camera"}, 2},
		"slow":              {wire.Device{Kind: "camera", FPS: 10}, 1},
		"large":             {wire.Device{Kind: "camera", Width: 1920, Height: 1080}, 4},
		"high":              {wire.Device{Kind: "camera", Height: 1000}, 4},
		"small":             {wire.Device{Kind: "camera", Width: 320}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			if got := choose(modes, c.device); got != modes[c.want] {
				t.Errorf("chose %+v, want %+v", got.Video, modes[c.want].Video)
			}
		})
	}
	whole := []prop.Media{{Video: prop.Video{Width: 1001, Height: 701, FrameFormat: frame.FormatRGBA}}}
	if got := choose(whole, wire.Device{Kind: "screen", Width: 100, FPS: 7}); got.Width != 1001 || got.FrameRate != 7 {
		t.Errorf("of a screen: %+v", got.Video)
	}
	if got := choose(modes[:1], wire.Device{Kind: "videotest", Width: 321, FPS: 12}); got.Width != 320 || got.Height != 480 || got.FrameRate != 12 {
		t.Errorf("of the test picture: %+v", got.Video)
	}
}

func TestFit(t *testing.T) {
	size := image.Pt(1920, 1080)
	for _, c := range []struct{ w, h, wantW, wantH int }{
		{640, 0, 640, 360}, {0, 480, 852, 480}, {100, 101, 100, 100}, {1, 0, 2, 2},
	} {
		if got := fit(size, c.w, c.h); got != image.Pt(c.wantW, c.wantH) {
			t.Errorf("%dx%d becomes %v, want %dx%d", c.w, c.h, got, c.wantW, c.wantH)
		}
	}
}

// Samples are the clock, until it is too far from the system's.
func TestSoundStamp(t *testing.T) {
	chunk := &wave.Int16Interleaved{Size: wave.ChunkInfo{Len: 960, Channels: 1, SamplingRate: sampleRate}}
	w := &watchedSound{reader: audio.ReaderFunc(func() (wave.Audio, func(), error) { return chunk, func() {}, nil })}
	at := int64(1e15)
	stamp := func(late time.Duration) int64 {
		if _, _, err := w.Read(); err != nil {
			t.Fatal(err)
		}
		at += int64(packet)
		w.came = at + int64(late)
		pts, duration := w.stamp()
		if duration != int64(packet) {
			t.Errorf("a packet lasts %d ns", duration)
		}
		return pts
	}
	first := stamp(0)
	if first != 1e15 {
		t.Errorf("the first packet is at %d", first)
	}
	want := first
	for i := range int64(3 * driftPackets) {
		want += int64(packet)
		if pts := stamp(time.Duration(i%7) * 30 * time.Millisecond); pts != want {
			t.Fatalf("packet %d is at %d, want %d: jitter shows", i+1, pts-first, want-first)
		}
	}
	for range 2 * driftPackets { // 100 ms are lost for good
		stamp(100 * time.Millisecond)
	}
	want += int64(2*driftPackets+1)*int64(packet) + int64(100*time.Millisecond)
	if late := time.Duration(want - stamp(100*time.Millisecond)); late < 0 || late > maxDrift {
		t.Errorf("after a gap of 100 ms the packet is %v off", late)
	}
}

// The encoder stays near its bitrate even with nothing but noise, gives constrained baseline and a keyframe when it is asked.
func TestEncoder(t *testing.T) {
	img := image.NewYCbCr(image.Rect(0, 0, 320, 240), image.YCbCrSubsampleRatio420)
	noise := rand.New(rand.NewPCG(1, 2))
	mode := prop.Media{Video: prop.Video{Width: 320, Height: 240, FrameRate: 30}}
	const kbps = 1600
	s, err := encodePicture("noise", video.ReaderFunc(func() (image.Image, func(), error) {
		for i := range img.Y {
			img.Y[i] = byte(noise.Uint32())
		}
		return img, func() {}, nil
	}), mode, wire.Device{Kind: "camera", BitrateKbps: kbps})
	if err != nil {
		t.Fatal(err)
	}
	defer s.encoder.Close()
	size, wishes, keys := 0, &controls{}, 0
	for i := range 150 {
		if i == 100 {
			wishes.keyframe.Store(true)
			keys = 0
		}
		wishes.apply(s.encoder)
		b, release, err := s.encoder.Read()
		if err != nil {
			t.Fatal(err)
		}
		if len(b) > 0 && s.key(b) {
			keys++
			wishes.keyframe.Store(false)
			checkProfile(t, b)
		}
		size += len(b)
		release()
	}
	if got := size * 8 / 5 / 1000; got > kbps*8/5 {
		t.Errorf("%d kbit/s for the %d that were asked for", got, kbps)
	}
	if keys == 0 {
		t.Error("no keyframe came when one was asked for")
	}
}

func checkProfile(t *testing.T, b []byte) {
	t.Helper()
	for _, nalu := range wire.Split(media.H264, b) {
		if nalu[0]&0x1f == 7 && (nalu[1] != 66 || nalu[2]&0x40 == 0) {
			t.Errorf("the SPS is %x, want constrained baseline", nalu[:4])
		}
	}
}

// A screen of an odd size is cut, since 4:2:0 can't have one.
func TestOddSize(t *testing.T) {
	mode := prop.Media{Video: prop.Video{Width: 33, Height: 17, FrameRate: 10}}
	whole := image.NewRGBA(image.Rect(0, 0, 33, 17))
	s, err := encodePicture("screen", video.ReaderFunc(func() (image.Image, func(), error) { return whole, func() {}, nil }),
		mode, wire.Device{Kind: "screen"})
	if err != nil {
		t.Fatal(err)
	}
	defer s.encoder.Close()
	if s.caps.Width != 32 || s.caps.Height != 16 {
		t.Errorf("caps say %dx%d", s.caps.Width, s.caps.Height)
	}
	if b, _, err := s.encoder.Read(); err != nil || !s.key(b) {
		t.Errorf("%d bytes, %v", len(b), err)
	}
}

// A worker that gets a job it does not know says so.
func TestUnknownRole(t *testing.T) {
	ours, theirs := net.Pipe()
	defer ours.Close()
	done := make(chan error, 1)
	go func() { done <- work(newLink(theirs)) }()
	r, w := wire.NewReader(ours), wire.NewWriter(ours)
	m, err := r.Next()
	if err != nil || m.Type != wire.TypeHello || !strings.Contains(string(m.Payload), "mediadevices") {
		t.Fatalf("greeted with %v %s, %v", m.Type, m.Payload, err)
	}
	if err := w.Write(wire.JSON(wire.TypeConfig, wire.Job{Role: wire.RoleSink})); err != nil {
		t.Fatal(err)
	}
	if err := <-done; err == nil || !fault(err).Permanent || !strings.Contains(err.Error(), "sink") {
		t.Errorf("ended with %v", err)
	}
}
