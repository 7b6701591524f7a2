package transcode

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"sluice/hub"
	"sluice/media"
)

func TestMakesWhatIsWanted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t, Options{}, StreamOptions{})
		defer s.stop()
		c := s.publish(h265, aac)
		c.send("KapapaKapa")
		equal(t, "processes before anybody watches", len(s.workers.started("")), 0)
		v := s.read("main:h264+opus")
		defer v.Close()
		c.send("papap")
		picture := s.workers.running("main h264")[0]
		equal(t, "given to the picture's encoder", picture.frames(), "kpppp")
		equal(t, "read", told(v), "[K0 p1 a2 p2 a3 p3]")
		tracks := s.hub.Tracks("main:h264+opus")
		equal(t, "tracks", len(tracks), 2)
		equal(t, "picture", tracks[0].Codec, media.H264)
		equal(t, "its size is read from what was made", tracks[0].Width, 320)
		equal(t, "sound", tracks[1].Codec, media.Opus)
		equal(t, "status", []any{s.Status()[0].State, s.Status()[1].State, s.Status()[0].Encoder}, "[running running x264enc]")
		equal(t, "listed with the source's", len(s.hub.Renditions()), 1)
	})
}

// A rendition is complete: what is not made anew is the source's own units.
func TestPassesOnByReference(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t, Options{}, StreamOptions{})
		defer s.stop()
		c := s.publish(h264, aac)
		c.send("pKapap")
		v := s.read("main:+opus")
		defer v.Close()
		main := s.read("main")
		defer main.Close()
		equal(t, "tracks before any sound has been made", len(s.hub.Tracks("main:+opus")), 2)
		c.send("apKap")
		theirs := make(map[*media.AccessUnit]bool)
		for u, ok := main.TryNext(); ok; u, ok = main.TryNext() {
			theirs[u.AccessUnit] = true
		}
		var got strings.Builder
		for u, ok := v.TryNext(); ok; u, ok = v.TryNext() {
			got.WriteByte(u.Track.ID[0])
			if shared := theirs[u.AccessUnit]; shared != (u.Track.ID == "video") {
				t.Errorf("a unit of %s: shared %v", u.Track.ID, shared)
			}
		}
		equal(t, "read", got.String(), "vvvaavvaav")
		equal(t, "picture encoders", len(s.workers.started("h264")), 0)
	})
}

// One unit of a source that is far off costs the sound no more than itself.
func TestSourceLeapsInTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t, Options{}, StreamOptions{})
		defer s.stop()
		c := s.publish(h264, aac)
		v := s.read("main:+opus")
		defer v.Close()
		c.send("Kapapa")
		far := &media.AccessUnit{Arrived: time.Now(), PTS: c.n*1920 + 3600*48000, Keyframe: true, Data: [][]byte{{1}}}
		if err := c.p.Write("audio", far); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		told(v)
		c.send("papapa")
		equal(t, "read afterwards", told(v), "[p0 a1 p1 a2 p2 a3]")
	})
}

// Renditions that come and go under ever new names leave nothing behind.
func TestNamesDoNotAddUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t, Options{Linger: time.Second}, StreamOptions{})
		defer s.stop()
		for i := range 20 {
			name := fmt.Sprintf("layer%d", i)
			p, err := s.hub.Publish(name, []media.Track{h265})
			if err != nil {
				t.Fatal(err)
			}
			v := s.read(name + ":h264")
			v.Close()
			time.Sleep(2 * time.Second)
			p.Close()
			synctest.Wait()
		}
		if n := len(s.ending); n > 2 {
			t.Errorf("%d jobs that have ended are remembered", n)
		}
	})
}

func TestLinger(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t, Options{Linger: 10 * time.Second}, StreamOptions{})
		defer s.stop()
		c := s.publish(h265)
		c.send("Kp")
		v := s.read("main:h264")
		c.send("pp")
		v.Close()
		time.Sleep(9 * time.Second)
		synctest.Wait()
		equal(t, "after 9 s", s.derived(), []string{"main:h264"})
		v = s.read("main:h264") // takes it back
		time.Sleep(20 * time.Second)
		equal(t, "while it is read", s.derived(), []string{"main:h264"})
		v.Close()
		time.Sleep(10*time.Second - time.Millisecond)
		synctest.Wait()
		equal(t, "just before the end", len(s.workers.running("")), 1)
		time.Sleep(2 * time.Millisecond)
		synctest.Wait()
		equal(t, "after the end", len(s.derived())+len(s.workers.running(""))+len(s.Status()), 0)
		equal(t, "processes in all", len(s.workers.started("")), 1)
	})
}

// F41: there is never more than one encoder for a key, whoever wants what.
func TestOneEncoderForAKey(t *testing.T) {
	low := StreamOptions{Renditions: []Rendition{{Name: "low", Height: 360}, {Name: "same", Height: 360}}}
	names := []string{
		"main:h264", "main:h264+opus", "main:h264+pcmu", "main:+opus", "main:vp8+opus", "low:h264", "same:h264+opus", "no:h264",
	}
	for seed := range uint64(20) {
		synctest.Test(t, func(t *testing.T) {
			s := newStage(t, Options{MaxWorkers: 8, Linger: time.Second}, low)
			defer s.stop()
			random := rand.New(rand.NewPCG(seed, 1))
			c := s.publish(h265, aac)
			held := make(map[string][]func())
			for range 60 {
				name := names[random.IntN(len(names))]
				switch releases := held[name]; {
				case random.IntN(30) == 0:
					c.p.Close()
					c = s.publish(h265, aac)
				case len(releases) > 0 && random.IntN(2) == 0:
					releases[0]()
					held[name] = releases[1:]
				default:
					held[name] = append(releases, s.hub.WantRendition(name))
				}
				c.send([]string{"Kp", "apap", "pppp", "Ka"}[random.IntN(4)])
				if random.IntN(10) == 0 {
					if all := s.workers.running(""); len(all) > 0 {
						all[random.IntN(len(all))].fail(errors.New("crash"))
					}
				}
			}
			if n := len(s.Status()); n > 7 {
				t.Errorf("%d jobs", n)
			}
			seen := make(map[string]bool)
			for _, st := range s.Status() {
				id := fmt.Sprint(st.Rendition, st.Codec, st.Height)
				if seen[id] {
					t.Errorf("two of %s", id)
				}
				seen[id] = true
			}
			s.workers.mu.Lock()
			defer s.workers.mu.Unlock()
			if s.workers.most > 1 {
				t.Errorf("%d processes at a time for one key", s.workers.most)
			}
		})
	}
}

func TestSourceGoesAndComes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t, Options{Linger: 10 * time.Second}, StreamOptions{})
		defer s.stop()
		c := s.publish(h265, aac)
		v := s.read("main:h264+opus")
		defer v.Close()
		c.send("Kapap")
		equal(t, "read", told(v), "[K0 a1 p1 a2 p2]")
		c.p.Close()
		synctest.Wait()
		equal(t, "published without the source", s.derived(), []string{})
		equal(t, "processes that wait for it", len(s.workers.running("")), 2)
		c = s.publish(h264, aac) // another codec
		c.send("papKapap")
		equal(t, "published again", s.derived(), []string{"main:h264+opus"})
		equal(t, "read from its first keyframe", told(v), "[K0 a1 p1 a2 p2]")
		equal(t, "processes now", len(s.workers.running("")), 2)
		equal(t, "picture encoders in all", len(s.workers.started("h264")), 2)
		c.p.Close()
		time.Sleep(11 * time.Second)
		synctest.Wait()
		equal(t, "processes long after", len(s.workers.running("")), 0)
	})
}

func TestKeyframesAreMerged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t, Options{}, StreamOptions{})
		defer s.stop()
		c := s.publish(h265, aac)
		one, two := s.read("main:h264"), s.read("main:h264+opus")
		defer one.Close()
		defer two.Close()
		c.send("Kapap")
		time.Sleep(time.Second)
		p := s.workers.running("h264")[0]
		before := p.wishes()
		one.RequestKeyframe()
		synctest.Wait()
		two.RequestKeyframe()
		synctest.Wait()
		equal(t, "requests of two renditions", p.wishes()-before, 1)
		time.Sleep(501 * time.Millisecond)
		synctest.Wait()
		equal(t, "later: the second was kept, as no keyframe came", p.wishes()-before, 2)
		c.send("p")
		time.Sleep(time.Second)
		one.RequestKeyframe()
		synctest.Wait()
		two.RequestKeyframe()
		synctest.Wait()
		c.send("pp") // a keyframe first, which serves both
		time.Sleep(time.Second)
		synctest.Wait()
		equal(t, "with a keyframe within the interval", p.wishes()-before, 3)
	})
}

// Who joins an encoder that runs gets what it has made since its keyframe.
func TestJoinsRunningEncoder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t, Options{}, StreamOptions{})
		defer s.stop()
		c := s.publish(h265, aac)
		one := s.read("main:h264")
		defer one.Close()
		c.send("Kppp")
		two := s.read("main:h264+opus")
		defer two.Close()
		equal(t, "read at once", told(two), "[K0 p1 p2 p3]")
		equal(t, "picture encoders", len(s.workers.started("h264")), 1)
	})
}

func TestMaxWorkers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t, Options{MaxWorkers: 1, Linger: time.Minute}, StreamOptions{})
		defer s.stop()
		yard, other, stop := s.add("yard", StreamOptions{})
		defer stop()
		c := s.publish(h265, aac)
		p, err := yard.Publish("main", []media.Track{h265, aac})
		if err != nil {
			t.Fatal(err)
		}
		d := &source{t: t, p: p, n: c.n}
		v := s.read("main:h264")
		c.send("Kp")
		d.send("Kp")
		full := other.Capacity("main", yard.Tracks("main"))
		equal(t, "full", full.Video.Full, "The one encoder that may run at a time (transcode.max_workers) is in use.")
		equal(t, "room for sound", fmt.Sprintf("%v %q", full.Video.Variants[0].Running, full.Audio.Full), `false ""`)
		equal(t, "who runs it sees", s.Capacity("main", s.hub.Tracks("main")).Video.Variants[0].Running, true)
		w, err := yard.Subscribe("main:h264", hub.StartGOP)
		if err != nil {
			t.Fatal(err)
		}
		defer w.Close()
		d.send("Kp")
		equal(t, "processes while it is full", len(s.workers.running("")), 1)
		v.Close() // it would go on for a minute
		d.send("Kpp")
		equal(t, "read at the other stream", told(w), "[K0 p1 p2 p3]")
		equal(t, "processes", len(s.workers.running("")), 1)
	})
}

// Whoever has the last encoder keeps it, and others share it, from before its first frame on and after a crash.
func TestLastEncoderIsShared(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t, Options{MaxWorkers: 1}, StreamOptions{})
		defer s.stop()
		capacity := func() string {
			c := s.Capacity("main", s.hub.Tracks("main")).Video
			return fmt.Sprintf("%v %v", c.Full != "", c.Variants[0].Running)
		}
		c := s.publish(h265)
		equal(t, "before", capacity(), "false false")
		v := s.read("main:h264")
		defer v.Close()
		equal(t, "starting", s.Status()[0].State, StateStarting)
		equal(t, "while it starts", capacity(), "true true")
		c.send("Kp")
		equal(t, "while it runs", capacity(), "true true")
		for range 2 {
			s.workers.running("")[0].fail(errors.New("again"))
			synctest.Wait()
		}
		equal(t, "failed", s.Status()[0].State, StateFailed)
		equal(t, "until it is back", capacity(), "true true")
	})
}

func TestWithoutPreroll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t, Options{}, StreamOptions{})
		defer s.stop()
		s.service.preroll = false
		c := s.publish(h265)
		c.send("Kpp")
		v := s.read("main:h264")
		defer v.Close()
		equal(t, "given", s.workers.started("")[0].frames(), "Kpp")
	})
}

func TestStartStop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t, Options{Linger: time.Millisecond}, StreamOptions{})
		defer s.stop()
		c := s.publish(h265, aac)
		for range 300 {
			v := s.read("main:h264+opus")
			c.send("Kap")
			if told(v) == "[]" {
				t.Fatal("nothing was read")
			}
			v.Close()
			time.Sleep(2 * time.Millisecond)
			synctest.Wait()
		}
		equal(t, "left", len(s.workers.running(""))+len(s.Status())+s.service.Stats().Pictures+s.service.Stats().Sounds, 0)
		equal(t, "started", len(s.workers.started("")), 600)
	})
}

// Viewers of a rendition whose picture is passed on ask the source itself.
func TestKeyframeOfThePassedPicture(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t, Options{}, StreamOptions{})
		defer s.stop()
		c := s.publish(h264, aac)
		c.send("Kap")
		v := s.read("main:+opus")
		defer v.Close()
		c.send("p")
		select {
		case <-c.p.KeyframeRequests():
			t.Fatal("the source was asked though its GOP was there")
		default:
		}
		v.RequestKeyframe()
		synctest.Wait()
		select {
		case <-c.p.KeyframeRequests():
		default:
			t.Error("the source was not asked")
		}
	})
}

func TestStopLeavesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t, Options{}, StreamOptions{Sink: "fakesink"})
		c := s.publish(h265, aac)
		v := s.read("main:h264+opus")
		defer v.Close()
		c.send("Kapap")
		equal(t, "processes", len(s.workers.running("")), 3)
		s.stop()
		equal(t, "left", len(s.workers.running(""))+len(s.derived())+s.service.Stats().Pictures, 0)
		c.send("Kp")
		equal(t, "published afterwards", s.derived(), []string{})
	})
}

// A publisher's layers have names of their own: renditions of the configuration are made of the best of them.
func TestWithoutMainRendition(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t, Options{}, StreamOptions{Renditions: []Rendition{{Name: "low", Height: 180, FPS: 10}}})
		defer s.stop()
		small := h264
		small.Width, small.Height = 640, 360
		var layers []*source
		for name, track := range map[string]media.Track{"h": h264, "l": small} {
			p, err := s.hub.Publish(name, []media.Track{track})
			if err != nil {
				t.Fatal(err)
			}
			layers = append(layers, &source{t: t, p: p, n: 10})
		}
		v := s.read("low:h264")
		defer v.Close()
		for _, c := range layers {
			c.send("Kp")
		}
		equal(t, "made of", s.workers.all[0].spec.Label, "transcode door h h264 180 lines 10 fps")
		equal(t, "read", told(v), "[K0 p1]")
	})
}

// Encoders of one codec for two renditions are told apart, by the names of the configuration too.
func TestStatusOfRenditions(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t, Options{MaxWorkers: 3}, StreamOptions{Renditions: []Rendition{{Name: "low", Height: 360}, {Name: "slow", FPS: 5}}})
		defer s.stop()
		c := s.publish(h265, aac)
		for _, rendition := range []string{"main:h264+opus", "low:h264", "slow:h264"} {
			v := s.read(rendition)
			defer v.Close()
		}
		c.send("Kap")
		var all []string
		for _, is := range s.Status() {
			all = append(all, fmt.Sprint(is.Rendition, " ", is.Makes, " ", is.Codec, " ", is.Height))
		}
		slices.Sort(all)
		equal(t, "told", strings.Join(all, "; "), "main  h264 0; main  opus 0; main low h264 360; main slow h264 0")
	})
}
