package main

import (
	"bufio"
	"encoding/binary"
	"errors"
	"io"
)

// flvReader takes H264 out of FLV (Adobe's Video File Format 10.1, annex E). Unlike elementary video, FLV says
// where a picture ends as soon as it does.
type flvReader struct {
	in    *bufio.Reader
	begun bool     // the header is read
	sets  [][]byte // SPS and PPS, once they have come
}

const (
	flvHeader = 9 + 4 // and the size of the tag before the first
	flvVideo  = 9
	flvAVC    = 7 // CodecID
	maxTag    = 8 << 20
)

var errFLV = errors.New("the encoder's output is no FLV with H264")

func newFLVReader(r io.Reader) *flvReader {
	return &flvReader{in: bufio.NewReaderSize(r, 1<<18)}
}

// header reads what stands before the first tag.
func (f *flvReader) header() error {
	head := make([]byte, flvHeader)
	if _, err := io.ReadFull(f.in, head); err != nil {
		return err
	}
	if string(head[:3]) != "FLV" || binary.BigEndian.Uint32(head[5:]) != 9 {
		return errFLV
	}
	f.begun = true
	return nil
}

// next returns the NAL units of the next picture; a keyframe's begin with the parameter sets.
func (f *flvReader) next() ([][]byte, error) {
	if !f.begun {
		if err := f.header(); err != nil {
			return nil, err
		}
	}
	for {
		kind, body, err := f.tag()
		if err != nil {
			return nil, err
		}
		if kind != flvVideo {
			continue
		}
		if len(body) < 5 || body[0]&0x0F != flvAVC {
			return nil, errFLV
		}
		switch body[1] { // AVCPacketType
		case 0:
			if f.sets, err = configuration(body[5:]); err != nil {
				return nil, err
			}
		case 1:
			nalus, err := split(body[5:])
			if err == nil && body[0]>>4 == 1 { // a keyframe
				nalus = append(append([][]byte(nil), f.sets...), nalus...)
			}
			return nalus, err
		}
	}
}

// tag reads one tag and the size behind it.
func (f *flvReader) tag() (kind byte, body []byte, err error) {
	var head [11]byte
	if _, err := io.ReadFull(f.in, head[:]); err != nil {
		return 0, nil, err
	}
	size := int(binary.BigEndian.Uint32(head[:]) & 0xFFFFFF)
	if size > maxTag {
		return 0, nil, errFLV
	}
	body = make([]byte, size+4)
	if _, err := io.ReadFull(f.in, body); err != nil {
		return 0, nil, err
	}
	return head[0] & 0x1F, body[:size], nil
}

// configuration reads an AVCDecoderConfigurationRecord (ISO/IEC 14496-15, 5.3.3.1).
func configuration(b []byte) (sets [][]byte, err error) {
	if len(b) < 6 || b[4]&3 != 3 { // lengths of 4 bytes
		return nil, errFLV
	}
	count, b := int(b[5]&0x1F), b[6:]
	for range 2 { // SPS, then PPS
		for range count {
			if len(b) < 2 || len(b) < 2+int(binary.BigEndian.Uint16(b)) {
				return nil, errFLV
			}
			n := 2 + int(binary.BigEndian.Uint16(b))
			sets, b = append(sets, b[2:n]), b[n:]
		}
		if len(b) == 0 {
			break
		}
		count, b = int(b[0]), b[1:]
	}
	return sets, nil
}

// split cuts NAL units that have their length in 4 bytes before them.
func split(b []byte) (nalus [][]byte, err error) {
	for len(b) > 0 {
		if len(b) < 4 {
			return nil, errFLV
		}
		n := int(binary.BigEndian.Uint32(b))
		if b = b[4:]; n > len(b) {
			return nil, errFLV
		}
		if n > 0 {
			nalus = append(nalus, b[:n])
		}
		b = b[n:]
	}
	return nalus, nil
}
