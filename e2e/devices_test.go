package e2e

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"sluice/internal/testworker"
)

// captureWorkers are the ways to a device, by the configuration that leaves no other.
var captureWorkers = []struct {
	name   string
	config func(t *testing.T) string
}{
	{"gateway-gst", func(t *testing.T) string {
		return fmt.Sprintf("transcode.worker = %q\ndevices.worker = \"off\"\n", testworker.GST(t))
	}},
	{"gateway-capture", func(t *testing.T) string {
		return fmt.Sprintf("transcode.worker = \"off\"\ndevices.worker = %q\n", testworker.Capture(t))
	}},
}

// screen is an X server without a monitor.
type screen struct {
	*process
	display string // ":7"
}

// startScreen runs an X server with a picture of 640x360, on a display or on a free one if that is "". A ball moves on
// it. They end with the test.
func startScreen(t *testing.T, display string) *screen {
	t.Helper()
	x := startXvfb(t, display, "640x360")
	ball := command("gst-launch-1.0", "-q", "videotestsrc", "pattern=ball", "!", "video/x-raw,width=640,height=360,framerate=30/1", "!",
		"ximagesink", "display="+x.display)
	start(t, "ball", ball)
	return x
}

// startXvfb is startScreen with a size, and without the ball.
func startXvfb(t *testing.T, display, size string) *screen {
	t.Helper()
	needTool(t, "Xvfb")
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	args := []string{"-displayfd", "3", "-screen", "0", size + "x24", "-nolisten", "tcp", "-noreset"}
	if display != "" {
		args = slices.Insert(args, 0, display)
	}
	c := command("Xvfb", args...)
	c.ExtraFiles = []*os.File{w}
	x := &screen{process: start(t, "Xvfb", c)}
	t.Cleanup(func() { x.terminate(time.Second) }) // it removes its socket then
	w.Close()
	number, err := bufio.NewReader(r).ReadString('\n')
	if err != nil {
		t.Fatalf("Xvfb does not start: %v: %s", err, x.output)
	}
	x.display = ":" + strings.TrimSpace(number)
	return x
}

// needTool skips the test where a program is missing; in CI it fails.
func needTool(t *testing.T, name string) {
	t.Helper()
	if _, err := exec.LookPath(name); err != nil {
		if os.Getenv("CI") != "" {
			t.Fatalf("%s is missing: scripts/install-test-deps", name)
		}
		t.Skipf("%s is missing: scripts/install-test-deps", name)
	}
}

// TestScreenReturns shows the screen of an X server, which is then killed and comes back: the page goes on in the
// session it has, and the API says in words meanwhile what is the matter.
func TestScreenReturns(t *testing.T) {
	for _, c := range captureWorkers {
		t.Run(c.name, func(t *testing.T) {
			x := startScreen(t, "")
			t.Setenv("DISPLAY", x.display)
			g := startGateway(t, c.config(t)+"streams.desk.source = \"device:screen?fps=25\"\n")
			g.awaitState(t, "desk", "ready", cameraLimit)
			p := openBrowser(t, chromium).open(t, g.page("desk"))
			p.awaitPicture(50)
			if l := p.look(); l.Width != 640 || l.Height != 360 {
				t.Errorf("the picture has %dx%d, want the screen's 640x360", l.Width, l.Height)
			}
			p.screenshot("playing")

			x.kill()
			eventually(t, cameraLimit, func() string {
				want := fmt.Sprintf("no X server has the display %q: start it", x.display)
				if s := g.stream(t, "desk"); s.State != "failed" || !strings.Contains(s.Error, want) {
					return fmt.Sprintf("the API says %s, %q, want failed and that %s", s.State, s.Error, want)
				}
				return ""
			})
			p.awaitBanner("waiting", playLimit, "The screen is offline", "o X server has the display")
			startScreen(t, x.display)
			back := time.Now()
			if s := g.awaitState(t, "desk", "ready", cameraLimit); s.Error != "" {
				t.Errorf("the API still says %q", s.Error)
			}
			t.Logf("ready %v after the screen's return", time.Since(back).Round(10*time.Millisecond))
			p.awaitPicture(50)
			if l := p.look(); l.Connections != 1 || l.Banner != "" {
				t.Errorf("the page plays over its connection %d, with the banner %q, want its first and none", l.Connections, l.Banner)
			}
		})
	}
}

// TestDeviceSources plays the test devices of both workers, and one of two screens.
func TestDeviceSources(t *testing.T) {
	t.Parallel()
	for _, c := range captureWorkers {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			startXvfb(t, "", "320x240")
			wide := startScreen(t, "")
			g := startGateway(t, c.config(t)+fmt.Sprintf(`
streams.picture.source = "device:videotest?width=320&height=240&fps=25"
streams.sound.source = "device:audiotest"
streams.second.source = "device:screen?id=%s"
`, wide.display))
			browser := openBrowser(t, chromium)
			for name, width := range map[string]int{"picture": 320, "second": 640} {
				t.Run(name, func(t *testing.T) { // closes its page
					g.awaitState(t, name, "ready", cameraLimit)
					p := browser.open(t, g.page(name))
					p.awaitPicture(50)
					if l := p.look(); l.Width != width {
						t.Errorf("the picture is %d wide, want %d", l.Width, width)
					}
					p.screenshot("playing")
				})
			}
			g.awaitState(t, "sound", "ready", cameraLimit)
			l := browser.open(t, g.page("sound")).awaitSound()
			t.Logf("%d packets of sound with loudness %.4f", l.AudioPackets, l.Loudness)
		})
	}
}

// listedDevice is a device as the API lists it.
type listedDevice struct {
	Kind, Label, ID, Source string
	Formats                 []string
}

// TestDevicesListed wants the screen from `gateway devices` and from the API, with the source that stands for it in a
// configuration; and that source plays.
func TestDevicesListed(t *testing.T) {
	x := startScreen(t, "")
	t.Setenv("DISPLAY", x.display)
	workers := fmt.Sprintf("transcode.worker = %q\ndevices.worker = %q\n", testworker.GST(t), testworker.Capture(t))
	g := startGateway(t, workers)
	var all []listedDevice
	g.fetch(t, "api/v1/devices", &all)
	i := slices.IndexFunc(all, func(d listedDevice) bool { return d.Kind == "screen" })
	if i < 0 {
		t.Fatalf("no screen is listed: %+v", all)
	}
	if d := all[i]; d.Label != "Screen "+x.display || d.ID != x.display || len(d.Formats) == 0 || !strings.Contains(d.Formats[0], "640x360") {
		t.Errorf("the screen is %+v, want %s with its size", d, x.display)
	}
	printed := runGateway(t, "devices", "--config", writeConfig(t, workers))
	for _, d := range all {
		for _, part := range append(d.Formats, d.Kind, d.Label, fmt.Sprintf("source = %q", d.Source)) {
			if !strings.Contains(printed, part) {
				t.Errorf("gateway devices does not say %q but\n%s", part, printed)
			}
		}
	}
	second := startGateway(t, workers+fmt.Sprintf("streams.desk.source = %q\n", all[i].Source))
	second.awaitState(t, "desk", "ready", cameraLimit)
}

// runGateway runs a subcommand to its end and returns what it prints.
func runGateway(t *testing.T, args ...string) string {
	t.Helper()
	out, err := command(program, args...).CombinedOutput()
	if err != nil {
		t.Fatalf("gateway %s: %v: %s", args[0], err, out)
	}
	return string(out)
}

// TestDeviceAbsent wants a sentence where a device is not there: what is there instead, or what to do.
func TestDeviceAbsent(t *testing.T) {
	x := startXvfb(t, "", "320x240")
	for _, c := range captureWorkers {
		t.Run(c.name, func(t *testing.T) {
			t.Setenv("DISPLAY", x.display)
			g := startGateway(t, c.config(t)+`
streams.beamer.source = "device:screen?label=Beamer"
streams.far.source = "device:screen?id=:9999"
`)
			t.Setenv("DISPLAY", "")
			bare := startGateway(t, c.config(t)+"streams.desk.source = \"device:screen\"\n")
			for _, want := range []struct {
				gateway *gatewayProcess
				stream  string
				says    []string
			}{
				{g, "beamer", []string{`"Beamer"`, fmt.Sprintf("%q", "Screen "+x.display)}},
				{g, "far", []string{`no X server has the display ":9999"`, fmt.Sprintf("%q", x.display)}},
				{bare, "desk", []string{"DISPLAY is not set", "device:screen?id="}},
			} {
				eventually(t, cameraLimit, func() string { // a worker that is slow to start fails in other words first
					s := want.gateway.stream(t, want.stream)
					for _, part := range want.says {
						if s.State != "failed" || !strings.Contains(s.Error, part) {
							return fmt.Sprintf("of %s, which is %s, the API says %q, want that it says %s", s.Source, s.State, s.Error, part)
						}
					}
					return ""
				})
			}
		})
	}
}

// TestDeviceOnDemand has nobody watch: no worker runs, so a camera's light is off.
func TestDeviceOnDemand(t *testing.T) {
	t.Parallel()
	for _, c := range captureWorkers {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			g := startGateway(t, c.config(t)+`
transcode.warm = 0
streams.picture = { source = "device:videotest?width=320&height=240", on_demand = true, on_demand_close_after = "0s" }
`)
			await := func(n int) {
				t.Helper()
				eventually(t, cameraLimit, func() string {
					if all := childrenNamed(t, g.cmd.Process.Pid, c.name); len(all) != n {
						return fmt.Sprintf("processes %v of %s run, want %d", all, c.name, n)
					}
					return ""
				})
			}
			await(0) // of those that try encoders
			for range 2 {
				v := g.watch(t, "picture")
				v.awaitFrames(t, 10)
				await(1)
				v.close()
				await(0)
			}
		})
	}
}

// childrenNamed are the processes of a program that another process has started.
func childrenNamed(t *testing.T, parent int, name string) []string {
	t.Helper()
	files, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", parent))
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, f := range files {
		pids, _ := os.ReadFile(f) // of a thread that may have ended
		for _, pid := range strings.Fields(string(pids)) {
			line, _ := os.ReadFile("/proc/" + pid + "/cmdline")
			if arg, _, _ := strings.Cut(string(line), "\x00"); filepath.Base(arg) == name {
				all = append(all, pid)
			}
		}
	}
	return all
}
