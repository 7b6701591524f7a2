package pipeline_test

import (
	"testing"
	"time"

	"sluice/worker/pipeline"
)

// I24: what is put into a text is a moment, of letters, digits and a dot.
func TestStamp(t *testing.T) {
	at := time.Date(2026, 11, 21, 16, 41, 5, 250e6, time.FixedZone("", 3600))
	for in, want := range map[string]string{
		"filesink location=/v/door-{time}.mp4": "filesink location=/v/door-20261121T154105.250Z.mp4",
		"a location={time}/{time} ! b":         "a location=20261121T154105.250Z/20261121T154105.250Z ! b",
		"fakesink":                             "fakesink",
		"a ! {Time} ! {time":                   "a ! {Time} ! {time",
	} {
		if got := pipeline.Stamp(in, at); got != want {
			t.Errorf("Stamp(%q) = %q, want %q", in, got, want)
		}
	}
}
