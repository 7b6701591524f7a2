package pipeline

import (
	"slices"

	"sluice/media"
)

// Debian packages that hold elements.
const (
	pluginsGood = "gstreamer1.0-plugins-good"
	pluginsBad  = "gstreamer1.0-plugins-bad"
	pluginsUgly = "gstreamer1.0-plugins-ugly"
	pluginsBase = "gstreamer1.0-plugins-base"
	pluginVAAPI = "gstreamer1.0-vaapi"
)

const (
	baseline    = "baseline"
	constrained = "constrained-baseline"
)

// Encoders are those of a codec, in order of preference: hardware first. It is empty for a codec that nothing is
// encoded in. Their rank in GStreamer says nothing: that of most hardware encoders is none.
func Encoders(codec media.Codec) []Encoder {
	switch codec {
	case media.H264:
		return append(hardwareH264(), softwareH264()...)
	case media.VP8:
		return []Encoder{vp8()}
	case media.Opus:
		return []Encoder{{Element: "opusenc", Codec: media.Opus, Package: pluginsBase, settings: "frame-size=20", bitrate: "bitrate", unit: 1}}
	case media.PCMU:
		return []Encoder{{Element: "mulawenc", Codec: media.PCMU, Package: pluginsGood}}
	case media.PCMA:
		return []Encoder{{Element: "alawenc", Codec: media.PCMA, Package: pluginsGood}}
	}
	return nil
}

// FindEncoder is the row of an element that a configuration names. An element that is not in the table gets the
// caps of its codec and its own defaults: nothing is known of its properties, so its bitrate can't be told.
func FindEncoder(element string, codec media.Codec) Encoder {
	all := Encoders(codec)
	i := slices.IndexFunc(all, func(e Encoder) bool { return e.Element == element })
	if i >= 0 {
		return all[i]
	}
	return Encoder{Element: element, Codec: codec, profile: constrained}
}

// hardwareH264 is untested, row by row: no test machine has the hardware.
func hardwareH264() []Encoder {
	list := []Encoder{
		{ // NVIDIA, but not H100 and H200, which have no encoder. Needs the driver's libnvidia-encode1.
			Element: "nvh264enc", Package: pluginsBad, profile: baseline, bitrate: "bitrate", unit: 1000, interval: "gop-size",
			settings: "preset=low-latency-hq zerolatency=true rc-mode=cbr bframes=0 rc-lookahead=0",
		},
		{ // Intel, low power. Needs intel-media-va-driver.
			Element: "vah264lpenc", Package: pluginsBad, bitrate: "bitrate", unit: 1000, interval: "key-int-max",
			settings: "rate-control=cbr b-frames=0 ref-frames=1 target-usage=6",
		},
		{ // Intel and AMD. Needs intel-media-va-driver or mesa-va-drivers.
			Element: "vah264enc", Package: pluginsBad, bitrate: "bitrate", unit: 1000, interval: "key-int-max",
			settings: "rate-control=cbr b-frames=0 ref-frames=1 target-usage=6",
		},
		{ // Intel. Needs the runtime of oneVPL or Media SDK.
			Element: "qsvh264enc", Package: pluginsBad, bitrate: "bitrate", unit: 1000, interval: "gop-size",
			settings: "low-latency=true b-frames=0 ref-frames=1 target-usage=7 rate-control=cbr",
		},
		{ // Older Intel and AMD.
			Element: "vaapih264enc", Package: pluginVAAPI, bitrate: "bitrate", unit: 1000, interval: "keyframe-period",
			settings: "rate-control=cbr max-bframes=0 quality-level=7",
		},
		{ // Raspberry Pi up to 4, to 1080p30; the Pi 5 has none.
			Element: "v4l2h264enc", Package: pluginsGood, bitrate: "video_bitrate", unit: 1, interval: "h264_i_frame_period",
			extra: true, level: "4", settings: "repeat_sequence_header=1",
		},
		{ // Rockchip, from the vendor's packages.
			Element: "mpph264enc", profile: baseline, bitrate: "bps", unit: 1, interval: "gop",
			settings: "rc-mode=cbr header-mode=each-idr profile=baseline",
		},
		{ // macOS.
			Element: "vtenc_h264_hw", bitrate: "bitrate", unit: 1000, interval: "max-keyframe-interval",
			settings: "realtime=true allow-frame-reordering=false",
		},
		{ // Windows.
			Element: "mfh264enc", profile: baseline, bitrate: "bitrate", unit: 1000, interval: "gop-size",
			settings: "low-latency=true bframes=0 rc-mode=cbr",
		},
		{ // NVIDIA Jetson, from the vendor's packages.
			Element: "nvv4l2h264enc", profile: baseline, bitrate: "bitrate", unit: 1, interval: "idrinterval",
			settings: "maxperf-enable=1 insert-sps-pps=1 num-B-Frames=0",
		},
		{ // Raspberry Pi OS before 2022.
			Element: "omxh264enc", profile: baseline, bitrate: "target-bitrate", unit: 1, interval: "interval-intraframes",
			settings: "control-rate=variable",
		},
	}
	for i := range list {
		list[i].Hardware = true
	}
	return ofH264(list)
}

func softwareH264() []Encoder {
	return ofH264([]Encoder{
		{
			Element: "x264enc", Package: pluginsUgly, bitrate: "bitrate", unit: 1000, interval: "key-int-max",
			settings: "tune=zerolatency", fast: "speed-preset=superfast", fastest: "speed-preset=ultrafast",
		},
		{
			Element: "openh264enc", Package: pluginsBad, bitrate: "bitrate", unit: 1, interval: "gop-size",
			settings: "complexity=low multi-thread=1 rate-control=bitrate",
		},
	})
}

func ofH264(list []Encoder) []Encoder {
	for i := range list {
		list[i].Codec = media.H264
		if list[i].profile == "" {
			list[i].profile = constrained
		}
	}
	return list
}

func vp8() Encoder {
	return Encoder{
		Element: "vp8enc", Codec: media.VP8, Package: pluginsGood, bitrate: "target-bitrate", unit: 1, interval: "keyframe-max-dist",
		settings: "deadline=1 end-usage=cbr lag-in-frames=0 error-resilient=default threads=2 static-threshold=100",
		fast:     "cpu-used=8", fastest: "cpu-used=16",
	}
}
