package e2e

import (
	"fmt"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"
)

// TestExamplesAreKnown wants no example on the page that no test here runs, and none that `gateway --check` objects to.
func TestExamplesAreKnown(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile(examplesPage)
	if err != nil {
		t.Fatal(err)
	}
	var found []string
	for section := range strings.SplitSeq(string(page), "\n### ") {
		heading, _, _ := strings.Cut(section, "\n")
		for n := range tomlBlock.FindAllString(section, -1) {
			found = append(found, heading)
			if out, err := command(program, "--check", "--config", writeConfig(t, example(t, heading, n))).CombinedOutput(); err != nil {
				t.Errorf("%s: %v: %s", heading, err, out)
			}
		}
	}
	run := []string{
		patternExample, screenExample, srtExample, loopExample, loopExample, processExample, recordingExample, hlsExample,
		v4l2Example, libcameraExample, rtmpExample,
	}
	if !slices.Equal(found, run) {
		t.Errorf("%s has the examples %q, want %q", examplesPage, found, run)
	}
}

// TestPagesHaveGoodConfig wants no configuration on the other pages that `gateway --check` objects to.
func TestPagesHaveGoodConfig(t *testing.T) {
	t.Parallel()
	readme := strings.Join(tomlBlocks(t, "../README.md"), "") // one file, that grows
	for i, text := range append(tomlBlocks(t, "../docs/raspberry-pi.md"), readme) {
		if out, err := command(program, "--check", "--config", writeConfig(t, text)).CombinedOutput(); err != nil {
			t.Errorf("number %d:\n%s%v: %s", i, text, err, out)
		}
	}
}

// tomlBlocks are the pieces of configuration on a page, of which there must be one.
func tomlBlocks(t *testing.T, path string) []string {
	t.Helper()
	page, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, block := range tomlBlock.FindAllStringSubmatch(string(page), -1) {
		all = append(all, block[1])
	}
	if len(all) == 0 {
		t.Fatalf("%s has no configuration", path)
	}
	return all
}

// TestExampleErrors makes the mistakes of which the page tells, and wants the very sentences that stand there: from the
// API, and for whoever wants to watch.
func TestExampleErrors(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile(examplesPage)
	if err != nil {
		t.Fatal(err)
	}
	mistakes := map[string]struct{ text, says string }{
		"file":     {"videotestsrc ! filesink location=/nonexistent/x", `element "filesink" is not allowed: name it in transcode.allow_elements to permit it`}, // J180, I24
		"property": {"videotestsrc foo=1", `the pipeline has a mistake: no property "foo" in element "videotestsrc"`},                                          // J181
		"element":  {"videotestsrc ! x264encc", `element "x264encc" is not installed`},                                                                         // J181
		"package":  {"libcamerasrc", `element "libcamerasrc" is not installed: apt install gstreamer1.0-libcamera`},                                            // J181
		"output":   {"videotestsrc ! fakesink", "the pipeline has no output: end it in raw or encoded video or audio"},                                         // J183
		"silent":   {"videotestsrc is-live=true ! identity drop-probability=1", "the pipeline does not start: nothing came out of it for 10s"},                 // J182
	}
	config := ""
	for name, m := range mistakes {
		config += fmt.Sprintf("streams.%s.source = %q\n", name, "gst:"+m.text)
		if !strings.Contains(string(page), m.says) {
			t.Errorf("%s does not have the sentence %q", examplesPage, m.says)
		}
	}
	g := startTranscoder(t, config)
	for name, m := range mistakes {
		eventually(t, cameraLimit, func() string {
			if s := g.stream(t, name); s.Error != m.says {
				return fmt.Sprintf("%s: it says %q, want %q", name, s.Error, m.says)
			}
			return ""
		})
		_, refused := g.ask(t, name)
		if refused == nil || refused.Status != http.StatusConflict || !strings.Contains(refused.Detail, m.says) {
			t.Errorf("%s: a viewer is told %+v, want 409 and the sentence", name, refused)
		}
	}
}
