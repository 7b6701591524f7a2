package transcode

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"sluice/media"
	"sluice/worker"
)

func TestSnapshot(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t, Options{}, StreamOptions{})
		defer s.stop()
		none := (*NoPictureError)(nil)
		if _, _, err := s.Snapshot(t.Context()); !errors.As(err, &none) || none.Stream != "door" {
			t.Errorf("without a source: %v", err)
		}
		c := s.publish(h265, aac)
		c.send("pa")
		if _, _, err := s.Snapshot(t.Context()); !errors.As(err, &none) {
			t.Errorf("without a keyframe: %v", err)
		}
		equal(t, "that may come", Permanent(none), false)
		c.send("Kp")
		var all sync.WaitGroup
		for range 5 {
			all.Go(func() {
				jpeg, at, err := s.Snapshot(t.Context())
				equal(t, "picture", string(jpeg), "jpeg")
				equal(t, "error", err, nil)
				equal(t, "when it was taken", at, media.Instant((c.n-2)*3600, 90000))
			})
		}
		all.Wait()
		equal(t, "workers for five who ask at a time", len(s.workers.started("snapshot")), 1)
		c.send("Kp")
		time.Sleep(snapshotLife - 100*time.Millisecond)
		snap := func() {
			t.Helper()
			if _, _, err := s.Snapshot(t.Context()); err != nil {
				t.Error(err)
			}
		}
		snap()
		equal(t, "within a second", len(s.workers.started("snapshot")), 1)
		time.Sleep(time.Second)
		snap()
		equal(t, "after a second", len(s.workers.started("snapshot")), 2)
		time.Sleep(time.Minute)
		snap()
		equal(t, "of the same keyframe", len(s.workers.started("snapshot")), 2)
		equal(t, "counted", s.service.Stats().Snapshots, 2)
		equal(t, "left", len(s.workers.running("")), 0)
	})
}

func TestSnapshotFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t, Options{}, StreamOptions{})
		defer s.stop()
		s.publish(h265).send("K")
		missing := (*worker.NotInstalledError)(nil)
		s.workers.refuse(&worker.NotInstalledError{Name: "gateway-gst"})
		for range 3 {
			if _, _, err := s.Snapshot(t.Context()); !errors.As(err, &missing) {
				t.Errorf("got %v", err)
			}
		}
		equal(t, "tries", s.workers.refused, 1)
		time.Sleep(2 * time.Second)
		s.workers.refuse(nil)
		_, _, err := s.Snapshot(t.Context())
		equal(t, "later", err, nil)
	})
}

func TestSnapshotIsGivenUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t, Options{}, StreamOptions{})
		defer s.stop()
		s.publish(h265).send("K")
		s.service.snapshots <- struct{}{}
		s.service.snapshots <- struct{}{} // two others are being made
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, _, err := s.Snapshot(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v", err)
		}
		<-s.service.snapshots
		_, _, err := s.Snapshot(t.Context())
		equal(t, "for the next who asks", err, nil)
	})
}

// Who asks and goes away again starts no more workers than who stays.
func TestSnapshotsThatNobodyWaitsFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t, Options{}, StreamOptions{})
		defer s.stop()
		s.publish(h265).send("K")
		s.workers.silence()
		began := time.Now()
		for time.Since(began) < 10*time.Second-10*time.Millisecond { // the next may begin at 10 s sharp
			ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
			if _, _, err := s.Snapshot(ctx); !errors.Is(err, context.DeadlineExceeded) {
				t.Fatalf("got %v", err)
			}
			cancel()
		}
		if n := len(s.workers.started("snapshot")); n > 10 {
			t.Errorf("%d workers in 10 s", n)
		}
	})
}

// What viewers see only through the process of the configuration, a snapshot shows no other way.
func TestSnapshotGoesThroughTheProcess(t *testing.T) {
	for _, track := range []media.Track{h264, {ID: "video", Kind: media.Video, Codec: media.MJPEG, ClockRate: 90000}} {
		synctest.Test(t, func(t *testing.T) {
			s := newStage(t, Options{}, StreamOptions{Process: "gaussianblur sigma=20"})
			defer s.stop()
			s.publish(track).send("K")
			jpeg, _, err := s.Snapshot(t.Context())
			equal(t, "error", err, nil)
			equal(t, "picture", string(jpeg), "jpeg")
			if all := s.workers.started("snapshot"); len(all) != 1 || !strings.Contains(all[0].spec.Job.Pipeline, "gaussianblur sigma=20") {
				t.Errorf("%d workers, none with the process", len(all))
			}
		})
	}
}

func TestSnapshotOfMotionJPEG(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t, Options{}, StreamOptions{})
		defer s.stop()
		mjpeg := media.Track{ID: "video", Kind: media.Video, Codec: media.MJPEG, ClockRate: 90000}
		c := s.publish(mjpeg)
		c.send("K")
		jpeg, _, err := s.Snapshot(t.Context())
		equal(t, "error", err, nil)
		equal(t, "as it is", jpeg, []byte{0x26, 1, byte(c.n - 1)})
		equal(t, "workers", len(s.workers.started("")), 0)
	})
}

// Without a worker a keyframe helps no more than none: who asks hears what to mend, not to wait.
func TestSnapshotWithoutWorker(t *testing.T) {
	for _, codec := range []media.Codec{media.H265, media.MJPEG} {
		synctest.Test(t, func(t *testing.T) {
			s := newStage(t, Options{}, StreamOptions{})
			defer s.stop()
			s.workers.missing(&worker.NotInstalledError{Name: "gateway-gst"})
			s.publish(media.Track{ID: "video", Kind: media.Video, Codec: codec, ClockRate: 90000})
			_, _, err := s.Snapshot(t.Context())
			equal(t, "lacks a worker", errors.As(err, new(*worker.NotInstalledError)), codec != media.MJPEG)
			equal(t, "lacks a picture", errors.As(err, new(*NoPictureError)), codec == media.MJPEG)
		})
	}
}

// Of sound no picture will come, however long one waits.
func TestSnapshotOfSound(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t, Options{}, StreamOptions{})
		defer s.stop()
		c := s.publish(aac)
		c.send("a")
		_, _, err := s.Snapshot(t.Context())
		if err == nil || err.Error() != `stream "door" sends no picture that can be shown, only sound` || !Permanent(err) {
			t.Errorf("the error is %v", err)
		}
	})
}
