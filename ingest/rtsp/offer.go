package rtsp

import (
	"bytes"
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"sluice/media"
)

// offer is what a camera offers, as repairSDP understands it.
type offer struct {
	sdp     []byte        // for the engine: one section for each of carried, in order
	tracks  []media.Track // all, in the camera's order, with those that are skipped
	carried []section
}

// section is one section that can be carried.
type section struct {
	track       media.Track
	payloadType int
	only        bool // the camera describes no other payload type, so whatever comes is this one
	secure      bool // SRTP
}

// repairSDP makes an offer of what a camera describes. The engine gets a description made from scratch, with one
// payload type a section and absolute controls. It is not told the codecs: it carries packets, and would refuse
// a whole description for one parameter that it does not like. An offer of which nothing can be carried is a
// *NoMediaError.
func repairSDP(body []byte, baseURL string) (*offer, error) {
	d := parseSDP(body)
	o := &offer{}
	var b bytes.Buffer
	if isAbsolute(d.control) {
		baseURL = repairBase(d.control, baseURL)
	}
	fmt.Fprintf(&b, "v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=control:%s\r\n", baseURL)
	if keyFits(d.keyMgmt) {
		fmt.Fprintf(&b, "a=key-mgmt:%s\r\n", d.keyMgmt)
	}
	for i := range d.sections {
		s, err := d.choose(i)
		url, ok := resolveControl(d.sections[i].control, baseURL)
		if err == nil && !ok {
			err = fmt.Errorf("its control URL is damaged")
		}
		s.track.ID = o.name(s.track.Kind)
		if err != nil {
			s.track.Skipped = err.Error()
		} else {
			o.carried = append(o.carried, s)
			s.write(&b, d.sections[i], url)
		}
		o.tracks = append(o.tracks, s.track)
	}
	o.sdp = b.Bytes()
	if len(o.carried) == 0 {
		return nil, o.nothing()
	}
	return o, nil
}

func keyFits(k string) bool { return strings.HasPrefix(k, "mikey ") }

// write describes the section to the engine.
func (s section) write(b *bytes.Buffer, raw rawSection, url string) {
	proto := "RTP/AVP"
	if s.secure {
		proto = "RTP/SAVP"
	}
	fmt.Fprintf(b, "m=%s 0 %s %d\r\na=control:%s\r\n", s.track.Kind, proto, s.payloadType, url)
	fmt.Fprintf(b, "a=rtpmap:%d packets/%d\r\n", s.payloadType, s.track.ClockRate)
	if s.secure && keyFits(raw.keyMgmt) {
		fmt.Fprintf(b, "a=key-mgmt:%s\r\n", raw.keyMgmt)
	}
}

// name is an ID that is unique among the tracks so far: "video", "video2".
func (o *offer) name(k media.Kind) string {
	n := 1
	for _, t := range o.tracks {
		if t.Kind == k {
			n++
		}
	}
	if n == 1 {
		return string(k)
	}
	return string(k) + strconv.Itoa(n)
}

// nothing says why nothing is carried; of several reasons, that of a video or audio track first.
func (o *offer) nothing() error {
	e := &NoMediaError{}
	importance := []media.Kind{media.Video, media.Audio, media.Data}
	all := slices.SortedStableFunc(slices.Values(o.tracks), func(a, b media.Track) int {
		return cmp.Compare(slices.Index(importance, a.Kind), slices.Index(importance, b.Kind))
	})
	for _, t := range all {
		e.Skipped = append(e.Skipped, t.Skipped)
	}
	return e
}

// choose picks the first payload type of a section that can be carried. An error is a sentence that says why
// none can; the section's track then tells what it would have been.
func (d *sessionDescription) choose(i int) (section, error) {
	raw := d.sections[i]
	s := section{track: media.Track{Kind: kindOf(raw.kind)}, secure: strings.Contains(raw.proto, "SAVP")}
	numbers := raw.payloadTypes()
	s.only = len(numbers) == 1
	if d.isBackChannel(i) {
		return s, fmt.Errorf("it leads to the camera's loudspeaker, not from its microphone")
	}
	err := fmt.Errorf("the camera does not say what it is")
	for _, n := range numbers {
		p, known := newPayload(n, payloadAttribute(raw.rtpmap, strconv.Itoa(n)), d.formatOf(i, n))
		if !known {
			err = fmt.Errorf("the camera does not say how payload type %d is coded", n)
			continue
		}
		t, reason := p.track()
		if reason == nil {
			s.track, s.payloadType = t, n
			return s, nil
		}
		err = reason
		s.track.Codec = media.Codec(strings.ToLower(printable(p.name)))
	}
	return s, err
}

func kindOf(s string) media.Kind {
	switch s {
	case "video":
		return media.Video
	case "audio":
		return media.Audio
	}
	return media.Data
}

// payloadTypes is the numbers of the m= line, or if it has none those that have an rtpmap.
func (s rawSection) payloadTypes() []int {
	var all []int
	add := func(f string) {
		if n, err := strconv.Atoi(f); err == nil && n >= 0 && n <= 127 && !slices.Contains(all, n) {
			all = append(all, n)
		}
	}
	for _, f := range s.formats {
		add(f)
	}
	for _, m := range s.rtpmap {
		if pt, _, _ := strings.Cut(m, " "); len(all) == 0 {
			add(pt)
		}
	}
	return all
}

// formatOf is the fmtp of a payload type; a camera may have put it into another section that has no such type, or
// into the session.
func (d *sessionDescription) formatOf(i, number int) string {
	n := strconv.Itoa(number)
	if own := payloadAttribute(d.sections[i].fmtp, n); own != "" {
		return own
	}
	for j, other := range d.sections {
		if a := payloadAttribute(other.fmtp, n); j != i && a != "" && !slices.Contains(other.payloadTypes(), number) {
			return a
		}
	}
	return payloadAttribute(d.fmtp, n)
}

// isBackChannel tells the camera's loudspeaker from its microphone. Both may be marked a=sendonly: the gateway never
// asks for a back channel, so a lone one is not meant to be one.
func (d *sessionDescription) isBackChannel(i int) bool {
	if !d.sections[i].sends {
		return false
	}
	return slices.ContainsFunc(d.sections, func(o rawSection) bool {
		return o.kind == d.sections[i].kind && !o.sends
	})
}
