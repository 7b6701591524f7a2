package camera

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"sluice/media"
)

// Limits on a file: it is held in memory as long as the camera runs, and its times must stay exact.
const (
	maxFileSize = 1 << 30
	maxLength   = 24 * time.Hour
	maxUnits    = 10_000_000
	minPeriod   = 10 * time.Millisecond // or a clip without any length would keep a processor busy
)

// Clip is what a camera sends, again and again. It is read-only once made, and cameras may share it.
type Clip struct {
	Tracks []Track
}

// Track is one elementary stream of a clip.
type Track struct {
	media.Track
	// Units are in decode order, the first of a clip at DTS 0. They refer to the bytes that they were parsed from.
	Units []Unit
	// Period is the time from one round of the track to the next.
	Period time.Duration
}

// Unit is one coded picture or audio frame, its parts as in media.AccessUnit.
type Unit struct {
	DTS, PTS int64 // when to send and when to show it, in ticks of the track's clock from the clip's start
	Data     [][]byte
}

// UnsupportedFileError says why a file can't be served.
type UnsupportedFileError struct {
	Name   string // the file's name, without its folder
	Reason string // completes "…: "
}

// Error implements error.
func (e *UnsupportedFileError) Error() string {
	return fmt.Sprintf("%s can't be served: %s", e.Name, e.Reason)
}

const formats = "a camera's file is MP4 (H.264, H.265, VP8, VP9, AV1, Motion JPEG, MPEG-4 Visual, AAC, Opus), " +
	"elementary video (.h264, .h265, .mjpeg), IVF (VP8, VP9, AV1) or WAV (PCM, G.711, G.722)"

// Load reads a file into a clip. Errors are those of os.ReadFile and *UnsupportedFileError.
func Load(path string) (*Clip, error) {
	name := filepath.Base(path)
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("read the camera's file: %w", err)
	}
	switch {
	case info.IsDir():
		return nil, &UnsupportedFileError{Name: name, Reason: "it is a folder; " + formats}
	case info.Size() > maxFileSize:
		return nil, &UnsupportedFileError{Name: name, Reason: "it is larger than 1 GiB, and a camera holds its file in memory"}
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read the camera's file: %w", err)
	}
	return Parse(name, data)
}

// Parse is Load for bytes in memory, which the clip refers to and which must not change. The format shows in
// the bytes, and for elementary video in the name's ending. The error is an *UnsupportedFileError.
func Parse(name string, data []byte) (*Clip, error) {
	tracks, err := parse(strings.ToLower(filepath.Ext(name)), data)
	if err == nil && len(tracks) == 0 {
		err = fmt.Errorf("it has no track that a camera can send; %s", formats)
	}
	if err != nil {
		return nil, &UnsupportedFileError{Name: filepath.Base(name), Reason: err.Error()}
	}
	align(tracks)
	nameTracks(tracks)
	return &Clip{Tracks: tracks}, nil
}

func parse(ext string, data []byte) ([]Track, error) {
	switch {
	case len(data) >= 8 && slices.Contains([]string{"ftyp", "moov", "mdat", "free", "wide"}, string(data[4:8])):
		return parseMP4(data)
	case bytes.HasPrefix(data, []byte("DKIF")):
		return parseIVF(data)
	case bytes.HasPrefix(data, []byte("RIFF")):
		return parseWAV(data)
	case bytes.HasPrefix(data, []byte{0xFF, 0xD8, 0xFF}):
		return parseMJPEG(data)
	case slices.Contains([]string{".h264", ".264", ".avc"}, ext):
		return parseAnnexB(media.H264, data)
	case slices.Contains([]string{".h265", ".265", ".hevc"}, ext):
		return parseAnnexB(media.H265, data)
	}
	return nil, fmt.Errorf("%s", formats)
}

// Join returns a clip with the tracks of all, each looping on its own.
func Join(clips ...*Clip) *Clip {
	joined := &Clip{}
	for _, c := range clips {
		joined.Tracks = append(joined.Tracks, c.Tracks...)
	}
	nameTracks(joined.Tracks)
	return joined
}

// align moves all units so that the first is sent at 0, and gives all tracks the period of the longest, so
// that picture and sound stay together.
func align(tracks []Track) {
	first, period := maxLength, minPeriod
	for _, t := range tracks {
		first = min(first, media.Duration(t.Units[0].DTS, t.ClockRate))
	}
	for i := range tracks {
		tracks[i].shift(first)
		period = max(period, tracks[i].Period-first)
	}
	for i := range tracks {
		tracks[i].Period = period
	}
}

// shift moves all units so that what was at from is at 0. The first unit is not before that, though the ticks
// of another track's clock may round to it.
func (t *Track) shift(from time.Duration) {
	ticks := media.Ticks(from, t.ClockRate)
	if first := t.Units[0].DTS; first < ticks || media.Duration(first, t.ClockRate) == from {
		ticks = first
	}
	for i := range t.Units {
		t.Units[i].DTS -= ticks
		t.Units[i].PTS -= ticks
	}
}

// nameTracks gives the tracks IDs as they are told to users: video, audio, audio2.
func nameTracks(tracks []Track) {
	seen := map[media.Kind]int{}
	for i := range tracks {
		t := &tracks[i]
		seen[t.Kind]++
		t.ID, t.Rendition = string(t.Kind), media.MainRendition
		if n := seen[t.Kind]; n > 1 {
			t.ID = fmt.Sprintf("%s%d", t.Kind, n)
		}
	}
}
