package camera

import (
	"encoding/binary"
	"errors"
	"math"
)

// sample is one entry of an MP4 track; its times count in the track's timescale.
type sample struct {
	data                  []byte
	dts, duration, offset int64 // offset: what the PTS is later than the DTS
}

// table reads a full box that is a count and then so many rows of 32-bit columns. skip is the number of
// columns before the count.
func table(b []byte, skip, columns int) ([]uint32, error) {
	_, b, err := full(b)
	if err != nil {
		return nil, err
	}
	if len(b) < 4*(skip+1) {
		return nil, errTruncated
	}
	n, b := uint64(binary.BigEndian.Uint32(b[4*skip:])), b[4*(skip+1):]
	if n*uint64(columns)*4 > uint64(len(b)) {
		return nil, errTruncated
	}
	cells := make([]uint32, n*uint64(columns))
	for i := range cells {
		cells[i] = binary.BigEndian.Uint32(b[4*i:])
	}
	return cells, nil
}

// readSamples follows the tables of a track (ISO/IEC 14496-12, 8.6 and 8.7) to its bytes and times.
func readSamples(file, stbl []byte) ([]sample, error) {
	sizes, err := sampleSizes(find(stbl, "stsz"), len(file))
	if err != nil {
		return nil, err
	}
	samples := make([]sample, len(sizes))
	if err := locate(samples, sizes, file, stbl); err != nil {
		return nil, err
	}
	if err := setTimes(samples, find(stbl, "stts")); err != nil {
		return nil, err
	}
	return samples, setOffsets(samples, find(stbl, "ctts"))
}

// sampleSizes reads stsz. Samples together are never larger than the file, which bounds what a lie can cost.
func sampleSizes(stsz []byte, fileSize int) ([]uint32, error) {
	if len(stsz) < 12 {
		return nil, errTruncated
	}
	size, count := binary.BigEndian.Uint32(stsz[4:]), binary.BigEndian.Uint32(stsz[8:])
	if count > maxUnits || int64(count) > int64(fileSize) {
		return nil, errors.New("it has too many samples")
	}
	if size == 0 {
		return table(stsz, 1, 1)
	}
	sizes := make([]uint32, count)
	for i := range sizes {
		sizes[i] = size
	}
	return sizes, nil
}

// locate cuts the samples out of the file: stsc tells how many of them each chunk has.
func locate(samples []sample, sizes []uint32, file, stbl []byte) error {
	chunks, err := chunkOffsets(stbl)
	if err != nil {
		return err
	}
	runs, err := table(find(stbl, "stsc"), 0, 3)
	if err != nil {
		return err
	}
	next := 0
	for i, at := range chunks {
		for len(runs) >= 6 && uint64(runs[3]) <= uint64(i)+1 {
			runs = runs[3:]
		}
		if len(runs) < 3 || next == len(samples) {
			break
		}
		for range min(int(runs[1]), len(samples)-next) {
			size := uint64(sizes[next])
			if at > uint64(len(file)) || size > uint64(len(file))-at {
				return errTruncated
			}
			samples[next].data = file[at : at+size : at+size]
			at += size
			next++
		}
	}
	if next < len(samples) {
		return errTruncated
	}
	return nil
}

func chunkOffsets(stbl []byte) ([]uint64, error) {
	if wide := find(stbl, "co64"); wide != nil {
		halves, err := table(wide, 0, 2)
		if err != nil {
			return nil, err
		}
		offsets := make([]uint64, len(halves)/2)
		for i := range offsets {
			offsets[i] = uint64(halves[2*i])<<32 | uint64(halves[2*i+1])
		}
		return offsets, nil
	}
	narrow, err := table(find(stbl, "stco"), 0, 1)
	offsets := make([]uint64, len(narrow))
	for i, o := range narrow {
		offsets[i] = uint64(o)
	}
	return offsets, err
}

func setTimes(samples []sample, stts []byte) error {
	runs, err := table(stts, 0, 2)
	if err != nil {
		return err
	}
	dts := int64(0)
	for i := range samples {
		for len(runs) >= 2 && runs[0] == 0 {
			runs = runs[2:]
		}
		if len(runs) < 2 {
			return errTruncated
		}
		runs[0]--
		samples[i].dts, samples[i].duration = dts, int64(runs[1])
		dts += int64(runs[1])
	}
	return nil
}

func setOffsets(samples []sample, ctts []byte) error {
	if ctts == nil {
		return nil
	}
	runs, err := table(ctts, 0, 2)
	if err != nil {
		return err
	}
	for i := range samples {
		for len(runs) >= 2 && runs[0] == 0 {
			runs = runs[2:]
		}
		if len(runs) < 2 {
			return errTruncated
		}
		runs[0]--
		samples[i].offset = int64(int32(runs[1])) // signed in version 1, and never so large in version 0
	}
	return nil
}

// edit is what an edit list says of the whole track: how long to wait before it, and how much of its start
// isn't shown. Both count in the track's timescale.
type edit struct{ delay, start int64 }

// readEdit reads the entries up to the first that shows something; what cuts the track in pieces is ignored.
func readEdit(elst []byte, movieScale, scale uint32) (edit, error) {
	if elst == nil {
		return edit{}, nil
	}
	version, b, err := full(elst)
	if err != nil || len(b) < 4 {
		return edit{}, errTruncated
	}
	e, row := edit{}, 12
	if version == 1 {
		row = 20
	}
	for b = b[4:]; len(b) >= row; b = b[row:] {
		duration, start := int64(binary.BigEndian.Uint32(b)), int64(int32(binary.BigEndian.Uint32(b[4:])))
		if version == 1 {
			duration, start = int64(binary.BigEndian.Uint64(b)), int64(binary.BigEndian.Uint64(b[8:]))
		}
		if start >= 0 {
			e.start = start
			return e, nil
		}
		delay := float64(duration) * float64(scale) / float64(movieScale)
		if duration < 0 || delay > math.MaxInt32*float64(scale) {
			return edit{}, errTruncated
		}
		e.delay = int64(delay)
	}
	return edit{delay: e.delay}, nil
}
