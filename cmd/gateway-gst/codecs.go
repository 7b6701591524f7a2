//go:build gstreamer

package main

import (
	"strings"

	"sluice/cmd/gateway-gst/internal/gst"
	"sluice/media"
	"sluice/worker/wire"
)

// form is one way in which GStreamer carries a codec.
type form struct {
	name         string // of the caps
	mpeg, layer  int    // fields mpegversion and layer; 0: any
	kind         media.Kind
	codec        media.Codec
	clock        int    // Hz; 0: the field rate
	parser, caps string // what makes units of it as wire.Split takes them
}

// forms are all codecs that can be carried, and raw sound and picture, which have to be encoded (no codec).
var forms = [...]form{
	{
		name: "video/x-h264", kind: media.Video, codec: media.H264, clock: 90000, parser: "h264parse config-interval=-1",
		caps: "video/x-h264,stream-format=byte-stream,alignment=au",
	},
	{
		name: "video/x-h265", kind: media.Video, codec: media.H265, clock: 90000, parser: "h265parse config-interval=-1",
		caps: "video/x-h265,stream-format=byte-stream,alignment=au",
	},
	{
		name: "video/x-av1", kind: media.Video, codec: media.AV1, clock: 90000, parser: "av1parse",
		caps: "video/x-av1,stream-format=obu-stream,alignment=tu",
	},
	{name: "video/x-vp8", kind: media.Video, codec: media.VP8, clock: 90000, caps: "video/x-vp8"},
	{name: "video/x-vp9", kind: media.Video, codec: media.VP9, clock: 90000, caps: "video/x-vp9"},
	{name: "image/jpeg", kind: media.Video, codec: media.MJPEG, clock: 90000, caps: "image/jpeg"},
	{
		name: "video/mpeg", mpeg: 4, kind: media.Video, codec: media.MPEG4Video, clock: 90000,
		parser: "mpeg4videoparse config-interval=-1", caps: "video/mpeg,mpegversion=4,systemstream=false",
	},
	{
		name: "audio/mpeg", mpeg: 4, kind: media.Audio, codec: media.AAC, parser: "aacparse",
		caps: "audio/mpeg,mpegversion=4,stream-format=raw",
	},
	{
		name: "audio/mpeg", mpeg: 1, layer: 3, kind: media.Audio, codec: media.MP3, clock: 90000, parser: "mpegaudioparse",
		caps: "audio/mpeg,mpegversion=1,layer=3",
	},
	{name: "audio/x-opus", kind: media.Audio, codec: media.Opus, clock: 48000, caps: "audio/x-opus"},
	{name: "audio/x-mulaw", kind: media.Audio, codec: media.PCMU, caps: "audio/x-mulaw"},
	{name: "audio/x-alaw", kind: media.Audio, codec: media.PCMA, caps: "audio/x-alaw"},
	{name: "audio/G722", kind: media.Audio, codec: media.G722, clock: 8000, caps: "audio/G722"},
	{name: "video/x-raw", kind: media.Video},
	{name: "audio/x-raw", kind: media.Audio},
}

// depayloaders take packets of RTP apart, by the field encoding-name.
var depayloaders = map[string]string{
	"H264": "rtph264depay", "H265": "rtph265depay", "VP8": "rtpvp8depay", "VP9": "rtpvp9depay", "JPEG": "rtpjpegdepay",
	"MP4V-ES": "rtpmp4vdepay", "MPEG4-GENERIC": "rtpmp4gdepay", "MP4A-LATM": "rtpmp4adepay", "OPUS": "rtpopusdepay",
	"PCMU": "rtppcmudepay", "PCMA": "rtppcmadepay", "G722": "rtpg722depay", "L16": "rtpL16depay", "MPA": "rtpmpadepay",
}

// unpacked are the caps that come out of a depayloader.
var unpacked = map[string]string{
	"H264": "video/x-h264", "H265": "video/x-h265", "VP8": "video/x-vp8", "VP9": "video/x-vp9", "JPEG": "image/jpeg",
	"MP4V-ES": "video/mpeg", "MPEG4-GENERIC": "audio/mpeg", "MP4A-LATM": "audio/mpeg", "OPUS": "audio/x-opus",
	"PCMU": "audio/x-mulaw", "PCMA": "audio/x-alaw", "G722": "audio/G722", "L16": "audio/x-raw", "MPA": "audio/mpeg",
}

// formOf finds the form of caps, and what has to come before its parser. A field that is open fits any form; raw
// goes before coded where a pad could give either, as cameras can, since a text that wants one of them says so.
func formOf(all []gst.Caps) (f *form, before string) {
	for i := range all {
		c := &all[i]
		name, mpeg := c.Name, c.Int("mpegversion")
		if name == "application/x-rtp" {
			encoding := strings.ToUpper(c.String("encoding-name"))
			name, mpeg, before = unpacked[encoding], mpegOf(encoding), depayloaders[encoding]
		}
		if found := findForm(name, mpeg, c.Int("layer")); found != nil && (f == nil || found.codec == "") {
			f = found
		}
	}
	return f, before
}

// mpegOf is the version of MPEG that an encoding of RTP stands for.
func mpegOf(encoding string) int {
	if encoding == "MPA" {
		return 1
	}
	return 4
}

func findForm(name string, mpeg, layer int) *form {
	for i := range forms {
		f := &forms[i]
		if f.name == name && fits(f.mpeg, mpeg) && fits(f.layer, layer) {
			return f
		}
	}
	return nil
}

func fits(want, have int) bool { return want == 0 || have == 0 || want == have }

// carried are the caps of an appsink that the user has put: what can be carried, and as what.
func carried() string {
	var all []string
	for _, f := range forms {
		if f.codec != "" {
			all = append(all, f.caps)
		}
	}
	return strings.Join(all, ";")
}

// describe is what caps are to the gateway; false if no track can be made of them. What a transcoder makes may be raw
// sound, which is a track of its own.
func describe(c *gst.Caps) (wire.Caps, bool) {
	f := findForm(c.Name, c.Int("mpegversion"), c.Int("layer"))
	if f == nil || f.kind == media.Video && f.codec == "" {
		return wire.Caps{}, false
	}
	d := wire.Caps{
		Kind: f.kind, Codec: f.codec, Width: c.Int("width"), Height: c.Int("height"), ClockRate: f.clock,
		Channels: c.Int("channels"), CodecData: c.CodecData, Text: c.Text,
	}
	d.FPSNum, d.FPSDen = c.Framerate()
	if d.ClockRate == 0 {
		d.ClockRate = c.Int("rate")
	}
	if d.Codec == "" {
		d.Codec = media.LPCM
	}
	return d, true
}
