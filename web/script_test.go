package web

import (
	"context"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"sluice/media"
)

// The parts of the scripts that need no browser have unit tests of their own, which Node runs.
func TestScripts(t *testing.T) {
	files, err := filepath.Glob("test/*.test.js")
	if err != nil || len(files) == 0 {
		t.Fatalf("no tests of the scripts: %v", err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 4*time.Minute)
	defer cancel()
	out, err := exec.CommandContext(ctx, "node", append([]string{"--test"}, files...)...).CombinedOutput()
	if err != nil {
		t.Fatalf("node --test: %v\n%s", err, out)
	}
	if !regexp.MustCompile(`pass [1-9]`).Match(out) {
		t.Errorf("node ran no tests:\n%s", out)
	}
}

// The pages call a codec what the server's sentences call it.
func TestScriptsNameCodecsAsMediaDoes(t *testing.T) {
	words := string(newPages(t).assets.files["words.js"].body)
	for _, codec := range []media.Codec{
		media.H264, media.H265, media.VP8, media.VP9, media.AV1, media.MJPEG, media.MPEG4Video,
		media.Opus, media.PCMU, media.PCMA, media.G722, media.AAC, media.MP3, media.LPCM,
	} {
		if want := string(codec) + ": '" + codec.Title() + "'"; !strings.Contains(words, want) {
			t.Errorf("words.js lacks %s", want)
		}
	}
}
