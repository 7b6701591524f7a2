package config

import (
	"strings"
	"testing"
)

// J181, J185: what a pipeline's text may be, before GStreamer sees it.
func TestCheckPipeline(t *testing.T) {
	for _, tc := range []struct {
		name, text string
		want       string // part of the message; "": none
	}{
		{"plain", "videotestsrc ! fakesink", ""},
		{"64 KiB", strings.Repeat("a", 64<<10), ""},
		{"more", strings.Repeat("a", 64<<10+1), "is a pipeline of 65537 bytes; at most 65536 are read"},
		{"quotes in quotes", `textoverlay text="it's" ! textoverlay text='5"'`, ""},
		{"escaped quotes", `textoverlay text=it\'s ! textoverlay text="5\"" ! textoverlay text='\''`, ""},
		{"escaped backslash", `filesrc location="C:\\"`, ""},
		{"backslash at the end", `filesrc location=\`, ""},
		{"double", `a b="c`, `has a " after 4 bytes`},
		{"single after double", `a b="c" d='`, `has a ' after 10 bytes`},
		{"quote after a backslash that is escaped", `a b=\\"`, `has a " after 6 bytes`},
		{"empty", "", "is an empty pipeline"},
		{"name from outside", `a b="${stream}"`, "has ${stream} in a pipeline"},
		{"another reference", `a b="${other}"`, ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got := checkPipeline(tc.text)
			if tc.want == "" && got != "" || !strings.Contains(got, tc.want) {
				t.Errorf("got %q, want %q", got, tc.want)
			}
		})
	}
}

// J185: even in a Config that nobody has validated, no name gets into a pipeline.
func TestLookupLeavesPipelinesAlone(t *testing.T) {
	const text = "videotestsrc name=${stream}"
	c := Config{Streams: map[string]Stream{"cam*": {Source: "gst:" + text, Process: text, Sink: "gst:" + text}}}
	s, _, ok := c.Lookup("cam1")
	if !ok || s.Pipeline() != text || s.Process != text || s.SinkPipeline() != text {
		t.Errorf("got %+v", s)
	}
	c.Streams["dev*"] = Stream{Source: "device:camera?id=${stream}"}
	if s, _, _ := c.Lookup("dev1"); s.Device() != "camera?id=${stream}" {
		t.Errorf("got %q", s.Device())
	}
}

// I40: what is shown of a pipeline holds no property.
func TestShownPipeline(t *testing.T) {
	for source, want := range map[string]string{
		"gst: videotestsrc is-live=true ! video/x-raw,width=640 ! timeoverlay":        "gst:videotestsrc ! timeoverlay",
		"gst:rtspsrc location=rtsp://u:hunter2@cam user-pw = hunter2 ! fakesink":      "gst:rtspsrc ! fakesink",
		"gst:textoverlay text=\"a ! hunter2 ! b\" ! x264enc":                          "gst:textoverlay ! x264enc",
		`gst:textoverlay text="5\" ! hunter2" ! textoverlay text=a\ !\ hunter2 ! tee`: "gst:textoverlay ! textoverlay ! tee",
		"gst:srtsrc\n  uri=srt://a?passphrase=hunter2\n! tsdemux name=d  d. ! queue":  "gst:srtsrc ! tsdemux ! queue",
		"gst:( hunter2.bin )": "gst:",
		"rtsp://u:hunter2@a/": "",
		"publish":             "",
	} {
		if got := (Stream{Source: source}).ShownPipeline(); got != want {
			t.Errorf("%s: got %q, want %q", source, got, want)
		}
	}
}
