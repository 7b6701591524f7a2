package bitstream

import (
	codec "github.com/bluenviron/mediacommon/v2/pkg/codecs/vp9"

	"sluice/media"
)

// vp8 conforms frames of VP8 (RFC 6386).
type vp8 struct{}

func (vp8) inspect(au *media.AccessUnit, t *media.Track) bool {
	if len(au.Data) != 1 || len(au.Data[0]) < 3 {
		return false
	}
	au.Keyframe = false
	if au.Data[0][0]&1 == 1 {
		return true
	}
	w, h, ok := vp8KeyHeader(au.Data[0])
	if !ok || !plausible(w, h) {
		return false
	}
	au.Keyframe = true
	t.Width, t.Height, t.BitDepth = w, h, 8
	t.Profile = media.VideoProfile{ChromaFormat: 1, Known: true}
	return true
}

// vp8KeyHeader reads the uncompressed header of a key frame (RFC 6386 9.1).
func vp8KeyHeader(d []byte) (width, height int, ok bool) {
	if len(d) < 10 || d[0]&1 == 1 || d[3] != 0x9d || d[4] != 0x01 || d[5] != 0x2a {
		return 0, 0, false
	}
	return int(d[6]) | int(d[7]&0x3f)<<8, int(d[8]) | int(d[9]&0x3f)<<8, true
}

// vp9 conforms frames and superframes of VP9.
type vp9 struct{}

func vp9Header(d []byte) (codec.Header, error) {
	var h codec.Header
	err := h.Unmarshal(d)
	return h, err
}

func (vp9) inspect(au *media.AccessUnit, t *media.Track) bool {
	if len(au.Data) != 1 {
		return false
	}
	h, err := vp9Header(au.Data[0])
	if err != nil {
		return false
	}
	au.Keyframe = h.FrameSize != nil
	if !au.Keyframe {
		return true
	}
	if !plausible(h.Width(), h.Height()) {
		return false
	}
	t.Width, t.Height, t.BitDepth = h.Width(), h.Height(), int(h.ColorConfig.BitDepth)
	t.Profile = media.VideoProfile{
		Profile: int(h.Profile), ChromaFormat: int(h.ChromaSubsampling()), Known: true,
	}
	return true
}
