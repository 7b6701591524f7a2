//go:build unix

package transcode

import (
	"bytes"
	"cmp"
	"context"
	"flag"
	"fmt"
	"image/jpeg"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"sluice/bitstream"
	"sluice/hub"
	"sluice/internal/camera"
	"sluice/internal/testmedia"
	"sluice/internal/testworker"
	"sluice/media"
	"sluice/worker"
)

// studio is a stream whose transcoder runs with real workers, and a camera that loops a clip in real time.
type studio struct {
	t   testing.TB
	hub *hub.Stream
	*Stream
	sent chan struct{} // closed when the camera has stopped
	stop func()

	pictures []int64 // PTS in decode order; read after stop
}

// newWorkshop runs a service with real workers until the test ends.
func newWorkshop(t testing.TB, o Options) *Service {
	t.Helper()
	o.Log = quietLog()
	o.Workers = worker.New(worker.Options{
		Name: "gateway-gst", Path: testworker.GST(t), CacheDir: filepath.Join(t.TempDir(), "cache"), Log: quietLog(),
		Warm: 1, WarmElements: []string{"h265parse", "avdec_h265", "videoconvert", "videoscale", "x264enc", "appsrc", "appsink"},
	})
	s := New(o)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { _ = s.Run(ctx); close(done) }()
	t.Cleanup(func() {
		cancel()
		<-done
	})
	if _, err := s.Encoder(ctx, media.H264); err != nil { // how long that takes is not what is tried here
		t.Fatal(err)
	}
	return s
}

func newStudio(t testing.TB, service *Service, clip *camera.Clip, o StreamOptions) *studio {
	t.Helper()
	o.Log = cmp.Or(o.Log, quietLog())
	h, err := hub.New(hub.Options{}).Create("door")
	if err != nil {
		t.Fatal(err)
	}
	s := &studio{t: t, hub: h, Stream: service.Stream(h, o), sent: make(chan struct{})}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { _ = s.Stream.Run(ctx); close(done) }()
	go s.film(ctx, clip)
	s.stop = func() {
		cancel()
		<-s.sent
		<-done
	}
	t.Cleanup(s.stop)
	return s
}

// film publishes the clip again and again, each unit at its time, fit as a source's units are.
func (s *studio) film(ctx context.Context, clip *camera.Clip) {
	defer close(s.sent)
	type track struct {
		camera.Track
		*bitstream.Conformer
		next int // units so far
	}
	var all []*track
	var told []media.Track
	for i, t := range clip.Tracks {
		t.ID = []string{"video", "audio"}[i]
		if t.Kind == media.Audio {
			t.ID = "audio"
		}
		all = append(all, &track{Track: t, Conformer: bitstream.NewConformer(t.Track)})
		told = append(told, t.Track)
	}
	p, err := s.hub.Publish(media.MainRendition, told)
	if err != nil {
		s.t.Error(err)
		return
	}
	defer p.Close()
	base := time.Now()
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
		for _, t := range all {
			for {
				u, round := t.Units[t.next%len(t.Units)], t.next/len(t.Units)
				begin := base.Add(time.Duration(round) * t.Period)
				if time.Until(begin.Add(media.Duration(u.DTS, t.ClockRate))) > 0 {
					break
				}
				t.next++
				au := &media.AccessUnit{PTS: media.PTS(begin, t.ClockRate) + u.PTS, Arrived: time.Now(), Data: u.Data}
				if !t.Conform(au) {
					continue
				}
				if t.Kind == media.Video {
					s.pictures = append(s.pictures, au.PTS)
				}
				_ = p.Update(t.Conformer.Track())
				_ = p.Write(t.ID, au)
			}
		}
	}
}

// read gives the units of a kind until there are n of them.
func (s *studio) read(sub *hub.Subscriber, kind media.Kind, n int) []*hub.Unit {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), 30*time.Second)
	defer cancel()
	var all []*hub.Unit
	for len(all) < n {
		u, err := sub.Next(ctx)
		if err != nil {
			s.t.Fatalf("%v after %d units; %+v", err, len(all), s.Status())
		}
		if u.Track.Kind == kind {
			all = append(all, u)
		}
	}
	return all
}

// undisturbed reads units while the machine gives the worker the time that it needs, and then stops the studio. Of one that
// gets none for a second frames are left out, rightly: that is tried again.
func undisturbed(t *testing.T, service *Service, clip *camera.Clip, rendition string, kind media.Kind, n int) (*studio, []*hub.Unit, Status) {
	t.Helper()
	for tries := 1; ; tries++ {
		s := newStudio(t, service, clip, StreamOptions{})
		units := s.read(s.subscribe(rendition), kind, n)
		status := s.Status()[0]
		s.stop()
		if status.Dropped == 0 && status.Restarts == 0 || tries == 5 {
			return s, units, status
		}
		t.Logf("%d frames were dropped, and the worker was started again %d times", status.Dropped, status.Restarts)
	}
}

func (s *studio) subscribe(rendition string) *hub.Subscriber {
	s.t.Helper()
	sub, err := s.hub.Subscribe(rendition, hub.StartGOP)
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(sub.Close)
	return sub
}

func clipOf(t testing.TB, codec media.Codec) *camera.Clip {
	t.Helper()
	return parsed(t)(testmedia.File(codec))
}

func parsed(t testing.TB) func(name string, data []byte) *camera.Clip {
	t.Helper()
	return func(name string, data []byte) *camera.Clip {
		clip, err := camera.Parse(name, data)
		if err != nil {
			t.Fatal(err)
		}
		return clip
	}
}

// decoded is how many pictures ffmpeg makes of elementary H264 or of VP8, without a complaint.
func decoded(t *testing.T, units []*hub.Unit) int {
	t.Helper()
	ffmpeg := testworker.Tool(t, "ffmpeg")
	var stream bytes.Buffer
	for _, u := range units {
		for _, nalu := range u.Data {
			stream.Write([]byte{0, 0, 0, 1})
			stream.Write(nalu)
		}
	}
	cmd := exec.CommandContext(t.Context(), ffmpeg, "-v", "error", "-xerror", "-f", "h264", "-i", "-", "-fps_mode", "passthrough", "-f", "framemd5", "-")
	var complaint strings.Builder
	cmd.Stdin, cmd.Stderr = &stream, &complaint
	out, err := cmd.Output()
	if err != nil || complaint.Len() > 0 {
		t.Errorf("ffmpeg: %v %s", err, complaint.String())
	}
	n := 0
	for line := range strings.Lines(string(out)) {
		if !strings.HasPrefix(line, "#") {
			n++
		}
	}
	return n
}

// F37, J147: whatever a camera sends becomes H264 that browsers show: every picture, in order, at its own time.
func TestWorkerMakesH264(t *testing.T) {
	service := newWorkshop(t, Options{})
	clips := map[string]*camera.Clip{"B-frames": parsed(t)(testmedia.BFrames())}
	for _, codec := range testmedia.Codecs()[:7] {
		clips[string(codec)] = clipOf(t, codec)
	}
	for name, clip := range clips {
		t.Run(name, func(t *testing.T) {
			s, units, status := undisturbed(t, service, clip, "main:h264", media.Video, 60)
			track := *units[0].Track
			equal(t, "profile", track.Profile.ProfileLevelID[:2], "[66 192]")
			equal(t, "height", track.Height, clip.Tracks[0].Height)
			equal(t, "B-frames", track.BFrames, false)
			if n := decoded(t, units); n != len(units) {
				t.Errorf("ffmpeg shows %d pictures of %d", n, len(units))
			}
			shown := slices.Sorted(slices.Values(s.pictures))
			at, ok := slices.BinarySearch(shown, units[0].PTS)
			if !ok || !units[0].Keyframe {
				t.Fatalf("it begins at %d, keyframe %v; the source sent %v", units[0].PTS, units[0].Keyframe, shown)
			}
			for i, u := range units {
				if at+i >= len(shown) || u.PTS != shown[at+i] {
					t.Fatalf("picture %d is of %d, want that of %v", i, u.PTS, shown[at:])
				}
			}
			t.Logf("first frame after %v", status.FirstFrame)
		})
	}
}

func TestWorkerMakesSound(t *testing.T) {
	service := newWorkshop(t, Options{})
	for _, c := range []struct {
		from, to media.Codec
		samples  int64
	}{
		{media.AAC, media.Opus, 960},
		{media.LPCM, media.Opus, 960},
		{media.PCMU, media.Opus, 960},
		{media.PCMA, media.PCMU, 160},
		{media.G722, media.Opus, 960},
		{media.Opus, media.PCMA, 160},
	} {
		t.Run(string(c.from)+" to "+string(c.to), func(t *testing.T) {
			_, units, _ := undisturbed(t, service, clipOf(t, c.from), "main:+"+string(c.to), media.Audio, 75)
			equal(t, "codec", units[0].Track.Codec, c.to)
			for i, u := range units[1:] {
				if step := u.PTS - units[i].PTS; step != c.samples {
					t.Errorf("packet %d comes %d samples after the one before", i+1, step)
				}
				if c.samples == 160 && len(u.Data[0]) != 160 {
					t.Errorf("packet %d has %d bytes", i+1, len(u.Data[0]))
				}
			}
		})
	}
}

func TestWorkerMakesVP8(t *testing.T) {
	service := newWorkshop(t, Options{})
	s := newStudio(t, service, clipOf(t, media.H265), StreamOptions{})
	units := s.read(s.subscribe("main:vp8"), media.Video, 20)
	equal(t, "first", []any{units[0].Track.Codec, units[0].Keyframe, units[0].Track.Width, units[0].Track.Height}, "[vp8 true 320 180]")
}

// A worker that is killed or hangs costs a moment, and nothing else.
func TestWorkerIsLost(t *testing.T) {
	service := newWorkshop(t, Options{})
	for _, c := range []struct {
		name   string
		signal syscall.Signal
		most   time.Duration // five times what is aimed at
	}{
		{"killed", syscall.SIGKILL, 5 * 150 * time.Millisecond},
		{"crashed", syscall.SIGSEGV, 5 * 150 * time.Millisecond},
		{"hung", syscall.SIGSTOP, worker.SilenceDeadline + 5*150*time.Millisecond},
	} {
		t.Run(c.name, func(t *testing.T) {
			gap := time.Hour
			for tries := 0; tries < 5 && gap > c.most; tries++ { // the machine itself may stand still for a moment
				gap = lose(t, service, c.signal)
				t.Logf("next frame after %v", gap)
			}
			if gap > c.most {
				t.Errorf("next frame after %v, want at most %v", gap, c.most)
			}
		})
	}
}

// lose sends a signal to the worker of a stream, and returns for how long its viewer gets no picture.
func lose(t *testing.T, service *Service, signal syscall.Signal) time.Duration {
	t.Helper()
	s := newStudio(t, service, clipOf(t, media.H265), StreamOptions{})
	defer s.stop()
	sub := s.subscribe("main:h264")
	s.read(sub, media.Video, 30)
	pid := s.Status()[0].PID
	if err := syscall.Kill(pid, signal); err != nil {
		t.Fatal(err)
	}
	lost := time.Now()
	var next *hub.Unit
	var last int64
	for next == nil {
		u := s.read(sub, media.Video, 1)[0]
		if st := s.Status(); st[0].PID != pid && st[0].Restarts > 0 && u.Keyframe {
			next = u
		} else {
			last = u.PTS
		}
	}
	if next.PTS <= last {
		t.Errorf("it goes on at %d, before %d", next.PTS, last)
	}
	equal(t, "publisher", len(s.hub.Derived()), 1)
	s.read(sub, media.Video, 10)
	return next.Arrived.Sub(lost)
}

func TestWorkerTakesSnapshot(t *testing.T) {
	service := newWorkshop(t, Options{})
	for _, codec := range testmedia.Codecs()[:7] {
		t.Run(string(codec), func(t *testing.T) {
			s := newStudio(t, service, clipOf(t, codec), StreamOptions{})
			s.read(s.subscribe("main"), media.Video, 2)
			began := time.Now()
			data, at, err := s.Snapshot(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			t.Logf("%d bytes after %v", len(data), time.Since(began))
			picture, err := jpeg.DecodeConfig(bytes.NewReader(data))
			if err != nil || picture.Width != 320 {
				t.Errorf("%+v, %v", picture, err)
			}
			if age := time.Since(at); age < 0 || age > 20*time.Second {
				t.Errorf("it is %v old", age)
			}
		})
	}
}

func TestWorkerScales(t *testing.T) {
	service := newWorkshop(t, Options{})
	o := StreamOptions{Renditions: []Rendition{{Name: "low", Height: 90, FPS: 5, MaxBitrateKbps: 100}}}
	s := newStudio(t, service, clipOf(t, media.H264), o)
	units := s.read(s.subscribe("low:h264"), media.Video, 10)
	equal(t, "size", []int{units[0].Track.Width, units[0].Track.Height}, "[160 90]")
	if span := units[9].PTS - units[0].PTS; span < 9*90000/6 || span > 9*90000/4 {
		t.Errorf("nine pictures take %d ticks", span)
	}
}

func TestWorkerRecords(t *testing.T) {
	service := newWorkshop(t, Options{AllowElements: []string{"filesink"}})
	file := filepath.Join(t.TempDir(), "yard.mp4")
	o := StreamOptions{Sink: "h264parse ! mp4mux fragment-duration=500 ! filesink location=" + file}
	s := newStudio(t, service, parsed(t)(testmedia.H264AAC()), o)
	source := s.subscribe("main")
	for s.Status()[0].State != StateRunning {
		s.read(source, media.Video, 1)
	}
	s.read(source, media.Video, 75)
	st := s.Status()[0]
	s.stop()
	equal(t, "state", []any{st.Kind, st.State, st.Error}, "[sink running ]")
	out, err := exec.CommandContext(t.Context(), "ffprobe", "-v", "error", "-count_frames", "-select_streams", "v", "-show_entries",
		"stream=codec_name,nb_read_frames", "-of", "csv=p=0", file).CombinedOutput()
	t.Logf("recorded: %s", out)
	if err != nil || !strings.HasPrefix(string(out), "h264,") {
		t.Errorf("%v %s", err, out)
	}
}

// clipFile is what BenchmarkJoin plays: go test -bench Join ./transcode -args -clip FILE.
var clipFile = flag.String("clip", "", "an MP4 for BenchmarkJoin; none: a small test stream of H265")

// BenchmarkJoin is what the first viewer of a transcode waits for, and how old the first picture is: with the cached GOP
// decoded only (preroll), and with all of it encoded.
func BenchmarkJoin(b *testing.B) {
	service := newWorkshop(b, Options{Linger: time.Millisecond})
	clip := clipOf(b, media.H265)
	if *clipFile != "" {
		var err error
		if clip, err = camera.Load(*clipFile); err != nil {
			b.Fatal(err)
		}
	}
	s := newStudio(b, service, clip, StreamOptions{})
	for _, preroll := range []bool{true, false} {
		b.Run(fmt.Sprintf("preroll=%v", preroll), func(b *testing.B) {
			service.preroll = preroll
			var wait, age time.Duration
			for b.Loop() {
				began := time.Now()
				sub := s.subscribe("main:h264")
				u := s.read(sub, media.Video, 1)[0]
				wait += time.Since(began)
				age += time.Since(media.Instant(u.PTS, 90000))
				sub.Close()
				for len(s.Status()) > 0 {
					<-s.hub.Changed()
				}
			}
			b.ReportMetric(float64(wait.Milliseconds())/float64(b.N), "ms-to-picture")
			b.ReportMetric(float64(age.Milliseconds())/float64(b.N), "ms-old")
		})
	}
}
