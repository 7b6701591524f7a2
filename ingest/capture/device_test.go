package capture

import (
	"errors"
	"strings"
	"testing"

	"sluice/worker/wire"
)

// parsed are texts that name a device, with what is read, or a part of what is said of them.
var parsed = map[string]struct {
	want  wire.Device
	fault string
}{
	"camera":                    {wire.Device{Kind: "camera"}, ""},
	"camera?":                   {wire.Device{Kind: "camera"}, ""},
	"camera?label=HD+Webcam":    {wire.Device{Kind: "camera", Label: "HD Webcam"}, ""},
	"camera?label=50%25":        {wire.Device{Kind: "camera", Label: "50%"}, ""},
	"camera?id=/dev/video2":     {wire.Device{Kind: "camera", ID: "/dev/video2"}, ""},
	"screen?id=:0.1&fps=5":      {wire.Device{Kind: "screen", ID: ":0.1", FPS: 5}, ""},
	"screen?width=1&height=720": {wire.Device{Kind: "screen", Width: 1, Height: 720}, ""},
	"microphone?label=a;b":      {wire.Device{}, "can't be read"},
	"microphone?label=50%":      {wire.Device{}, "can't be read"},
	"":                          {wire.Device{}, "is of no kind"},
	"webcam":                    {wire.Device{}, "is of no kind"},
	"camera?label=":             {wire.Device{}, "an empty label"},
	"camera?label=a&label=b":    {wire.Device{}, "more than once"},
	"camera?label=a&id=b":       {wire.Device{}, "a label and an id"},
	"camera?size=1":             {wire.Device{}, `a key "size"`},
	"camera?fps=0":              {wire.Device{}, "from 1 to 240"},
	"camera?fps=x":              {wire.Device{}, "from 1 to 240"},
	"camera?width=9000":         {wire.Device{}, "from 1 to 8192"},
	"microphone?fps=10":         {wire.Device{}, "gives no pictures"},
	// J185
	`camera?id=x"+!+filesink+location="y`: {wire.Device{}, "quotes"},
	`camera?label=x\`:                     {wire.Device{}, "quotes"},
	"camera?label=a%00b":                  {wire.Device{}, "control characters"},
}

func TestParse(t *testing.T) {
	for text, c := range parsed {
		t.Run(text, func(t *testing.T) {
			got, err := Parse(text)
			if c.fault == "" && (err != nil || got != c.want) {
				t.Errorf("read as %+v, %v, want %+v", got, err, c.want)
			}
			if c.fault != "" && (!errors.As(err, new(*DeviceError)) || !strings.Contains(err.Error(), c.fault)) {
				t.Errorf("read as %+v, %v, want an error that says %q", got, err, c.fault)
			}
		})
	}
}

// Whatever is read can be put into a pipeline without becoming more than a name.
func FuzzParse(f *testing.F) {
	for text := range parsed {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		d, err := Parse(text)
		if err == nil && (strings.ContainsAny(d.Label+d.ID, "\"\\\x00\n") || d.Width < 0 || d.Width > maxSize || d.FPS > maxFPS) {
			t.Errorf("read as %+v", d)
		}
	})
}

// What a list tells of a device names that device.
func TestName(t *testing.T) {
	for want, d := range map[string]wire.DeviceInfo{
		"camera?label=HD+Webcam%3B+2%25": {Kind: "camera", Label: "HD Webcam; 2%", ID: "/dev/video0"},
		"camera?id=%2Fdev%2Fvideo0":      {Kind: "camera", Label: `13" screen`, ID: "/dev/video0"},
		"screen?id=%3A0":                 {Kind: "screen", Label: "Screen :0", ID: ":0"},
		"microphone":                     {Kind: "microphone"},
	} {
		got := Name(d)
		if got != want {
			t.Errorf("%+v is named %q, want %q", d, got, want)
		}
		back, err := Parse(got)
		if err != nil || back.Label != "" && back.Label != d.Label || back.ID != "" && back.ID != d.ID {
			t.Errorf("%q is read as %+v, %v", got, back, err)
		}
	}
}
