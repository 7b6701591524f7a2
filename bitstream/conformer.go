package bitstream

import "sluice/media"

// inspector is the part of a Conformer that knows one codec. inspect rewrites au.Data, sets au.Keyframe and
// writes what it learns to t; false drops the unit.
type inspector interface {
	inspect(au *media.AccessUnit, t *media.Track) bool
}

// Conformer makes the units of one track fit to send and finds out what they are. It is not safe for
// concurrent use, and starts nothing.
type Conformer struct {
	track   media.Track
	codec   inspector
	started bool
}

// NewConformer returns a Conformer for a track as its signalling described it. Parameter sets may come in
// any order and with start codes: each is known by its own type.
func NewConformer(t media.Track) *Conformer {
	c := &Conformer{track: t}
	c.codec = newInspector(&c.track)
	return c
}

func newInspector(t *media.Track) inspector {
	switch t.Codec {
	case media.H264:
		return newH264(t.ParameterSets, t.ClockRate)
	case media.H265:
		return newH265(t.ParameterSets, t.ClockRate)
	case media.VP8:
		return vp8{}
	case media.VP9:
		return vp9{}
	case media.AV1:
		return &av1{}
	case media.MJPEG:
		return mjpeg{}
	case media.MPEG4Video:
		return newMPEG4(t.ParameterSets, t.ClockRate)
	case media.Opus:
		return opus{}
	case media.AAC:
		return aac{}
	case media.MP3:
		return mpegAudio{}
	default:
		return always{}
	}
}

// Conform makes au fit to send. It reports false for a unit to drop: nothing is left of it, it can't be
// read, or no keyframe with its parameter sets has come yet. A dropped unit still teaches its parameter sets.
// After a keyframe that had to be dropped, so are all units up to the next one.
// au.Data is replaced, never written into; the bytes of its parts may be shared.
func (c *Conformer) Conform(au *media.AccessUnit) bool {
	if !c.codec.inspect(au, &c.track) || au.Size() == 0 {
		c.started = c.started && !au.Keyframe // what follows would refer to what was dropped
		return false
	}
	c.started = c.started || au.Keyframe
	return c.started
}

// Started reports whether units pass. Until a keyframe has come, and after one that was dropped, none do.
func (c *Conformer) Started() bool { return c.started }

// Learn tells of parameter sets that came beside the units, for a track that has none yet.
func (c *Conformer) Learn(sets [][]byte) {
	if len(c.track.ParameterSets) == 0 {
		c.track.ParameterSets = sets
	}
}

// Track is what is known of the track now. It changes at keyframes, and when B-frames show.
func (c *Conformer) Track() media.Track { return c.track }

// Keyframe reports whether decoding can start at a unit, given that the parameter sets are known: H264 IDR,
// H265 IRAP, VP8, VP9, AV1 key frame, MPEG-4 I-VOP; always true for Motion JPEG and audio.
func Keyframe(codec media.Codec, data [][]byte) bool {
	for _, d := range data {
		if len(d) > 0 && startsDecoding(codec, d) {
			return true
		}
	}
	return false
}

func startsDecoding(codec media.Codec, d []byte) bool {
	switch codec {
	case media.H264:
		return d[0]&0x1f == h264IDR
	case media.H265:
		return h265IRAP(h265Type(d))
	case media.VP8:
		_, _, key := vp8KeyHeader(d)
		return key
	case media.VP9:
		h, err := vp9Header(d)
		return err == nil && h.FrameSize != nil
	case media.AV1:
		o, ok := parseOBU(d)
		return ok && o.keyframe()
	case media.MPEG4Video:
		return vopType(d) == vopI
	default:
		return true
	}
}

// always is the inspector of codecs whose units all stand alone.
type always struct{}

func (always) inspect(au *media.AccessUnit, _ *media.Track) bool {
	au.Keyframe = true
	return true
}
