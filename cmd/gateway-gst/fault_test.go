//go:build gstreamer

package main

import (
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"sluice/media"
	"sluice/worker/wire"
)

var update = flag.Bool("update", false, "write what the tests see into testdata")

// mistakes are sources that can't work: what the user reads of each is in testdata/faults.golden.
func mistakes() map[string]wire.Job {
	text := func(pipeline string, allow ...string) wire.Job {
		j := sourceJob(pipeline, allow...)
		j.Limits.StateSeconds = 5
		return j
	}
	silent := text("videotestsrc is-live=true ! identity drop-probability=1 ! x264enc")
	silent.Limits.StateSeconds = 1
	late := text("videotestsrc is-live=true num-buffers=1000 ! identity drop-probability=1 ! x264enc ! mpegtsmux ! tsdemux")
	late.Limits.StateSeconds = 1
	caller := text("srtsrc uri=srt://127.0.0.1:1?mode=caller ! tsdemux")
	caller.Limits.StateSeconds = 7 // one time-out of SRT takes 3
	rawOnly := text("audiotestsrc is-live=true")
	rawOnly.Encoders = nil
	return map[string]wire.Job{
		// J180
		"filesink":                  text("videotestsrc ! filesink location=/tmp/x"),
		"souphttpclientsink":        text("videotestsrc ! jpegenc ! multipartmux ! souphttpclientsink location=http://127.0.0.1:1/"),
		"fdsrc":                     text("fdsrc fd=3 ! h264parse"),
		"filesrc in a bin":          text("( filesrc location=/etc/passwd ! fakesink )  videotestsrc is-live=true"),
		"playbin":                   text("playbin uri=file:///etc/passwd"),
		"file behind a URI":         text("uridecodebin uri=file:///etc/passwd", "uridecodebin"),
		"another element allowed":   text("filesrc location=/etc/passwd ! h264parse", "filesink"),
		"uridecodebin, not allowed": text("uridecodebin uri=rtsp://127.0.0.1:1/"),
		// J181
		"missing element":           text("videotestsrc ! nosuchenc"),
		"missing element of Debian": text("videotestsrc ! vaapih264enc"),
		"no such property":          text("videotestsrc ! x264enc foo=1"),
		"no such property, alone":   text("videotestsrc foo=1"),
		"no such property at first": text("videotestsrc foo=1 ! x264enc"),
		"missing, with a property":  text("nosuchsrc foo=1 ! x264enc"),
		"no such value":             text("videotestsrc ! x264enc tune=foo"),
		"secret of a bad value":     text(`souphttpsrc extra-headers="h,Authorization=(string)Bearer secret" ! fakesink`),
		"secret of a wrong number":  text("rtspsrc latency=secret ! fakesink"),
		"secret with a space":       text("srtsrc passphrase=a secret ! tsdemux"),
		"secret with a mark":        text("srtsrc passphrase=a ! secret.pad tsdemux"),
		"secret of a user":          text("rtspsrc location=rtsp://127.0.0.1:1/s user-id=u user-pw=secret ! rtph264depay"),
		"can't be linked":           text("videotestsrc ! h264parse ! jpegdec"),
		"syntax":                    text("videotestsrc ! ! x264enc"),
		"only an exclamation mark":  text("!"),
		"unknown reference":         text("videotestsrc ! nowhere."),
		"empty":                     text(""),
		"blank":                     text(" \t\n"),
		"zero byte":                 text("videotestsrc\x00 ! filesink"),
		"more than 64 KiB":          text("videotestsrc ! textoverlay text=\"" + strings.Repeat("x", 64<<10) + "\""),
		"many brackets":             text(strings.Repeat("(", 60<<10)),
		"many elements":             text(strings.Repeat("identity ! ", 300) + "nosuchenc"),
		// J182
		"ends at once":              text("videotestsrc is-live=true num-buffers=0 ! x264enc"),
		"fails after 5 frames":      text("videotestsrc is-live=true ! identity error-after=5 ! x264enc tune=zerolatency"),
		"nothing comes":             silent,
		"device that is not there":  text("v4l2src device=/dev/video99"),
		"display that is not there": text("ximagesrc display-name=:99 ! videoconvert"),
		"camera that is not there":  text("rtspsrc location=rtsp://user:secret@127.0.0.1:1/stream ! rtph264depay"),
		"file that is not there":    text("filesrc location=/nonexistent/clip.mp4 ! qtdemux ! h264parse", "filesrc"),
		"connection refused, RTMP":  text("rtmp2src location=rtmp://user:secret@127.0.0.1:1/live/secret ! flvdemux ! h264parse"),
		"connection refused, TCP":   text("tcpclientsrc host=127.0.0.1 port=1 ! h264parse"),
		"nobody answers, SRT":       caller,
		"decoder not installed":     text(`videotestsrc is-live=true ! jpegenc ! capssetter join=false replace=true caps="video/x-nosuch" ! decodebin`),
		// J183
		"no output":               text("videotestsrc is-live=true ! fakesink"),
		"output that never comes": late,
		"two appsinks of one name": text("videotestsrc is-live=true ! x264enc ! appsink name=video  " +
			"( videotestsrc is-live=true ! x264enc ! appsink name=video )"),
		"two elements of one name":      text("videotestsrc is-live=true ! x264enc ! appsink name=video  audiotestsrc ! opusenc ! appsink name=video"),
		"appsink of another name":       text("videotestsrc is-live=true ! x264enc ! appsink name=out"),
		"appsrc":                        text("appsrc ! x264enc"),
		"raw picture in a named output": text("videotestsrc is-live=true ! appsink name=video"),
		"raw without an encoder":        rawOnly,
		"codec that is not carried":     text("videotestsrc is-live=true ! theoraenc"),
		// J184
		"16k × 16k":               text("videotestsrc is-live=true ! video/x-raw,format=I420,width=16384,height=16384,framerate=240/1"),
		"16k × 16k, scaled":       text("videotestsrc is-live=true ! videoscale ! video/x-raw,width=16384,height=16384"),
		"16k × 16k, in decodebin": text("videotestsrc is-live=true num-buffers=1 ! video/x-raw,width=64,height=64 ! videoscale ! video/x-raw,width=16000,height=16000 ! decodebin"),
		"8k × 8k":                 text("videotestsrc is-live=true ! video/x-raw,width=8192,height=8192"),
	}
}

// J180, J181, J182, J183, J184, I24
func TestFaultsAreSentences(t *testing.T) {
	jobs := mistakes()
	var got strings.Builder
	for _, name := range slices.Sorted(maps.Keys(jobs)) {
		t.Run(name, func(t *testing.T) {
			p := run(t, jobs[name])
			f := p.fault()
			fmt.Fprintf(&got, "%s\n\t%s, permanent %v\n\t%s\n", name, f.Code, f.Permanent, f.Error())
			if code := p.gone(patience); code != 1 {
				t.Errorf("exit code %d, want 1: %s", code, p.stderr.String())
			}
			if strings.Contains(f.Error()+f.Debug, "secret") {
				t.Errorf("the password shows: %+v", f)
			}
		})
	}
	golden := filepath.Join("testdata", "faults.golden")
	if *update {
		if err := os.WriteFile(golden, []byte(got.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	compareLines(t, got.String(), string(want))
}

func compareLines(t *testing.T, got, want string) {
	t.Helper()
	g, w := strings.Split(got, "\n"), strings.Split(want, "\n")
	for i := range max(len(g), len(w)) {
		a, b := at(g, i), at(w, i)
		if a != b {
			t.Fatalf("line %d is\n%s\nwant\n%s\n(go test -update writes them anew)", i+1, a, b)
		}
	}
}

func at(lines []string, i int) string {
	if i < len(lines) {
		return lines[i]
	}
	return "(nothing)"
}

// J184: what is refused has not been allocated before, as the process's peak shows.
func TestLargePicturesTakeNoMemory(t *testing.T) {
	p := run(t, mistakes()["16k × 16k"])
	if f := p.fault(); f.Code != wire.FaultLimit {
		t.Fatalf("the fault is %+v", f)
	}
	p.gone(patience)
	if usage, ok := peakBytes(p.cmd.ProcessState); ok && usage > 250<<20 {
		t.Errorf("the worker took %d MiB at its peak; a picture has 384", usage>>20)
	}
}

// J185: nothing that a job says beside its text becomes text. Values are set on elements that are there.
func TestValuesAreNoText(t *testing.T) {
	file := filepath.Join(t.TempDir(), "x")
	injected := "\" ! filesink location=" + file
	job := sourceJob("videotestsrc is-live=true ! " + small + " ! textoverlay name=label")
	job.Properties = []wire.Property{{Element: "label", Name: "text", Value: injected}}
	job.Encoders[0].Properties = append(job.Encoders[0].Properties, wire.Property{Element: injected, Name: injected, Value: injected})
	p := play(t, job)
	p.tracks(1, 5)
	if _, err := os.Stat(file); !os.IsNotExist(err) {
		t.Errorf("a value has become text: %v", err)
	}
}

// J183: a job of a transcoder whose ends are not in its text.
func TestPortsThatAreNotThere(t *testing.T) {
	for name, c := range map[string]struct {
		job  wire.Job
		want wire.FaultCode
	}{
		"no appsrc":      {transcoder("videotestsrc ! x264enc ! appsink name=out"), wire.FaultParse},
		"no appsink":     {transcoder("appsrc name=in ! fakesink"), wire.FaultNoOutput},
		"another's name": {transcoder("identity name=in ! appsink name=out"), wire.FaultParse},
		"no role":        {wire.Job{Role: "dance", Pipeline: "videotestsrc ! fakesink"}, wire.FaultStart},
		"caps that are none": {wire.Job{
			Role: wire.RoleTranscode, Pipeline: "appsrc name=in ! fakesink",
			Inputs: []wire.Port{{Name: "in", Kind: media.Video, Caps: "!!"}},
		}, wire.FaultParse},
	} {
		t.Run(name, func(t *testing.T) {
			if f := run(t, c.job).fault(); f.Code != c.want || !f.Permanent {
				t.Errorf("the fault is %+v, want %s for good", f, c.want)
			}
		})
	}
}

// I24, J186: a change of state that does not end is given up; the process ends in time with all that blocks.
func TestStateThatBlocks(t *testing.T) {
	blocks := sourceJob("videotestsrc is-live=true ! identity sleep-time=30000000 ! fakesink  videotestsrc is-live=true ! " + small)
	p := play(t, blocks)
	p.tracks(1, 3)
	began := time.Now()
	p.send(&wire.Message{Type: wire.TypeStop}) // identity does not come out of its sleep for NULL
	if code := p.gone(farewell); code != 0 {
		t.Errorf("exit code %d", code)
	}
	if took := time.Since(began); took < closeWait/2 {
		t.Errorf("it ended in %v: the element did not block", took)
	}
}
