package camera

import (
	"bytes"
	"image/jpeg"

	"sluice/media"
)

// parseMJPEG reads JPEG pictures that stand one behind the other. The marker of a start can't be inside a
// picture's coded data (ITU-T T.81, B.1.1.5); a thumbnail in its head would be taken for a picture.
func parseMJPEG(data []byte) ([]Track, error) {
	size, err := jpeg.DecodeConfig(bytes.NewReader(data))
	if err != nil {
		return nil, errTruncated
	}
	t := Track{Track: media.Track{Kind: media.Video, Codec: media.MJPEG, ClockRate: 90000}}
	t.Width, t.Height = size.Width, size.Height
	const frame = 90000 / assumedFPS
	start := []byte{0xFF, 0xD8, 0xFF}
	for len(data) > 0 {
		picture := data
		if next := bytes.Index(data[1:], start); next >= 0 {
			picture = data[:next+1]
		}
		at := int64(len(t.Units)) * frame
		t.Units = append(t.Units, Unit{DTS: at, PTS: at, Data: [][]byte{picture}})
		data = data[len(picture):]
	}
	t.Period = media.Duration(int64(len(t.Units))*frame, 90000)
	return []Track{t}, nil
}
