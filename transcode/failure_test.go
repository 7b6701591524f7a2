package transcode

import (
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"sluice/media"
	"sluice/worker"
	"sluice/worker/wire"
)

func TestCrash(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t, Options{}, StreamOptions{})
		defer s.stop()
		c := s.publish(h265)
		v := s.read("main:h264")
		defer v.Close()
		c.send("Kppp")
		equal(t, "read", told(v), "[K0 p1 p2 p3]")
		began := time.Now()
		s.workers.running("")[0].fail(&worker.ExitError{Worker: "gateway-gst", Status: "was killed by SIGSEGV"})
		synctest.Wait()
		equal(t, "processes", len(s.workers.started("")), 2)
		equal(t, "time to the next process", time.Since(began), time.Duration(0))
		equal(t, "cached GOP", s.workers.running("")[0].frames(), "kooo")
		c.send("pp")
		equal(t, "read: no picture twice, and a keyframe first", told(v), "[K0 p1]")
		equal(t, "publisher", s.derived(), []string{"main:h264"})
		equal(t, "restarts", s.Status()[0].Restarts, 1)

		for range 3 {
			s.workers.running("")[0].fail(errors.New("again"))
			synctest.Wait()
			equal(t, "state", s.Status()[0].State, StateFailed)
			time.Sleep(3 * time.Second)
			synctest.Wait()
		}
		equal(t, "processes after 0.5, 1 and 2 s", len(s.workers.started("")), 5)
		if got := s.service.Stats(); got.Failures != 4 || got.Restarts != 4 || got.Pictures != 1 {
			t.Errorf("counted %+v", got)
		}
	})
}

func TestPermanentFault(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t, Options{}, StreamOptions{})
		defer s.stop()
		fault := &wire.Fault{Code: wire.FaultNotAllowed, Element: "avdec_h265", Permanent: true}
		s.workers.refuse(fault)
		c := s.publish(h265)
		v := s.read("main:h264")
		defer v.Close()
		c.send("Kp")
		s.workers.refuse(nil)
		time.Sleep(time.Minute)
		c.send("Kp")
		equal(t, "processes while nothing has changed", len(s.workers.started("")), 0)
		all := s.Capacity("main", s.hub.Tracks("main"))
		is := s.Status()
		equal(t, "listed", []any{len(is), is[0].Kind, is[0].Codec, is[0].State}, "[1 video h264 failed]")
		equal(t, "why", is[0].Error, "start a worker: "+fault.Error())
		equal(t, "H264 is not offered", []any{len(all.Video.Variants), all.Video.Variants[0].Track.Codec, all.Video.Absent}, "[1 vp8 ]")

		changed := h265
		changed.Width = 640
		if err := c.p.Update(changed); err != nil {
			t.Fatal(err)
		}
		c.send("Kpp")
		equal(t, "processes for another track", len(s.workers.started("")), 1)
		equal(t, "listed", []any{len(s.Status()), s.Status()[0].State}, "[1 running]")
		equal(t, "read", told(v), "[K0 p1 p2 p3]")
	})
}

// Whoever installs the package that the error names need not start the gateway again, nor the camera.
func TestInstalledLater(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log strings.Builder
		s := newStage(t, Options{}, StreamOptions{Sink: "fakesink", Log: slog.New(slog.NewTextHandler(&log, nil))})
		defer s.stop()
		fault := &wire.Fault{Code: wire.FaultMissingElement, Element: "avdec_h265", Package: "gstreamer1.0-libav", Permanent: true}
		s.workers.refuse(fault)
		c := s.publish(h265)
		v := s.read("main:h264")
		c.send("Kp")
		equal(t, "why", []any{s.Status()[0].State, s.Status()[0].Error}, "[failed start a worker: "+fault.Error()+"]")
		v.Close()
		time.Sleep(hopeless - time.Second)
		equal(t, "listed", len(s.Status()), 2)
		s.workers.refuse(nil)
		equal(t, "offered", len(s.Capacity("main", s.hub.Tracks("main")).Video.Variants), 1)
		time.Sleep(time.Second)
		equal(t, "offered later", len(s.Capacity("main", s.hub.Tracks("main")).Video.Variants), 2)
		equal(t, "still listed", []any{len(s.Status()), s.Status()[0].State}, "[2 failed]")
		v = s.read("main:h264")
		defer v.Close()
		c.send("Kp")
		equal(t, "read", told(v), "[K0 p1 p2]")
		equal(t, "states", []any{s.Status()[0].State, s.Status()[1].State}, "[running running]")
		if strings.Contains(log.String(), "until the source") || strings.Count(log.String(), "it is tried again") != 2 {
			t.Errorf("the log says:\n%s", &log)
		}
	})
}

// A fault of what the configuration puts between decoder and encoder is there whatever is encoded into.
func TestFaultOfTheProcess(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t, Options{}, StreamOptions{Process: "nosuchelement"})
		defer s.stop()
		s.workers.refuse(&wire.Fault{Code: wire.FaultMissingElement, Element: "nosuchelement", Permanent: true})
		c := s.publish(h264)
		v := s.read("main:h264")
		defer v.Close()
		c.send("Kp")
		can := s.Capacity("main", s.hub.Tracks("main")).Video
		equal(t, "offered", len(can.Variants), 0)
		equal(t, "why not", can.Absent, `start a worker: element "nosuchelement" is not installed.`)
		equal(t, "listed, but not what nobody asked for", []any{len(s.Status()), s.Status()[0].Codec}, "[1 h264]")
		c.p.Close()
		synctest.Wait()
		equal(t, "listed while nothing is sent", len(s.Status()), 0)
	})
}

// What failed of renditions that are published no more is forgotten: publishers name them as they like.
func TestFaultsOfManyRenditions(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t, Options{}, StreamOptions{})
		defer s.stop()
		s.workers.refuse(&wire.Fault{Code: wire.FaultMissingElement, Element: "avdec_h265", Permanent: true})
		for i := range 5 {
			name := fmt.Sprint("layer", i)
			p, err := s.hub.Publish(name, []media.Track{h265})
			if err != nil {
				t.Fatal(err)
			}
			v := s.read(name + ":h264")
			(&source{t: t, p: p}).send("Kp")
			equal(t, "listed", len(s.Status()), 1)
			v.Close()
			p.Close()
		}
		equal(t, "remembered", len(s.faults), 1)
	})
}

func TestNotInstalled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t, Options{}, StreamOptions{Sink: "fakesink"})
		defer s.stop()
		s.workers.missing(&worker.NotInstalledError{Name: "gateway-gst", Install: "install the package sluice-gst"})
		c := s.publish(h265, aac)
		v := s.read("main:h264")
		defer v.Close()
		c.send("Kp")
		equal(t, "processes", len(s.workers.started("")), 0)
		equal(t, "told", s.Capacity("main", s.hub.Tracks("main")).Video.Absent, "gateway-gst is not installed: install the package sluice-gst.")
		equal(t, "of the sink", s.Status()[0].Error, "gateway-gst is not installed: install the package sluice-gst")
		s.workers.missing(nil)
		time.Sleep(2 * time.Second)
		c.send("Kpp")
		equal(t, "once it is installed", told(v), "[K0 p1 p2 p3]")
		equal(t, "the sink's state", s.Stream.sink.status().State, StateRunning)
	})
}

// A rendition that lacks room for its sound leaves the pictures' encoders alone until there is some.
func TestNoRoomForSound(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t, Options{MaxWorkers: 1}, StreamOptions{})
		defer s.stop()
		var taken []*slot
		for range soundsPerPicture {
			taken = append(taken, s.service.sounds.take())
		}
		c := s.publish(h265, aac)
		v := s.read("main:h264+opus")
		defer v.Close()
		c.send("Kpap")
		equal(t, "processes", len(s.workers.started("")), 0)
		equal(t, "places of pictures", s.service.Stats().Pictures, 0)
		taken[0].release()
		c.send("Kap")
		equal(t, "processes when there is room", len(s.workers.running("")), 2)
	})
}

// That no encoder works may pass: whoever waits need not do anything for it to be tried again.
func TestNoEncoderForAWhile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t, Options{}, StreamOptions{})
		defer s.stop()
		s.workers.refuse(&NoEncoderError{Codec: media.H264})
		c := s.publish(h265)
		v := s.read("main:h264")
		defer v.Close()
		c.send("Kp")
		s.workers.refuse(nil)
		time.Sleep(hopeless - time.Second)
		equal(t, "processes before", len(s.workers.started("")), 0)
		time.Sleep(time.Second)
		c.send("Kpp")
		equal(t, "read", told(v), "[K0 p1 p2 p3]")
	})
}

// An encoder that a chip does is given up after three fast failures.
func TestHardwareFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t, Options{}, StreamOptions{})
		defer s.stop()
		s.chooser.chosen.Hardware = true
		c := s.publish(h265)
		v := s.read("main:h264")
		defer v.Close()
		c.send("Kp")
		for i := range 3 {
			equal(t, "told so far", s.chooser.failures(), 0)
			s.workers.running("")[0].fail(errors.New("the chip is busy"))
			time.Sleep(time.Duration(i+1) * time.Second)
			synctest.Wait()
		}
		equal(t, "told after three failures", s.chooser.failures(), 1)
	})
}

// A wait for a keyframe, before there is a process, is no time that it ran.
func TestHardwareFailsAfterAWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t, Options{}, StreamOptions{})
		defer s.stop()
		s.chooser.chosen.Hardware = true
		c := s.publish(h265)
		v := s.read("main:h264")
		defer v.Close()
		c.send("K")
		for range 3 {
			equal(t, "told so far", s.chooser.failures(), 0)
			c.p.Close()
			s.workers.running("")[0].fail(errors.New("the chip is busy"))
			synctest.Wait()
			c = s.publish(h265)
			c.send(strings.Repeat("p", 300) + "K")
		}
		equal(t, "told after three failures", s.chooser.failures(), 1)
	})
}

func TestTrackChanges(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t, Options{}, StreamOptions{})
		defer s.stop()
		c := s.publish(h265)
		v := s.read("main:h264")
		defer v.Close()
		c.send("Kp")
		smaller := h265
		smaller.Width, smaller.Height = 640, 360
		if err := c.p.Update(smaller); err != nil {
			t.Fatal(err)
		}
		c.send("Kp")
		equal(t, "processes: the size is the worker's business", len(s.workers.started("")), 1)
		s.workers.all[0].mu.Lock()
		equal(t, "bit/s", s.workers.all[0].bitrate, 587000)
		s.workers.all[0].mu.Unlock()
		interlaced := smaller
		interlaced.Interlaced = true
		if err := c.p.Update(interlaced); err != nil {
			t.Fatal(err)
		}
		c.send("Kp")
		equal(t, "processes for what needs another pipeline", len(s.workers.started("")), 2)
		equal(t, "failures", s.service.Stats().Failures, 0)
		equal(t, "read", told(v), "[K0 p1 p2 p3 K4 p5]")
	})
}

func TestOverload(t *testing.T) {
	for _, c := range []struct {
		name  string
		fps   int64
		low   int    // the bound of the configuration
		whole string // what the first process does about the rate, and the next one
		half  string
	}{
		{"25 a second", 25, 0, "in framerate=25/1", "in framerate=25/1, out framerate=12/1"},
		{"60 a second", 60, 0, "in framerate=60/1", "in framerate=60/1, out framerate=30/1"},
		{"60 a second, 30 wanted", 60, 30, "in framerate=60/1, out framerate=30/1", "in framerate=60/1, out framerate=15/1"},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newStage(t, Options{}, StreamOptions{Renditions: []Rendition{{Name: "low", FPS: c.low}}})
				defer s.stop()
				camera := s.publish(h265)
				camera.fps = c.fps
				second := "K" + strings.Repeat("p", int(c.fps)-1)
				camera.send(second[:20])
				v := s.read("low:h264")
				defer v.Close()
				camera.send(second + second)
				told := []string{s.Status()[0].Reduced}
				for range 30 {
					for _, p := range s.workers.running("") {
						p.mu.Lock()
						p.dropped++
						p.mu.Unlock()
					}
					camera.send(second)
					if now := s.Status()[0].Reduced; now != told[len(told)-1] {
						told = append(told, now)
					}
				}
				equal(t, "steps", strings.Join(told, "; "), "; half the frame rate; half the frame rate, a coarser picture; "+
					"half the frame rate, a coarser picture, and no further encoders")
				equal(t, "processes", len(s.workers.started("")), 3)
				equal(t, "rates of the first", s.workers.all[0].rates(), c.whole)
				equal(t, "rates of the second", s.workers.all[1].rates(), c.half)
				if props := fmt.Sprint(s.workers.all[2].spec.Job.Properties); !strings.Contains(props, "ultrafast") {
					t.Errorf("the preset is not faster: %s", props)
				}
				equal(t, "refused", s.Capacity("main", s.hub.Tracks("main")).Video.Full, "This machine is too slow for another encoder now.")
				equal(t, "counted", s.service.Stats().Overloads, 3)
			})
		})
	}
}

// The source's rate is measured, for it decides on the bitrate, on the time between keyframes, and on whether pictures
// are left out. What is not known yet of a source that begins is known to the next process.
func TestRateOfTheSource(t *testing.T) {
	for _, c := range []struct {
		name          string
		fps           int64
		bound         int
		before        int // pictures before the viewer comes
		first, second string
		interval      string // between keyframes, of the second process
	}{
		{"as it is", 60, 0, 30, "in framerate=60/1", "in framerate=60/1", "{encoder key-int-max 120}"},
		{"half of it", 60, 30, 30, "in framerate=60/1, out framerate=30/1", "in framerate=60/1, out framerate=30/1", "{encoder key-int-max 60}"},
		{"slower than the bound", 15, 30, 30, "in framerate=15/1", "in framerate=15/1", "{encoder key-int-max 30}"},
		{"half of what is not known yet", 60, 30, 1, "in framerate=30/1, out framerate=30/1", "in framerate=60/1, out framerate=30/1", "{encoder key-int-max 60}"},
		{"not known, and perhaps slower", 50, 60, 1, "in framerate=60/1, out framerate=60/1", "in framerate=50/1", "{encoder key-int-max 100}"},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newStage(t, Options{}, StreamOptions{Renditions: []Rendition{{Name: "low", FPS: c.bound}}})
				defer s.stop()
				camera := s.publish(h265)
				camera.fps = c.fps
				camera.send("K" + strings.Repeat("p", c.before-1))
				v := s.read("low:h264")
				defer v.Close()
				camera.send("K" + strings.Repeat("p", 30))
				s.workers.running("")[0].fail(errors.New("it crashed"))
				synctest.Wait()
				equal(t, "processes", len(s.workers.started("")), 2)
				equal(t, "rates of the first", s.workers.all[0].rates(), c.first)
				equal(t, "rates of the second", s.workers.all[1].rates(), c.second)
				if props := fmt.Sprint(s.workers.all[1].spec.Job.Properties); !strings.Contains(props, c.interval) {
					t.Errorf("properties are %s, want %s", props, c.interval)
				}
			})
		})
	}
}

// A process that lets nothing out from its beginning is not taken for one that is too slow: it would be ended by that,
// before it is known to hang, and again and again.
func TestHangIsNoOverload(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t, Options{}, StreamOptions{})
		defer s.stop()
		s.workers.silence()
		c := s.publish(h265)
		v := s.read("main:h264")
		defer v.Close()
		for range 30 {
			c.send("K" + strings.Repeat("p", 24))
		}
		equal(t, "processes", len(s.workers.started("")), 1)
		equal(t, "reduced", s.Status()[0].Reduced, "")
	})
}

// What an overload has taken comes back when it is over, and later if that was too early.
func TestReliefAfterOverload(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t, Options{}, StreamOptions{})
		defer s.stop()
		c := s.publish(h265)
		v := s.read("main:h264")
		defer v.Close()
		second := "K" + strings.Repeat("p", 24)
		toSteps := func(steps uint64) {
			for range 60 {
				if s.service.Stats().Overloads == steps {
					return
				}
				for _, p := range s.workers.running("") {
					p.mu.Lock()
					p.dropped++
					p.mu.Unlock()
				}
				c.send(second)
			}
			t.Fatalf("%d steps of overload, want %d", s.service.Stats().Overloads, steps)
		}
		// until sends until the load is that, and tells how many minutes that took.
		until := func(load string) int {
			begun := time.Now()
			for s.Status()[0].Reduced != load && time.Since(begun) < 10*time.Minute {
				c.send(second)
			}
			return int(time.Since(begun).Round(time.Minute) / time.Minute)
		}
		refused := func() bool { return s.Capacity("main", s.hub.Tracks("main")).Video.Full != "" }
		toSteps(3)
		equal(t, "refused", refused(), true)
		equal(t, "minutes until others may start", until(loadPreset.String()), 1)
		equal(t, "refused afterwards", refused(), false)
		equal(t, "processes", len(s.workers.started("")), 3)
		equal(t, "minutes until the picture is fine", until(loadRate.String()), 1)
		equal(t, "minutes until the rate is full", until(""), 1)
		equal(t, "processes in the end", len(s.workers.started("")), 5)
		if text := s.workers.all[4].spec.Job.Pipeline; strings.Contains(text, "framerate=12/1") {
			t.Errorf("the rate is still low: %s", text)
		}
		toSteps(4)
		equal(t, "minutes the next time", until(""), 2)
		equal(t, "failures", s.service.Stats().Failures, 0)
	})
}

// A worker that was taken over, or is broken, can't lead the times of a stream astray, nor flood its viewers with sound.
func TestFramesThatCannotBe(t *testing.T) {
	for name, frame := range map[string]wire.Message{
		"of the far future": {PTS: 1 << 62, Payload: []byte{0xfc, 0xff, 0xfe}},
		"of long ago":       {PTS: 1, Payload: []byte{0xfc, 0xff, 0xfe}},
		"before all time":   {PTS: -1 << 63, Payload: []byte{0xfc, 0xff, 0xfe}},
		"of an hour":        {Payload: make([]byte, 16<<20)},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newStage(t, Options{}, StreamOptions{})
				defer s.stop()
				time.Sleep(time.Hour)
				c := s.publish(h264, aac)
				v := s.read("main:+opus")
				defer v.Close()
				c.send("Kapapa")
				p := s.workers.running("")[0]
				if frame.PTS == 0 {
					frame.PTS = nanoseconds(c.n*3600, 90000)
				}
				frame.Type = wire.TypeFrame
				p.said <- worker.Event{Kind: worker.EventFrame, Frame: frame}
				synctest.Wait()
				equal(t, "failures", s.service.Stats().Failures, 1)
				told(v)
				c.send("papa")
				equal(t, "read from the next process", told(v), "[p0 a1 p1 a2]")
			})
		})
	}
}

// A pipeline that ends by itself is started again like one that fails.
func TestPipelineThatEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t, Options{}, StreamOptions{})
		defer s.stop()
		c := s.publish(h265)
		v := s.read("main:h264")
		defer v.Close()
		c.send("Kp")
		s.workers.running("")[0].EndOfStream()
		c.send("p")
		equal(t, "processes", len(s.workers.started("")), 2)
		equal(t, "state", []any{s.Status()[0].State, s.Status()[0].Restarts}, "[running 1]")
	})
}
