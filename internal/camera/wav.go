package camera

import (
	"encoding/binary"
	"errors"
	"time"

	"sluice/media"
)

// Format tags of WAV.
const (
	wavPCM        = 1
	wavALaw       = 6
	wavMuLaw      = 7
	wavG722       = 0x028F
	wavExtensible = 0xFFFE
)

const wavUnit = 20 * time.Millisecond

// parseWAV reads PCM of 16 or 24 bits, G711 and G722, in units of 20 ms.
func parseWAV(data []byte) ([]Track, error) {
	if len(data) < 12 || string(data[8:12]) != "WAVE" {
		return nil, errTruncated
	}
	var head, body []byte
	for b := data[12:]; len(b) >= 8; {
		size := min(uint64(binary.LittleEndian.Uint32(b[4:])), uint64(len(b)-8))
		switch string(b[:4]) {
		case "fmt ":
			head = b[8 : 8+size]
		case "data":
			body = b[8 : 8+size]
		}
		b = b[min(uint64(len(b)), 8+size+size&1):]
	}
	if len(head) < 16 {
		return nil, errTruncated
	}
	t, bytesPerTick, err := wavTrack(head)
	if err != nil {
		return nil, err
	}
	if t.Codec == media.LPCM {
		body = bigEndian(body, t.BitDepth/8)
	}
	t.cut(body, bytesPerTick)
	if len(t.Units) == 0 {
		return nil, errTruncated
	}
	return []Track{*t}, nil
}

// wavTrack reads a fmt chunk. One tick of the clock has bytesPerTick bytes.
func wavTrack(b []byte) (t *Track, bytesPerTick int, err error) {
	le := binary.LittleEndian
	tag, channels, rate, depth := le.Uint16(b), int(le.Uint16(b[2:])), int(le.Uint32(b[4:])), int(le.Uint16(b[14:]))
	if tag == wavExtensible && len(b) >= 26 {
		tag = le.Uint16(b[24:])
	}
	if channels < 1 || channels > 8 || rate < 8000 || rate > 192000 {
		return nil, 0, errors.New("a WAV file has 1 to 8 channels and 8000 to 192000 samples a second")
	}
	t = &Track{Track: media.Track{Kind: media.Audio, ClockRate: rate, Channels: channels}}
	switch {
	case tag == wavPCM && (depth == 16 || depth == 24):
		t.Codec, t.BitDepth = media.LPCM, depth
		return t, channels * depth / 8, nil
	case tag == wavALaw:
		t.Codec = media.PCMA
		return t, channels, nil
	case tag == wavMuLaw:
		t.Codec = media.PCMU
		return t, channels, nil
	case tag == wavG722 && channels == 1 && rate == 16000:
		t.Codec, t.ClockRate = media.G722, 8000 // two samples a tick (RFC 3551, 4.5.2)
		return t, 1, nil
	}
	return nil, 0, errors.New("a WAV file has PCM of 16 or 24 bits, G.711, or G.722 with one channel at 16000 Hz")
}

// cut makes units of 20 ms, the last with what is left over.
func (t *Track) cut(body []byte, bytesPerTick int) {
	step := int(media.Ticks(wavUnit, t.ClockRate))
	total := len(body) / bytesPerTick
	for at := 0; at < total; at += step {
		end := min(at+step, total)
		t.Units = append(t.Units, Unit{DTS: int64(at), PTS: int64(at), Data: [][]byte{body[at*bytesPerTick : end*bytesPerTick]}})
	}
	t.Period = media.Duration(int64(total), t.ClockRate)
}

// bigEndian turns samples of size bytes round (RFC 3190 and RFC 3551 send the high byte first).
func bigEndian(b []byte, size int) []byte {
	out := make([]byte, len(b)/size*size)
	for i := range out {
		out[i] = b[i/size*size+size-1-i%size]
	}
	return out
}
