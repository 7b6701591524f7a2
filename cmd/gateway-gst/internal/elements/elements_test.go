package elements

import "testing"

func TestPackage(t *testing.T) {
	for element, want := range map[string]string{
		"x264enc":      "gstreamer1.0-plugins-ugly",
		"openh264enc":  "gstreamer1.0-plugins-bad",
		"vp8enc":       "gstreamer1.0-plugins-good",
		"opusenc":      "gstreamer1.0-plugins-base",
		"avdec_h264":   "gstreamer1.0-libav",
		"clockoverlay": "gstreamer1.0-x",
		"alsasrc":      "gstreamer1.0-alsa",
		"vaapih264enc": "gstreamer1.0-vaapi",
		"vah264enc":    "gstreamer1.0-plugins-bad",
		"libcamerasrc": "gstreamer1.0-libcamera",
		"filesink":     "libgstreamer1.0-0",
		"mpph264enc":   "", // vendors have it, Debian has not
		"nosuchenc":    "",
		"":             "",
		"*":            "",
		"[":            "",
	} {
		if got := Package(element); got != want {
			t.Errorf("Package(%q) = %q, want %q", element, got, want)
		}
	}
}

// I24, J180
func TestRefuse(t *testing.T) {
	for element, want := range map[string]bool{
		"filesrc": true, "filesink": true, "multifilesink": true, "multifilesrc": true, "splitmuxsink": true,
		"hlssink": true, "hlssink2": true, "hlssink3": true, "fdsrc": true, "fdsink": true, "shmsink": true,
		"shmsrc": true, "unixfdsink": true, "giosrc": true, "giosink": true, "giostreamsink": true,
		"tcpserversink": true, "tcpserversrc": true, "souphttpclientsink": true, "udpsink": true,
		"multiudpsink": true, "dynudpsink": true, "rtspclientsink": true, "rtmpsink": true, "rtmp2sink": true,
		"srtsink": true, "srtserversink": true, "srtserversrc": true, "v4l2sink": true, "curlhttpsink": true,
		"uridecodebin": true, "uridecodebin3": true, "playbin": true, "playbin3": true, "urisourcebin": true,
		"uritranscodebin": true, "tcpclientsink": true, "gdkpixbufoverlay": true, "rsvgoverlay": true,
		"faceoverlay": true, "gloverlay": true, "gldifferencematte": true, "openni2src": true, "dvdreadsrc": true,
		"rsndvdbin": true, "camerabin": true, "qtmoovrecover": true, "hlscmafsink": true, "hlsmultivariantsink": true,
		"avmux_hls": true, "avmux_dash": true, "avmux_rtsp": true, "avmux_sap": true, "festival": true,
		"a2dpsink": true, "avdtpsink": true, "qmlglsrc": true, "qmlgloverlay": true, "wpesrc": true, "wpevideosrc": true,
		"videotestsrc": false, "v4l2src": false, "rtspsrc": false, "srtsrc": false, "rtmp2src": false,
		"souphttpsrc": false, "tcpclientsrc": false, "udpsrc": false, "x264enc": false, "decodebin": false,
		"decodebin3": false, "fakesink": false, "appsink": false, "ximagesrc": false, "pulsesrc": false, "": false,
		"hlsdemux": false, "avmux_mp4": false, "mp4mux": false, "clockoverlay": false, "textoverlay": false,
		"glcolorconvert": false, "gdkpixbufdec": false, "rsvgdec": false, "wrappercamerabinsrc": false,
	} {
		if got := Refuse(element, nil); got != want {
			t.Errorf("Refuse(%q) = %v, want %v", element, got, want)
		}
		if want && Refuse(element, []string{"other", element}) {
			t.Errorf("%q is refused though it is allowed", element)
		}
	}
}

// An allowed uridecodebin makes a urisourcebin, which is its own affair; a filesrc is not.
func TestRefuseInside(t *testing.T) {
	if RefuseInside("urisourcebin", nil) {
		t.Error("urisourcebin is refused inside another element")
	}
	if !RefuseInside("filesrc", []string{"uridecodebin"}) {
		t.Error("filesrc is let through inside another element")
	}
}
