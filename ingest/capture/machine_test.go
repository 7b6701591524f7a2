//go:build linux

package capture

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"sluice/worker/wire"
)

// fakeMachine is one with the files, environment and device nodes that are told.
func fakeMachine(t *testing.T, files, environ map[string]string, nodes map[string]node) machine {
	t.Helper()
	root := t.TempDir()
	for name, text := range files {
		path := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return machine{
		root:   root,
		getenv: func(name string) string { return environ[name] },
		node: func(path string) (node, error) {
			if n, ok := nodes[path]; ok {
				return n, nil
			}
			return node{}, fs.ErrPermission
		},
		open: func(string) error { return nil },
		dial: func(socket string) error {
			_, err := os.Stat(socket)
			return err
		},
	}
}

// Two USB cameras, one of which has a second node for metadata, a codec of a Raspberry Pi and a sound card.
var (
	deskFiles = map[string]string{
		"sys/class/video4linux/video0/name":  "HD Webcam: HD Webcam\n",
		"sys/class/video4linux/video1/name":  "HD Webcam: HD Webcam\n",
		"sys/class/video4linux/video2/name":  "Document Camera\n",
		"sys/class/video4linux/video3/name":  "Old Camera\n",
		"sys/class/video4linux/video10/name": "bcm2835-codec-decode\n",
		"proc/asound/cards":                  " 0 [PCH            ]: HDA-Intel - HDA Intel PCH\n                      HDA Intel PCH at 0x1 irq 2\n 1 [Headset        ]: USB-Audio - USB Headset\n",
		"proc/asound/card0/id":               "PCH\n",
		"proc/asound/card0/pcm0p/info":       "",
		"proc/asound/card1/id":               "Headset\n",
		"proc/asound/card1/pcm0c/info":       "",
		"proc/asound/card1/pcm1c/info":       "",
		"tmp/.X11-unix/X0":                   "",
	}
	deskNodes = map[string]node{
		"/dev/video0":       {Driver: "uvcvideo", Capture: true, Formats: []string{"YUYV", "MJPEG"}},
		"/dev/video1":       {Driver: "uvcvideo"},
		"/dev/video2":       {Driver: "uvcvideo", Capture: true, Formats: []string{"MJPEG", "H264"}},
		"/dev/video3":       {Driver: "uvcvideo", Capture: true, Formats: []string{"YUYV"}},
		"/dev/video10":      {Driver: "bcm2835-codec"},
		"/dev/v4l/by-id/x0": {Driver: "uvcvideo", Capture: true, Formats: []string{"H264"}},
	}
	desktop = map[string]string{"DISPLAY": ":0"}
)

// One camera of a Raspberry Pi 5, with what processes its pictures.
var (
	pi5Files = map[string]string{
		"sys/class/video4linux/video0/name":  "rp1-cfe-csi2_ch0\n",
		"sys/class/video4linux/video2/name":  "rp1-cfe-csi2_ch2\n",
		"sys/class/video4linux/video4/name":  "rp1-cfe-fe_image0\n",
		"sys/class/video4linux/video20/name": "pispbe-output0\n",
		"sys/class/video4linux/video21/name": "pispbe-tdn_output\n",
	}
	pi5Nodes = map[string]node{
		"/dev/video0":  {Driver: "rp1-cfe", Capture: true, Formats: []string{"pRAA"}},
		"/dev/video2":  {Driver: "rp1-cfe", Capture: true, Formats: []string{"pRAA"}},
		"/dev/video4":  {Driver: "rp1-cfe", Capture: true, Formats: []string{"pRAA"}},
		"/dev/video20": {Driver: "pispbe", Capture: true, Formats: []string{"NV12"}},
		"/dev/video21": {Driver: "pispbe", Capture: true, Formats: []string{"NV12"}},
	}
)

// What a device becomes in GStreamer. No machine of ours has these: the texts are all that is tested.
func TestPipeline(t *testing.T) {
	desk := fakeMachine(t, deskFiles, desktop, deskNodes)
	server := fakeMachine(t, deskFiles, map[string]string{"PULSE_SERVER": "unix:/run/pulse"}, deskNodes)
	pi := fakeMachine(t, map[string]string{"sys/class/video4linux/video0/name": "unicam-image\n"}, nil,
		map[string]node{"/dev/video0": {Driver: "unicam", Capture: true, Formats: []string{"pRAA"}}})
	pi5 := fakeMachine(t, pi5Files, nil, pi5Nodes)
	for _, c := range []struct {
		name, device string
		machine      machine
		want         string // of a text that can't be made: part of the error
		fails        bool
	}{
		{"MJPEG", "camera", desk, `v4l2src device="/dev/video0" ! image/jpeg,width=[1,1920],height=[1,1080] ! jpegparse`, false},
		{"H264", "camera?label=document", desk, `v4l2src device="/dev/video2" ! video/x-h264,width=[1,1920],height=[1,1080] ! h264parse`, false},
		{"raw", "camera?label=Old+Camera&width=640&height=480&fps=15", desk, `v4l2src device="/dev/video3" ! capsfilter caps=video/x-raw,width=640,height=480,framerate=15/1`, false},
		{"rate alone", "camera?id=/dev/video0&fps=15", desk, `v4l2src device="/dev/video0" ! image/jpeg,width=[1,1920],height=[1,1080],framerate=15/1 ! jpegparse`, false},
		{"link", "camera?id=/dev/v4l/by-id/x0&width=1280", desk, `v4l2src device="/dev/v4l/by-id/x0" ! video/x-h264,width=1280 ! h264parse`, false},
		{"no such label", "camera?label=Front", desk, `there is no camera "Front", but "HD Webcam: HD Webcam" (/dev/video0), "Document Camera" (/dev/video2)`, true},
		{"no such id", "camera?id=/dev/video7", desk, `there is no camera "/dev/video7"`, true},
		{"none", "camera", fakeMachine(t, nil, nil, nil), "there is no camera: plug one in", true},
		{"Raspberry Pi", "camera?height=480", pi, "libcamerasrc ! capsfilter caps=video/x-raw,format=NV12,width=1280,height=480,framerate=30/1", false},
		{"Raspberry Pi, one of two", "camera?id=/base/soc/i2c0mux/imx708@1a", pi, `libcamerasrc camera-name="/base/soc/i2c0mux/imx708@1a" ! capsfilter caps=video/x-raw,format=NV12,width=1280,height=720,framerate=30/1`, false},
		{"Raspberry Pi 5", "camera?height=480", pi5, "libcamerasrc ! capsfilter caps=video/x-raw,format=NV12,width=1280,height=480,framerate=30/1", false},
		{"sound card", "microphone", desk, "alsasrc ! audioconvert ! capsfilter caps=audio/x-raw,channels=[1,2]", false},
		{"one sound card", "microphone?label=headset", desk, `alsasrc device="plughw:CARD=Headset" ! audioconvert ! capsfilter caps=audio/x-raw,channels=[1,2]`, false},
		{"card that plays only", "microphone?id=hw:CARD=PCH", desk, `there is no microphone "hw:CARD=PCH", but "USB Headset" (hw:CARD=Headset)`, true},
		{"sound server", "microphone", server, "pulsesrc ! audioconvert ! capsfilter caps=audio/x-raw,channels=[1,2]", false},
		{"of a sound server", "microphone?id=alsa_input.usb", server, `pulsesrc device="alsa_input.usb" ! audioconvert ! capsfilter caps=audio/x-raw,channels=[1,2]`, false},
		{"sound card beside a sound server", "microphone?id=hw:CARD=Headset", server, `alsasrc device="plughw:CARD=Headset" ! audioconvert ! capsfilter caps=audio/x-raw,channels=[1,2]`, false},
		{"part of a sound card", "microphone?id=plughw:CARD=Headset,DEV=1", server, `alsasrc device="plughw:CARD=Headset,DEV=1" ! audioconvert ! capsfilter caps=audio/x-raw,channels=[1,2]`, false},
		{"no such sound card beside a server", "microphone?id=hw:CARD=X", server, `there is no microphone "hw:CARD=X", but "USB Headset" (hw:CARD=Headset)`, true},
		{"no sound", "microphone", pi, "there is no microphone: plug one in", true},
		{"screen", "screen", desk, `ximagesrc use-damage=false display-name=":0" ! capsfilter caps=video/x-raw,framerate=30/1`, false},
		{"small screen", "screen?id=:3&height=480&fps=5", desk, `ximagesrc use-damage=false display-name=":3" ! capsfilter caps=video/x-raw,framerate=5/1 ! videoscale ! capsfilter caps=video/x-raw,height=480,pixel-aspect-ratio=1/1`, false},
		{"test picture", "videotest?width=640", desk, "videotestsrc is-live=true horizontal-speed=2 ! capsfilter caps=video/x-raw,width=640,height=720,framerate=30/1", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			d, err := Parse(c.device)
			if err != nil {
				t.Fatal(err)
			}
			text, err := c.machine.pipeline(d)
			switch {
			case c.fails && (!errors.As(err, new(*NotFoundError)) || !strings.Contains(err.Error(), c.want)):
				t.Errorf("got %q, %v, want an error that says %s", text, err, c.want)
			case !c.fails && (err != nil || text != c.want):
				t.Errorf("got %q, %v\nwant %q", text, err, c.want)
			}
		})
	}
}

// A list has each device once, with what either worker can take of it.
func TestMerge(t *testing.T) {
	desk := fakeMachine(t, deskFiles, desktop, deskNodes)
	found := []wire.DeviceInfo{
		{Kind: camera, Label: "HD Webcam", ID: "/dev/video0", Formats: []string{"640x480 30 fps YUYV", "1280x720 30 fps MJPEG"}},
		{Kind: camera, Label: "Document Camera", ID: "/dev/video2", Formats: []string{"1280x720 30 fps MJPEG"}},
		{Kind: microphone, Label: "Headset", ID: "alsa_input.usb"},
	}
	want := []wire.DeviceInfo{
		found[0],
		{Kind: camera, Label: "Document Camera", ID: "/dev/video2", Formats: []string{"1280x720 30 fps MJPEG", "H264"}},
		found[2],
		{Kind: camera, Label: "Old Camera", ID: "/dev/video3", Formats: []string{"YUYV"}},
		{Kind: screen, Label: "Screen :0", ID: ":0"},
	}
	if got := merge(found, append(desk.cameras(), desk.screens()...)); !reflect.DeepEqual(got, want) {
		t.Errorf("merged to\n%+v, want\n%+v", got, want)
	}
}

// A display that the environment names is a screen only if its server is there, as far as that can be seen.
func TestScreens(t *testing.T) {
	for display, want := range map[string]int{"": 0, ":0": 1, ":0.1": 1, ":5": 0, "far:0": 1} {
		m := fakeMachine(t, deskFiles, map[string]string{"DISPLAY": display}, nil)
		if got := m.screens(); len(got) != want || want == 1 && got[0].ID != display {
			t.Errorf("DISPLAY=%s: %+v", display, got)
		}
	}
}

// A camera that we may not open is one all the same: the worker says what is in the way.
func TestCameraOfOthers(t *testing.T) {
	m := fakeMachine(t, map[string]string{"sys/class/video4linux/video0/name": "Webcam"}, nil, nil)
	if got := m.cameras(); len(got) != 1 || got[0].Label != "Webcam" || got[0].Formats != nil {
		t.Errorf("found %+v", got)
	}
}

// Of the device files of a Raspberry Pi 5 one is a camera, whoever lists them and whether we may open them.
func TestFalseCameras(t *testing.T) {
	for name, nodes := range map[string]map[string]node{"ours": pi5Nodes, "forbidden": nil} {
		m := fakeMachine(t, pi5Files, nil, nodes)
		if got := m.cameras(); len(got) != 1 || got[0].ID != "/dev/video0" {
			t.Errorf("%s: the cameras are %+v, want /dev/video0", name, got)
		}
		for path := range pi5Nodes {
			if got, want := m.isFalse(wire.DeviceInfo{Kind: camera, ID: path}), path != "/dev/video0"; got != want {
				t.Errorf("%s: %s is false: %v, want %v", name, path, got, want)
			}
		}
	}
}

// What is no camera says so and no more.
func TestAskNode(t *testing.T) {
	for _, path := range []string{"/dev/null", "/nonexistent"} {
		if n, err := askNode(path); err == nil {
			t.Errorf("%s is %+v", path, n)
		}
	}
}

func TestFormatName(t *testing.T) {
	for code, want := range map[uint32]string{
		'H' | '2'<<8 | '6'<<16 | '4'<<24: "H264", 'M' | 'J'<<8 | 'P'<<16 | 'G'<<24: "MJPEG",
		'Y' | '1'<<8 | '6'<<16 | ' '<<24: "Y16",
	} {
		if got := formatName(code); got != want {
			t.Errorf("%x is %q, want %q", code, got, want)
		}
	}
}
