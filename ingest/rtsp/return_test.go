package rtsp

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"sluice/hub"
	"sluice/ingest"
	"sluice/internal/testcamera"
	"sluice/media"
)

// E3, J130: a camera that is lost and one that is absent at first are both picked up within 3 s of their return.
func TestCameraReturns(t *testing.T) {
	camera := (&testcamera.Camera{}).Start(t)
	address, url := camera.Address(), camera.URL("")
	camera.Close()

	stream, err := hub.New(hub.Options{RingMaxAge: time.Second, RingMaxBytes: 1 << 20}).Create("camera")
	if err != nil {
		t.Fatal(err)
	}
	s := &ingest.Supervisor{
		Stream: stream, Rendition: media.MainRendition, Log: slog.New(slog.DiscardHandler),
		Source: newSource(t, Options{URL: url}),
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx) }()
	await(t, stream, hub.StateFailed, patience)
	prompt, returns := 0, 0
	for ; prompt < 2 && returns < 6; returns++ { // the machine itself may stand still for a moment
		camera = &testcamera.Camera{}
		camera.StartAt(t, address)
		began := time.Now()
		await(t, stream, hub.StateReady, patience)
		took := time.Since(began)
		if t.Logf("picked up after %v", took); took <= 3*time.Second {
			prompt++
		}
		camera.Close()
		await(t, stream, hub.StateFailed, patience)
	}
	cancel()
	<-ended
	if prompt < 2 {
		t.Errorf("of %d returns %d were noticed within 3 s", returns, prompt)
	}
	if got := s.Stats(); got.Reconnects != uint64(returns-1) {
		t.Errorf("%d reconnects, want %d", got.Reconnects, returns-1)
	}
}

// await waits for a state.
func await(t *testing.T, s *hub.Stream, want hub.State, within time.Duration) {
	t.Helper()
	deadline := time.After(within)
	for {
		changed := s.Changed()
		st, why := s.State()
		if st == want {
			return
		}
		select {
		case <-changed:
		case <-deadline:
			t.Fatalf("state is %q (%v) after %v, want %q", st, why, within, want)
		}
	}
}
