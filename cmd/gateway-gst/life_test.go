//go:build gstreamer

package main

import (
	"fmt"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"sluice/worker/wire"
)

// peakBytes is the most memory that a process had; false where the system does not tell.
func peakBytes(s *os.ProcessState) (int64, bool) {
	usage, ok := s.SysUsage().(*syscall.Rusage)
	if !ok {
		return 0, false
	}
	return usage.Maxrss << 10, true
}

func TestGreeting(t *testing.T) {
	p := start(t)
	if g := p.greeting; g.Version != wire.Version || g.Worker != "gateway-gst" || !strings.HasPrefix(g.Library, "GStreamer 1.") {
		t.Errorf("the greeting is %+v", g)
	}
}

// A warm worker says when it is ready for a job, and takes it.
func TestWarm(t *testing.T) {
	for name, warm := range map[string][]string{
		"elements": {"x264enc", "avdec_h264", "h264parse", "nosuchenc"}, "nothing but the registry": nil,
	} {
		t.Run(name, func(t *testing.T) {
			p := start(t)
			p.send(wire.JSON(wire.TypeConfig, wire.Job{Warm: warm}))
			p.wait(wire.TypeReady)
			p.send(&wire.Message{Type: wire.TypePing})
			p.first(wire.TypePong)
			p.send(wire.JSON(wire.TypeConfig, sourceJob("videotestsrc is-live=true ! "+small)))
			p.wait(wire.TypeReady)
			p.tracks(1, 3)
		})
	}
}

// However it is told to end, it does.
func TestEnds(t *testing.T) {
	stop := func(p *process) { p.send(&wire.Message{Type: wire.TypeStop}) }
	leave := func(p *process) { p.conn.Close() }
	for name, end := range map[string]func(*process){"told to": stop, "left alone": leave} {
		for state, job := range map[string]*wire.Job{
			"without a job": nil, "warm": {}, "running": new(sourceJob("videotestsrc is-live=true")),
			"waiting": new(transcoder(source + "avdec_h264 ! videoconvert ! " + x264 + sink)),
		} {
			t.Run(name+", "+state, func(t *testing.T) {
				p := start(t)
				if job != nil {
					p.send(wire.JSON(wire.TypeConfig, *job))
					p.wait(wire.TypeReady)
				}
				end(p)
				if code := p.gone(farewell); code != 0 {
					t.Errorf("exit code %d", code)
				}
			})
		}
	}
}

// Messages of a later version are skipped, and those that make no sense do no harm.
func TestStrangeMessages(t *testing.T) {
	p := play(t, transcoder(source+"avdec_h264 ! videoconvert ! "+x264+sink))
	for _, m := range []wire.Message{
		{Type: 200, Payload: []byte("?")},
		{Type: wire.TypeFrame, Track: 9, Payload: []byte{1}},
		{Type: wire.TypeKeyRequest, Track: 9},
		{Type: wire.TypeBitrate, Track: 9, Ext: 1},
		{Type: wire.TypeBitrate, Ext: -1},
		{Type: wire.TypeCaps, Payload: []byte("{")},
		{Type: wire.TypeConfig, Payload: []byte("{}")},
		{Type: wire.TypeHello},
	} {
		p.send(&m)
	}
	p.feed(clip(t, 1, 320, 240, "ball")[0], 0, 0)
	p.wait(wire.TypeFrame)
}

// Pings are answered by the goroutine of the bus, each one; statistics come by themselves.
func TestPingAndStats(t *testing.T) {
	p := play(t, sourceJob("videotestsrc is-live=true ! "+small))
	for range 3 {
		p.send(&wire.Message{Type: wire.TypePing})
	}
	for range 3 {
		p.first(wire.TypePong)
	}
	var s wire.Stats
	for began := time.Now(); s.Out == 0 && time.Since(began) < patience; { // the first may come before the first frame
		s = wire.Stats{}
		m := p.first(wire.TypeStats)
		if err := m.Decode(&s); err != nil {
			t.Fatal(err)
		}
	}
	if s.RSS < 5<<20 || s.CPU <= 0 || s.Out == 0 {
		t.Errorf("statistics are %+v", s)
	}
}

// The worker gives up what it does not need before its pipeline is there.
func TestConfined(t *testing.T) {
	job := transcoder(source + "avdec_h264 ! videoconvert ! " + x264 + sink)
	job.Limits.Files = 99
	p := play(t, job)
	limits := proc(t, p, "limits")
	for name, want := range map[string]string{"Max core file size": "0", "Max open files": "99"} {
		if got := fields(limits, name); len(got) < 2 || got[0] != want || got[1] != want {
			t.Errorf("%s: %v, want %s", name, got, want)
		}
	}
	if got := strings.TrimSpace(proc(t, p, "oom_score_adj")); got != "500" {
		t.Errorf("when memory runs out, its score is %s higher than ours", got)
	}
	tasks, err := os.ReadDir(fmt.Sprintf("/proc/%d/task", p.cmd.Process.Pid))
	if err != nil || len(tasks) < 3 {
		t.Fatalf("%d threads: %v", len(tasks), err)
	}
	for _, task := range tasks {
		status, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%s/status", p.cmd.Process.Pid, task.Name()))
		if err != nil { // it has ended meanwhile
			continue
		}
		if got := fields(string(status), "NoNewPrivs:"); len(got) == 0 || got[0] != "1" {
			t.Errorf("thread %s may gain rights: %v", task.Name(), got)
		}
	}
	p.feed(clip(t, 1, 1280, 720, "ball")[0], 0, 0)
	p.wait(wire.TypeFrame)
}

func proc(t *testing.T, p *process, name string) string {
	t.Helper()
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/%s", p.cmd.Process.Pid, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// fields are what follows a name on its line.
func fields(text, name string) []string {
	_, rest, _ := strings.Cut(text, name)
	line, _, _ := strings.Cut(rest, "\n")
	return strings.Fields(line)
}
