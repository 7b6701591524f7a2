package bitstream

import "sluice/media"

// mjpeg conforms frames of Motion JPEG, each of which stands alone.
type mjpeg struct{}

func (mjpeg) inspect(au *media.AccessUnit, t *media.Track) bool {
	if len(au.Data) != 1 {
		return false
	}
	w, h, ok := jpegSize(au.Data[0])
	if !ok || !plausible(w, h) {
		return false
	}
	au.Keyframe = true
	t.Width, t.Height, t.BitDepth = w, h, 8
	return true
}

// jpegSize walks the marker segments to the start of frame (ITU-T T.81 B.2.2).
func jpegSize(d []byte) (width, height int, ok bool) {
	const startOfFrame0, huffman, arithmetic, startOfFrame15 = 0xc0, 0xc4, 0xcc, 0xcf
	if len(d) < 2 || d[0] != 0xff || d[1] != 0xd8 {
		return 0, 0, false
	}
	for d = d[2:]; len(d) >= 4 && d[0] == 0xff; {
		marker, size := d[1], int(d[2])<<8|int(d[3])
		if size < 2 || len(d) < 2+size {
			return 0, 0, false
		}
		if marker >= startOfFrame0 && marker <= startOfFrame15 && marker != huffman && marker != arithmetic && marker != 0xc8 {
			if size < 8 {
				return 0, 0, false
			}
			return int(d[7])<<8 | int(d[8]), int(d[5])<<8 | int(d[6]), true
		}
		d = d[2+size:]
	}
	return 0, 0, false
}
