//go:build capture

package main

import (
	"errors"
	"io"
	"sync/atomic"

	"github.com/pion/mediadevices/pkg/codec"

	"sluice/worker/wire"
)

// controls are the wishes of the gateway, which the goroutine that encodes fulfils before its next frame.
type controls struct {
	keyframe atomic.Bool  // is wanted, until one has come: the encoder may skip the picture that it was asked of
	bitrate  atomic.Int64 // bit/s; 0: none
}

// apply passes the wishes on to an encoder.
func (c *controls) apply(e codec.ReadCloser) {
	if k, ok := e.Controller().(codec.KeyFrameController); ok && c.keyframe.Load() {
		_ = k.ForceKeyFrame()
	}
	if b, ok := e.Controller().(codec.BitRateController); ok {
		if bps := c.bitrate.Swap(0); bps > 0 {
			_ = b.SetBitRate(int(bps))
		}
	}
}

// stream is a device that is open, with its encoder.
type stream struct {
	name    string // of the device, for errors
	caps    wire.Caps
	encoder codec.ReadCloser
	// stamp is when the frame that the encoder has just given was captured, and how long it lasts, in ns of
	// CLOCK_MONOTONIC.
	stamp func() (pts, duration int64)
	// key reports whether decoding can start at a frame.
	key  func(frame []byte) bool
	seen *atomic.Uint64 // pictures or chunks of sound that the device gave
}

// capture opens a device and sends its frames until it fails or the gateway ends it.
func capture(l *link, d wire.Device) error {
	s, err := open(d)
	if err != nil {
		return err
	}
	if err := l.send(wire.JSON(wire.TypeCaps, s.caps)); err != nil {
		return err
	}
	if err := l.send(&wire.Message{Type: wire.TypeReady}); err != nil {
		return err
	}
	wishes := &controls{}
	var sent atomic.Uint64
	go l.serve(wishes)
	go l.report(s.seen, &sent)
	for {
		wishes.apply(s.encoder)
		frame, release, err := s.encoder.Read()
		if err != nil {
			return s.stopped(err)
		}
		if len(frame) > 0 { // none when the encoder has skipped a picture to keep its bitrate
			m := s.message(frame)
			if m.Flags&wire.Keyframe != 0 {
				wishes.keyframe.Store(false)
			}
			if err := l.send(m); err != nil {
				return err
			}
			sent.Add(1)
		}
		release()
	}
}

func (s *stream) message(frame []byte) *wire.Message {
	pts, duration := s.stamp()
	m := &wire.Message{Type: wire.TypeFrame, PTS: pts, DTS: pts, Ext: duration, Payload: frame}
	if s.key(frame) {
		m.Flags = wire.Keyframe
	}
	return m
}

// stopped is the fault of a device that gives no more.
func (s *stream) stopped(err error) error {
	message := err.Error()
	if errors.Is(err, io.EOF) {
		message = "the device has stopped"
	}
	return &wire.Fault{Code: wire.FaultElement, Element: s.name, Message: message}
}

// open opens the device that is asked for.
func open(d wire.Device) (*stream, error) {
	switch d.Kind {
	case "camera", "screen", "videotest":
		return openPicture(d)
	case "microphone":
		return openMicrophone(d)
	case "audiotest":
		return openSoundTest(d)
	}
	return nil, &wire.Fault{Code: wire.FaultStart, Message: "there is no kind of device " + d.Kind, Permanent: true}
}
