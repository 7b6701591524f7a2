package negotiation

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"sluice/media"
)

const (
	absentText = "Install the package sluice-gst."
	fullText   = "All 2 encoders are busy."
	clockText  = "The configuration puts a clock on the picture."
)

// able is a transcoder that makes all it can of a 1080p picture and a sound; running are the codecs that it makes
// already.
func able(running ...media.Codec) Capacity {
	made := func(t media.Track) Variant { return Variant{Track: t, Running: slices.Contains(running, t.Codec)} }
	return Capacity{
		Video: Supply{Variants: []Variant{made(h264("42e028")), made(video(media.VP8, 0, 0, 0))}},
		Audio: Supply{Variants: []Variant{
			made(sound(media.Opus, 48000, 2)), made(sound(media.PCMU, 8000, 1)), made(sound(media.PCMA, 8000, 1)),
		}},
	}
}

// busy is a transcoder that may start no encoder.
func busy(running ...media.Codec) Capacity {
	c := able(running...)
	c.Video.Full, c.Audio.Full = fullText, fullText
	return c
}

// crowded is a transcoder that may start no encoder of pictures.
func crowded() Capacity {
	c := able()
	c.Video.Full = fullText
	return c
}

// missing is one that can make nothing.
func missing() Capacity {
	return Capacity{Video: Supply{Absent: absentText}, Audio: Supply{Absent: absentText}}
}

// deaf is one that can make nothing of the sound, and blind of the picture.
func deaf() Capacity {
	c := able()
	c.Audio = Supply{Absent: absentText}
	return c
}

func blind() Capacity {
	c := able()
	c.Video = Supply{Absent: absentText}
	return c
}

func forced(c Capacity, why string) Capacity {
	c.Forced = why
	return c
}

// smaller is the capacity of a rendition by configuration.
func smaller() Capacity {
	c := forced(able(), "The rendition low has a picture of its own.")
	for i := range c.Video.Variants {
		c.Video.Variants[i].Track.Width, c.Video.Variants[i].Track.Height = 640, 360
	}
	return c
}

// transcodeRow is a row of the table of decisions.
type transcodeRow struct {
	name     string
	source   []media.Track
	offer    string
	policy   Policy
	capacity Capacity
	want     string // of each section: "96" passed on, "96~" leniently, "96=vp8" made, "-", "off"; or "422", "503"
}

func transcodeRows(t testing.TB) []transcodeRow {
	all := viewerFixtures(t)
	chromium, firefox, safari, safari17 := all["chromium-play"], all["firefox-play"], all["safari-play"], all["safari17-play"]
	recorded, obs, ffmpeg := all["chromium156-whip-h264"], all["obs-32.2.2"], all["ffmpeg9-whip"]
	aiortc, gst, wrtc, werift := all["aiortc-whep"], all["gst122-whep"], all["wrtc-whep"], all["werift-whep"]
	onlyVideo := func(f ...string) string { return offering(media.Video, f...) }
	onlyAudio := func(f ...string) string { return offering(media.Audio, f...) }

	opus, aac := sound(media.Opus, 48000, 2), sound(media.AAC, 48000, 2)
	baseline, high, h265 := h264("42e01f"), h264("640028"), video(media.H265, 1, 120, 0)
	mjpeg, mpeg4 := video(media.MJPEG, 0, 0, 0), video(media.MPEG4Video, 0, 0, 0)
	reordered := with(high, func(t *media.Track) { t.BFrames = true })
	fields := with(h264("4d001f"), func(t *media.Track) { t.Interlaced = true })
	colour := with(h264("7a001f"), func(t *media.Track) { t.Profile.ChromaFormat = 2 })
	deep := with(h264("6e001f"), func(t *media.Track) { t.BitDepth = 10 })
	flexible := with(h264("42001f"), func(t *media.Track) { t.Unusual = "flexible macroblock ordering" })
	tracks := func(t ...media.Track) []media.Track { return t }

	auto := Policy{}
	never, always := Policy{Transcode: TranscodeNever}, Policy{Transcode: TranscodeAlways}
	strict := Policy{H264: H264Strict}
	return []transcodeRow{
		// what fits is passed on, whatever could be made
		{"exact, Chromium", tracks(baseline, opus), chromium, auto, able(), "108 111"},
		{"exact though H264 is made already", tracks(baseline, opus), chromium, auto, able(media.H264, media.Opus), "108 111"},
		{"superset, Chromium", tracks(high, opus), chromium, auto, able(), "41 111"},
		{"superset, Safari", tracks(high, opus), safari, auto, able(), "96 111"},
		{"lenient, Firefox", tracks(high, opus), firefox, auto, able(), "126~ 109"},
		{"lenient before a running variant, Firefox", tracks(high, opus), firefox, auto, able(media.H264), "126~ 109"},
		{"lenient, GStreamer", tracks(high, opus), gst, auto, able(), "96~ 97"},
		{"auto by name", tracks(baseline, opus), chromium, Policy{Transcode: TranscodeAuto}, able(), "108 111"},
		{"H265, Safari", tracks(h265, opus), safari, auto, able(), "100 111"},
		{"H265, Chromium with", tracks(h265, opus), all["chromium-play-h265"], auto, able(), "49 111"},
		{"VP8 publisher, wrtc", tracks(video(media.VP8, 0, 0, 0), opus), wrtc, auto, able(), "96 111"},
		{"any H264, whepsrc without fmtp", tracks(high, opus), all["gst-whepsrc"], auto, able(), "96 102"},
		// the codec is not offered
		{"H265, Chromium", tracks(h265, opus), chromium, auto, able(), "108=h264 111"},
		{"H265, Chromium recorded", tracks(h265, opus), recorded, auto, able(), "111 108=h264"},
		{"H265, Firefox", tracks(h265, opus), firefox, auto, able(), "126=h264 109"},
		{"H265, Safari 17", tracks(h265, opus), safari17, auto, able(), "98=h264 111"},
		{"H265, aiortc", tracks(h265, opus), aiortc, auto, able(), "101=h264 96"},
		{"H265, GStreamer", tracks(h265, opus), gst, auto, able(), "96=h264 97"},
		{"H265, OBS", tracks(h265, opus), obs, auto, able(), "111 96=h264"},
		{"H265, ffmpeg", tracks(h265, opus), ffmpeg, auto, able(), "111 106=h264"},
		{"H265, werift", tracks(h265, opus), werift, auto, able(), "97=h264 96"},
		{"H265, wrtc has VP8 alone", tracks(h265, opus), wrtc, auto, able(), "96=vp8 111"},
		{"H265 Main10, Safari", tracks(video(media.H265, 2, 93, 0), opus), safari, auto, able(), "98=h264 111"},
		{"H264, wrtc has VP8 alone", tracks(high, opus), wrtc, auto, able(), "96=vp8 111"},
		{"AV1, Safari", tracks(video(media.AV1, 0, 5, 0), opus), safari, auto, able(), "98=h264 111"},
		{"VP9 profile 2, Firefox", tracks(video(media.VP9, 2, 0, 0)), firefox, auto, able(), "126=h264 -"},
		{"Motion JPEG, Chromium", tracks(mjpeg, opus), chromium, auto, able(), "108=h264 111"},
		{"MPEG-4, Firefox", tracks(mpeg4, aac), firefox, auto, able(), "126=h264 109=opus"},
		{"high, Firefox, strict", tracks(high, opus), firefox, strict, able(), "126=h264 109"},
		{"High 10 in 8 bits, Firefox", tracks(h264("6e001f"), opus), firefox, auto, able(), "126=h264 109"},
		// on which payload
		{"constrained baseline rather than baseline", tracks(mjpeg), onlyVideo(avc(96, "42001f"), avc(97, "42e01f")), auto, able(), "97=h264"},
		{"baseline rather than high", tracks(mjpeg), onlyVideo(avc(96, "64001f"), avc(97, "42001f")), auto, able(), "97=h264"},
		{"high alone", tracks(mjpeg), onlyVideo(avc(96, "64001f")), auto, able(), "96=h264"},
		{"mode 0 alone has VP8 take over", tracks(mjpeg), onlyVideo("96 H264/90000 profile-level-id=42e01f", "97 VP8/90000"), auto, able(), "97=vp8"},
		{"mode 0 alone", tracks(mjpeg), onlyVideo("96 H264/90000 profile-level-id=42e01f"), auto, able(), "422"},
		{"level that suffices", tracks(mjpeg), onlyVideo(avc(96, "42e01f"), avc(97, "42e034")), auto, able(), "97=h264"},
		{"VP8 preferred by the offer", tracks(mjpeg), onlyVideo("96 VP8/90000", avc(97, "42e01f")), auto, able(), "97=h264"},
		{"VP8 runs", tracks(mjpeg), onlyVideo(avc(96, "42e01f"), "97 VP8/90000"), auto, able(media.VP8), "97=vp8"},
		{"both run", tracks(mjpeg), onlyVideo("96 VP8/90000", avc(97, "42e01f")), auto, able(media.VP8, media.H264), "97=h264"},
		{"VP8 runs, H264 alone offered", tracks(mjpeg), onlyVideo(avc(96, "42e01f")), auto, able(media.VP8), "96=h264"},
		{"H265 alone offered", tracks(mjpeg), onlyVideo("96 H265/90000"), auto, able(), "422"},
		// what is never passed on: F6
		{"B-frames, Chromium", tracks(reordered, opus), chromium, auto, able(), "108=h264 111"},
		{"B-frames in H265, Safari", tracks(with(h265, func(t *media.Track) { t.BFrames = true })), safari, auto, able(), "98=h264 -"},
		{"interlaced, Firefox", tracks(fields, opus), firefox, auto, able(), "126=h264 109"},
		{"4:2:2, Chromium", tracks(colour, opus), chromium, auto, able(), "108=h264 111"},
		{"10 bits, Safari", tracks(deep, opus), safari, auto, able(), "98=h264 111"},
		{"flexible macroblock ordering, Chromium", tracks(flexible, opus), chromium, auto, able(), "108=h264 111"},
		{"flexible macroblock ordering, nothing made", tracks(flexible, opus), chromium, auto, Capacity{}, "422"},
		{"level 6.0, Chromium", tracks(h264("64003c"), opus), chromium, auto, able(), "108=h264 111"},
		// the configuration, or a decoder, forbids passing on
		{"process", tracks(baseline, opus), chromium, auto, forced(able(), clockText), "108=h264 111"},
		{"process and B-frames", tracks(reordered, opus), chromium, auto, forced(able(), clockText), "108=h264 111"},
		{"process leaves sound alone", tracks(baseline, sound(media.PCMA, 8000, 1)), chromium, auto, forced(able(), clockText), "108=h264 8"},
		{"process, nothing offered that is made", tracks(h265), onlyVideo("96 H265/90000"), auto, forced(able(), clockText), "422"},
		{"process, nothing installed", tracks(baseline, opus), chromium, auto, forced(missing(), clockText), "422"},
		{"process, never", tracks(baseline, opus), chromium, never, forced(able(), clockText), "422"},
		{"a decoder failed on its payload", tracks(high), onlyVideo(avc(126, "42e01f")), auto, forced(able(), "This viewer's decoder cannot show H.264 High."), "126=h264"},
		{"a smaller rendition", tracks(high, opus), firefox, auto, smaller(), "126=h264 109"},
		{"always", tracks(baseline, opus), chromium, always, able(), "108=h264 111"},
		{"always, sound that fits", tracks(baseline, sound(media.PCMU, 8000, 1)), firefox, always, able(), "126=h264 0"},
		{"always, sound that does not fit", tracks(baseline, aac), firefox, always, able(), "126=h264 109=opus"},
		{"always, sound alone", tracks(opus), chromium, always, able(), "- 111"},
		{"always, nothing installed", tracks(baseline, opus), chromium, always, missing(), "422"},
		// never
		{"never, what fits", tracks(high, opus), firefox, never, able(), "126~ 109"},
		{"never, H265, Chromium", tracks(h265, opus), chromium, never, able(media.H264), "422"},
		{"never, B-frames", tracks(reordered, opus), chromium, never, able(), "422"},
		{"never, AAC beside a picture", tracks(baseline, aac), chromium, never, able(), "108 -"},
		// capacity lacks
		{"nothing installed, H265, Chromium", tracks(h265, opus), chromium, auto, missing(), "422"},
		{"nothing installed, B-frames", tracks(reordered, opus), chromium, auto, missing(), "422"},
		{"nothing installed, AAC", tracks(baseline, aac), chromium, auto, missing(), "108 -"},
		{"nothing installed, AAC alone", tracks(aac), chromium, auto, missing(), "422"},
		{"nothing installed, what fits", tracks(baseline, opus), chromium, auto, missing(), "108 111"},
		{"full, what fits", tracks(baseline, opus), chromium, auto, busy(), "108 111"},
		{"full, H265, Chromium", tracks(h265, opus), chromium, auto, busy(), "503"},
		{"full, H264 runs", tracks(h265, opus), chromium, auto, busy(media.H264), "108=h264 111"},
		{"full, VP8 runs", tracks(h265, opus), chromium, auto, busy(media.VP8), "96=vp8 111"},
		{"full, VP8 runs, not offered", tracks(h265, opus), gst, auto, busy(media.VP8), "503"},
		{"full, nothing offered that is made", tracks(mjpeg), onlyVideo("96 H265/90000"), auto, busy(), "422"},
		{"full, AAC beside a picture", tracks(baseline, aac), chromium, auto, busy(), "108 -"},
		{"full, AAC alone", tracks(aac), chromium, auto, busy(), "503"},
		{"full, picture not offered, sound neither", tracks(mjpeg, aac), onlyVideo("96 H265/90000"), auto, busy(), "422"},
		{"full, always", tracks(baseline, opus), chromium, always, busy(), "503"},
		{"full for pictures, AAC beside one", tracks(baseline, aac), chromium, auto, crowded(), "108 111=opus"},
		{"full for pictures, AAC alone", tracks(aac), chromium, auto, crowded(), "- 111=opus"},
		{"full for pictures, H265 and AAC", tracks(h265, aac), chromium, auto, crowded(), "503"},
		{"no sound can be made, H265 and AAC", tracks(h265, aac), chromium, auto, deaf(), "108=h264 -"},
		{"no picture can be made, H265 and AAC, Safari", tracks(h265, aac), safari, auto, blind(), "100 111=opus"},
		// sound
		{"AAC, Chromium", tracks(baseline, aac), chromium, auto, able(), "108 111=opus"},
		{"MP3, Firefox", tracks(baseline, sound(media.MP3, 90000, 2)), firefox, auto, able(), "126 109=opus"},
		{"LPCM, Safari", tracks(baseline, sound(media.LPCM, 48000, 2)), safari, auto, able(), "98 111=opus"},
		{"AAC alone, Safari", tracks(aac), safari, auto, able(), "- 111=opus"},
		{"PCMA, Chromium", tracks(baseline, sound(media.PCMA, 8000, 1)), chromium, auto, able(), "108 8"},
		{"PCMA, G711 not offered", tracks(baseline, sound(media.PCMA, 8000, 1)), werift, auto, able(), "97 96=opus"},
		{"G711 at 16 kHz", tracks(baseline, sound(media.PCMA, 16000, 1)), chromium, auto, able(), "108 111=opus"},
		{"G711 in stereo", tracks(baseline, sound(media.PCMU, 8000, 2)), firefox, auto, able(), "126 109=opus"},
		{"G722, not offered", tracks(baseline, sound(media.G722, 8000, 1)), aiortc, auto, able(), "101 96=opus"},
		{"Opus 5.1", tracks(baseline, sound(media.Opus, 48000, 6)), chromium, auto, able(), "108 111=opus"},
		{"Opus last in the offer", tracks(aac), onlyAudio("0", "8", "111 opus/48000/2"), auto, able(), "111=opus"},
		{"PCMA before PCMU, no Opus", tracks(aac), onlyAudio("8", "0"), auto, able(), "8=pcma"},
		{"PCMU before PCMA, no Opus", tracks(opus), onlyAudio("0", "8"), auto, able(), "0=pcmu"},
		{"PCMU runs, Opus does not", tracks(aac), onlyAudio("0", "111 opus/48000/2"), auto, able(media.PCMU), "111=opus"},
		{"full, PCMU runs", tracks(aac), onlyAudio("0", "111 opus/48000/2"), auto, busy(media.PCMU), "0=pcmu"},
		{"G722 alone offered", tracks(aac), onlyAudio("9"), auto, able(), "422"},
		{"G722 alone offered beside a picture", tracks(baseline, aac), replaced(t, "RTP/SAVPF 111", "RTP/SAVPF 9", "a=rtpmap:111 opus/48000/2\n", ""), auto, able(), "96 -"},
		// what there is
		{"no sound", tracks(h265), chromium, auto, able(), "108=h264 -"},
		{"no picture", tracks(aac), firefox, auto, able(), "- 109=opus"},
		{"nothing", nil, chromium, auto, able(), "422"},
		{"a skipped picture", tracks(media.Track{Kind: media.Video, Skipped: "Its codec is unknown."}, opus), chromium, auto, able(), "- 111"},
		{"video section off", tracks(h265, aac), replaced(t, "video 9", "video 0"), auto, able(), "off 111=opus"},
	}
}

// F6, F30 to F37, F40, F41: what goes on which payload, and the whole of what is said about it.
func TestDecideWithTranscoder(t *testing.T) {
	var said strings.Builder
	rows := transcodeRows(t)
	for _, c := range rows {
		t.Run(c.name, func(t *testing.T) {
			offer := mustParse(t, c.offer, RolePlay)
			plan, err := Decide(c.source, offer, c.policy, c.capacity)
			got, reasons := transcodeSummary(t, plan, err)
			if got != c.want {
				t.Errorf("got %s for %q, want %s", got, reasons, c.want)
			}
			if err == nil {
				checkPlan(t, plan, offer)
			}
			fmt.Fprintf(&said, "%s: %s\n\t%s\n", c.name, got, strings.Join(reasons, "\n\t"))
		})
	}
	golden(t, "testdata/decisions.txt", said.String())
	if len(rows) < 60 {
		t.Errorf("only %d rows", len(rows))
	}
}

func transcodeSummary(t *testing.T, plan *Plan, err error) (string, []string) {
	t.Helper()
	var none *NoCodecError
	var full *CapacityError
	switch {
	case errors.As(err, &none):
		return "422", []string{none.Error()}
	case errors.As(err, &full):
		if full.RetryAfter <= 0 || full.Sends == "" {
			t.Errorf("%+v", full)
		}
		return "503", []string{full.Error()}
	}
	var got, reasons []string
	for _, s := range plan.Sections {
		word := map[Action]string{
			Passthrough: fmt.Sprint(s.Format.PayloadType), Transcoded: fmt.Sprintf("%d=%s", s.Format.PayloadType, s.Track.Codec),
			Unused: "-", Disabled: "off",
		}[s.Action]
		if s.Lenient {
			word += "~"
		}
		got, reasons = append(got, word), append(reasons, s.Reason)
	}
	return strings.Join(got, " "), reasons
}

// The name of the rendition that a viewer reads tells what is made for it.
func TestPlanDerived(t *testing.T) {
	for _, c := range []struct{ name, want string }{
		{"exact, Chromium", "main"},
		{"H265, Chromium", "main:h264"},
		{"H265, wrtc has VP8 alone", "main:vp8"},
		{"AAC, Chromium", "main:+opus"},
		{"MPEG-4, Firefox", "main:h264+opus"},
		{"PCMA before PCMU, no Opus", "main:+pcma"},
		{"no sound", "main:h264"},
	} {
		rows := transcodeRows(t)
		r := rows[slices.IndexFunc(rows, func(r transcodeRow) bool { return r.name == c.name })]
		plan, err := Decide(r.source, mustParse(t, r.offer, RolePlay), r.policy, r.capacity)
		if err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
		if got := plan.Derived("main").String(); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
}

// F41: tracks and variants of sound in any order, attributes of a section in any order, and parameters of a format in
// any order or by key make the same plan.
func TestDecideIsIndependentOfOrder(t *testing.T) {
	const listing = " What the transcoder could make of it" // what follows stands in the transcoder's order
	random := rand.New(rand.NewPCG(1, 2))
	for _, c := range transcodeRows(t) {
		offer := mustParse(t, c.offer, RolePlay)
		want, wantReasons := transcodeSummaryOf(t, c.source, offer, c.policy, c.capacity)
		for range 8 {
			source, capacity := slices.Clone(c.source), c.capacity
			random.Shuffle(len(source), func(i, j int) { source[i], source[j] = source[j], source[i] })
			sounds := slices.Clone(capacity.Audio.Variants)
			random.Shuffle(len(sounds), func(i, j int) { sounds[i], sounds[j] = sounds[j], sounds[i] })
			capacity.Audio.Variants = sounds
			shuffled := mustParse(t, shuffleAttributes(c.offer, random), RolePlay)
			for i := range shuffled.Sections {
				for j := range shuffled.Sections[i].Formats {
					f := &shuffled.Sections[i].Formats[j]
					f.Params = f.params()
				}
			}
			got, reasons := transcodeSummaryOf(t, source, shuffled, c.policy, capacity)
			if got != want || !slices.Equal(reasons, wantReasons) && !strings.Contains(strings.Join(reasons, ""), listing) {
				t.Fatalf("%s: %s for %q, want %s for %q", c.name, got, reasons, want, wantReasons)
			}
		}
	}
}

func transcodeSummaryOf(t *testing.T, source []media.Track, offer *Offer, policy Policy, capacity Capacity) (string, []string) {
	t.Helper()
	plan, err := Decide(source, offer, policy, capacity)
	return transcodeSummary(t, plan, err)
}

// shuffleAttributes changes the order of a section's a= lines, and of the parameters in its fmtp lines.
func shuffleAttributes(sdp string, random *rand.Rand) string {
	sections := strings.Split(strings.ReplaceAll(sdp, "\r\n", "\n"), "\nm=")
	for i, s := range sections[1:] {
		lines := strings.Split(strings.TrimSuffix(s, "\n"), "\n")
		for j, l := range lines {
			if number, parameters, ok := strings.Cut(l, " "); ok && strings.HasPrefix(l, "a=fmtp:") {
				pairs := strings.Split(parameters, ";")
				random.Shuffle(len(pairs), func(a, b int) { pairs[a], pairs[b] = pairs[b], pairs[a] })
				lines[j] = number + " " + strings.Join(pairs, ";")
			}
		}
		first := slices.IndexFunc(lines, func(l string) bool { return strings.HasPrefix(l, "a=") })
		attrs := lines[first:]
		random.Shuffle(len(attrs), func(a, b int) { attrs[a], attrs[b] = attrs[b], attrs[a] })
		sections[i+1] = strings.Join(lines, "\n")
	}
	return strings.Join(sections, "\nm=") + "\n"
}

// F41: whatever the source, the offer, the policy and the transcoder.
func TestDecideWithTranscoderProperties(t *testing.T) {
	rows := transcodeRows(t)
	offers := viewerFixtures(t)
	capacities := []Capacity{{}, able(), able(media.VP8), busy(), busy(media.VP8, media.PCMU), missing(), crowded(), deaf(), blind(), forced(able(), clockText)}
	policies := []Policy{{}, {H264: H264Strict}, {Transcode: TranscodeNever}, {Transcode: TranscodeAlways}}
	made := 0
	for _, name := range sortedNames(offers) {
		offer := mustParse(t, offers[name], RolePlay)
		for i, r := range rows {
			capacity, policy := capacities[i%len(capacities)], policies[i/len(capacities)%len(policies)]
			plan, err := Decide(r.source, offer, policy, capacity)
			if (plan == nil) != (err != nil) {
				t.Fatalf("%v, %v", plan, err)
			}
			if err != nil {
				transcodeSummary(t, nil, err) // fails for an error of another type
				continue
			}
			checkPlan(t, plan, offer)
			made += checkMade(t, plan, policy, capacity)
		}
	}
	if made < 100 {
		t.Errorf("only %d choices were made", made)
	}
}

// checkMade holds what is true of all that is made of a track, and counts it.
func checkMade(t *testing.T, plan *Plan, policy Policy, capacity Capacity) (made int) {
	t.Helper()
	for _, c := range plan.Sections {
		if c.Action == Passthrough && c.Kind == media.Video && (capacity.Forced != "" || policy.Transcode == TranscodeAlways) {
			t.Errorf("passed on: %+v", c)
		}
		if c.Action != Transcoded {
			continue
		}
		made++
		supply := capacity.of(c.Kind)
		running := slices.ContainsFunc(supply.Variants, func(v Variant) bool {
			return v.Track.Equal(c.Track) && (v.Running || supply.Full == "")
		})
		if policy.Transcode == TranscodeNever || supply.Absent != "" || !running || c.Lenient || !strings.Contains(c.Reason, ": made into ") {
			t.Errorf("made: %+v", c)
		}
	}
	return made
}
