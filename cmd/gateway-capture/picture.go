//go:build capture

package main

import (
	"cmp"
	"image"
	"image/draw"
	"sync/atomic"

	"github.com/pion/mediadevices/pkg/codec/openh264"
	"github.com/pion/mediadevices/pkg/driver"
	"github.com/pion/mediadevices/pkg/io/video"
	"github.com/pion/mediadevices/pkg/prop"

	"sluice/media"
	"sluice/worker/wire"
)

const (
	defaultFPS      = 30
	defaultBits     = 0.1 // for each pixel
	noiseBits       = 0.3 // for each pixel of the test picture, a part of which is noise
	keyframeSeconds = 2
)

// openPicture opens a camera or a screen.
func openPicture(d wire.Device) (*stream, error) {
	found, err := find(d)
	if err != nil {
		return nil, err
	}
	if err = found.driver.Open(); err != nil {
		return nil, refused(found, err)
	}
	mode := choose(found.driver.Properties(), d)
	recorder, ok := found.driver.(driver.VideoRecorder)
	if !ok {
		return nil, &wire.Fault{Code: wire.FaultStart, Element: found.info.Label, Message: "it gives no pictures"}
	}
	pictures, err := recorder.VideoRecord(mode)
	if err != nil {
		return nil, refused(found, err)
	}
	return encodePicture(found.info.Label, pictures, mode, d)
}

// encodePicture puts an encoder behind what a device gives.
func encodePicture(name string, pictures video.Reader, mode prop.Media, d wire.Device) (*stream, error) {
	size := image.Pt(mode.Width, mode.Height)
	if d.Kind == "screen" && (d.Width > 0 || d.Height > 0) {
		size = fit(size, d.Width, d.Height)
		pictures = video.Scale(size.X, size.Y, video.ScalerApproxBiLinear)(pictures)
	}
	size = image.Pt(size.X&^1, size.Y&^1)
	mode.Width, mode.Height = size.X, size.Y
	watched := &watchedPictures{reader: pictures, size: size}
	p, err := encoderParams(mode, bitrate(mode, d))
	if err != nil {
		return nil, err
	}
	encoder, err := p.BuildVideoEncoder(watched, mode)
	if err != nil {
		return nil, &wire.Fault{Code: wire.FaultStart, Element: "openh264", Message: err.Error()}
	}
	fps := int(mode.FrameRate)
	return &stream{
		name: name, encoder: encoder, seen: &watched.seen,
		caps: wire.Caps{
			Kind: media.Video, Codec: media.H264, Width: size.X, Height: size.Y, FPSNum: fps, FPSDen: 1, ClockRate: 90000,
			Encoder: "openh264",
		},
		stamp: func() (int64, int64) { return watched.at, int64(1e9 / mode.FrameRate) },
		key:   hasIDR,
	}, nil
}

// encoderParams are those of a live picture that any decoder takes: constrained baseline, no B-frames, and a rate
// control that skips a picture rather than exceed the bitrate.
func encoderParams(mode prop.Media, bitrate int) (*openh264.Params, error) {
	p, err := openh264.NewParams()
	if err != nil {
		return nil, err
	}
	p.BitRate = bitrate
	p.UsageType = openh264.CameraVideoRealTime
	p.RCMode = openh264.RCBitrateMode
	p.EnableFrameSkip = true
	p.IntraPeriod = uint(mode.FrameRate * keyframeSeconds)
	return &p, nil
}

// bitrate is what is asked for, or what the size needs, in bit/s.
func bitrate(mode prop.Media, d wire.Device) int {
	bits := float32(defaultBits)
	switch {
	case d.BitrateKbps > 0:
		return d.BitrateKbps * 1000
	case d.Kind == "videotest":
		bits = noiseBits
	}
	return int(float32(mode.Width*mode.Height) * mode.FrameRate * bits)
}

// watchedPictures notes when a picture was taken, and cuts it to an even size, which 4:2:0 needs.
type watchedPictures struct {
	reader video.Reader
	size   image.Point
	at     int64 // ns of CLOCK_MONOTONIC
	seen   atomic.Uint64
	cut    *image.RGBA
}

// Read gives the next picture.
func (w *watchedPictures) Read() (image.Image, func(), error) {
	img, release, err := w.reader.Read()
	if err != nil {
		return nil, func() {}, err
	}
	w.at = monotonic()
	w.seen.Add(1)
	if img.Bounds().Size() == w.size {
		return img, release, nil
	}
	if w.cut == nil {
		w.cut = image.NewRGBA(image.Rectangle{Max: w.size})
	}
	draw.Draw(w.cut, w.cut.Rect, img, img.Bounds().Min, draw.Src)
	return w.cut, release, nil
}

// fit is the size of a picture made w wide or h high, or both; 0 keeps the ratio.
func fit(size image.Point, w, h int) image.Point {
	switch {
	case size.X == 0 || size.Y == 0:
		return size
	case w == 0:
		w = size.X * h / size.Y
	case h == 0:
		h = size.Y * w / size.X
	}
	return image.Pt(max(w, 2)&^1, max(h, 2)&^1)
}

// choose picks the mode of a device that comes nearest to what is asked for. A device that names no rate, or that
// makes any size, is asked for what is wanted.
func choose(modes []prop.Media, d wire.Device) prop.Media {
	var best prop.Media
	for i, m := range modes {
		if i == 0 || distance(m, d) < distance(best, d) {
			best = m
		}
	}
	if best.FrameRate == 0 || d.Kind != "camera" && d.FPS > 0 {
		best.FrameRate = float32(cmp.Or(d.FPS, defaultFPS))
	}
	if d.Kind == "videotest" {
		best.Width, best.Height = cmp.Or(d.Width, best.Width)&^1, cmp.Or(d.Height, best.Height)&^1
	}
	return best
}

// distance is how far a mode is from what is asked for; without a wish, from 1280x720 at 30 frames a second.
func distance(m prop.Media, d wire.Device) float64 {
	width, height, fps := 1280, 720, cmp.Or(d.FPS, defaultFPS)
	switch {
	case d.Width > 0 && d.Height > 0:
		width, height = d.Width, d.Height
	case d.Height > 0:
		width, height = m.Width, d.Height
	case d.Width > 0:
		width, height = d.Width, m.Height
	}
	square := func(x float64) float64 { return x * x }
	far := square(float64(m.Width-width)/float64(width)) + square(float64(m.Height-height)/float64(height))
	if m.FrameRate > 0 {
		far += square(float64(m.FrameRate)/float64(fps) - 1)
	}
	return far + formatCost[string(m.FrameFormat)]
}

// formatCost prefers what need not be decompressed, where the size is the same.
var formatCost = map[string]float64{"MJPEG": 0.01, "Z16": 100}

// hasIDR reports whether an access unit with start codes holds an IDR picture (H.264 7.4.1).
func hasIDR(frame []byte) bool {
	for _, nalu := range wire.Split(media.H264, frame) {
		if nalu[0]&0x1f == 5 {
			return true
		}
	}
	return false
}
