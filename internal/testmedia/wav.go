package testmedia

import (
	"encoding/binary"
	"math"

	"github.com/bluenviron/mediacommon/v2/pkg/codecs/g711"

	"sluice/media"
)

const (
	seconds   = 2
	pitch     = 440 // Hz; whole periods fit, so the loop has no click
	amplitude = 8000
)

var wavTags = map[media.Codec]uint16{media.LPCM: 1, media.PCMA: 6, media.PCMU: 7}

// wav returns a WAV file of a sine.
func wav(codec media.Codec, rate, channels int) []byte {
	body := sine(rate, channels)
	depth := 16
	switch codec {
	case media.PCMU:
		body, depth = must(g711.Mulaw(bigEndian(body)).Marshal()), 8
	case media.PCMA:
		body, depth = must(g711.Alaw(bigEndian(body)).Marshal()), 8
	}
	le := binary.LittleEndian
	b := append([]byte("RIFF"), le.AppendUint32(nil, uint32(36+len(body)))...)
	b = append(b, "WAVEfmt "...)
	b = le.AppendUint32(b, 16)
	b = le.AppendUint16(b, wavTags[codec])
	b = le.AppendUint16(b, uint16(channels))
	b = le.AppendUint32(b, uint32(rate))
	b = le.AppendUint32(b, uint32(rate*channels*depth/8))
	b = le.AppendUint16(b, uint16(channels*depth/8))
	b = le.AppendUint16(b, uint16(depth))
	b = append(b, "data"...)
	b = le.AppendUint32(b, uint32(len(body)))
	return append(b, body...)
}

// sine returns samples of 16 bits, low byte first.
func sine(rate, channels int) []byte {
	var b []byte
	for i := range rate * seconds {
		v := int16(amplitude * math.Sin(2*math.Pi*pitch*float64(i)/float64(rate)))
		for range channels {
			b = binary.LittleEndian.AppendUint16(b, uint16(v))
		}
	}
	return b
}

func bigEndian(b []byte) []byte {
	for i := 0; i+1 < len(b); i += 2 {
		b[i], b[i+1] = b[i+1], b[i]
	}
	return b
}

func must(b []byte, err error) []byte {
	if err != nil {
		panic(err)
	}
	return b
}
