package push

import (
	"slices"
	"strings"
	"testing"

	"sluice/hub"
	"sluice/media"
)

func TestChoose(t *testing.T) {
	video := func(codec media.Codec, b bool) media.Track {
		return media.Track{ID: "video", Kind: media.Video, Codec: codec, BFrames: b}
	}
	skipped := media.Track{ID: "data", Kind: media.Video, Codec: media.H264, Skipped: "It is not carried."}
	for name, c := range map[string]struct {
		all       []hub.Rendition
		rendition string
		codecs    []media.Codec
		says      string // part of the note, or of the error if nothing is chosen
	}{
		"nothing":                  {nil, "", nil, "not published"},
		"picture and sound":        {[]hub.Rendition{{Name: "main", Tracks: []media.Track{sound(media.Opus), video(media.H264, false)}}}, "main", []media.Codec{media.H264, media.Opus}, ""},
		"the best":                 {[]hub.Rendition{{Name: "h", Tracks: []media.Track{video(media.H265, false)}}, {Name: "l", Tracks: []media.Track{video(media.H264, false)}}}, "h", []media.Codec{media.H265}, ""},
		"the best is unfit":        {[]hub.Rendition{{Name: "h", Tracks: []media.Track{video(media.H264, true)}}, {Name: "l", Tracks: []media.Track{video(media.H264, false)}}}, "l", []media.Codec{media.H264}, ""},
		"all are unfit":            {[]hub.Rendition{{Name: "h", Tracks: []media.Track{video(media.H264, true)}}, {Name: "l", Tracks: []media.Track{video(media.MJPEG, false)}}}, "", nil, "H.264 with B-frames"},
		"unfit picture, fit sound": {[]hub.Rendition{{Name: "main", Tracks: []media.Track{video(media.MJPEG, false), sound(media.Opus)}}}, "", nil, "Motion JPEG cannot go over WebRTC"},
		"unfit sound":              {[]hub.Rendition{{Name: "main", Tracks: []media.Track{video(media.AV1, false), sound(media.AAC)}}}, "main", []media.Codec{media.AV1}, "The sound is left out. AAC"},
		"only sound":               {[]hub.Rendition{{Name: "main", Tracks: []media.Track{sound(media.PCMA)}}}, "main", []media.Codec{media.PCMA}, ""},
		"only unfit sound":         {[]hub.Rendition{{Name: "main", Tracks: []media.Track{sound(media.LPCM)}}}, "", nil, "LPCM cannot go"},
		"skipped":                  {[]hub.Rendition{{Name: "main", Tracks: []media.Track{skipped}}}, "", nil, "neither picture nor sound"},
		"two pictures":             {[]hub.Rendition{{Name: "main", Tracks: []media.Track{video(media.VP8, false), video(media.VP9, false)}}}, "main", []media.Codec{media.VP8}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := choose(c.all)
			var codecs []media.Codec
			for _, track := range got.tracks {
				codecs = append(codecs, track.Codec)
			}
			if got.rendition != c.rendition || !slices.Equal(codecs, c.codecs) || (err != nil) != (c.codecs == nil) {
				t.Errorf("chose %+v (%v)", got, err)
			}
			said := got.note
			if err != nil {
				said = err.Error()
			}
			if !strings.Contains(said, c.says) || c.says == "" && said != "" {
				t.Errorf("it says %q, want %q", said, c.says)
			}
		})
	}
}

func TestSessionsCover(t *testing.T) {
	both := choice{rendition: "main", tracks: []media.Track{picture(16), sound(media.Opus)}}
	other := picture(16)
	other.ID = "video2"
	for name, c := range map[string]struct {
		now          choice
		covers, same bool
	}{
		"the same":          {both, true, true},
		"another size":      {choice{rendition: "main", tracks: []media.Track{picture(64), sound(media.Opus)}}, true, true},
		"another rendition": {choice{rendition: "low", tracks: both.tracks}, true, false},
		"without sound":     {choice{rendition: "main", tracks: both.tracks[:1]}, true, false},
		"another codec":     {choice{rendition: "main", tracks: []media.Track{picture(16), sound(media.PCMU)}}, false, false},
		"another track":     {choice{rendition: "main", tracks: []media.Track{other}}, false, false},
	} {
		t.Run(name, func(t *testing.T) {
			if both.covers(c.now) != c.covers || both.same(c.now) != c.same {
				t.Errorf("covers %v, same %v", both.covers(c.now), both.same(c.now))
			}
		})
	}
}
