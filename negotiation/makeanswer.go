package negotiation

import (
	"hash/fnv"
	"slices"
	"strconv"

	"sluice/media"
)

// PlayoutDelay is the header extension by which a sender says how long a receiver may wait before it shows a picture.
const PlayoutDelay = "http://www.webrtc.org/experiments/rtp-hdrext/playout-delay"

// ownFeedback are the feedback messages that are acted on when no library sends for us.
var ownFeedback = []string{"nack", "nack pli", "ccm fir", "goog-remb"}

// Transport is our side of a viewer's session that needs no library: what an answer says of it.
type Transport struct {
	ICEUfrag, ICEPwd string
	Fingerprint      string            // of our certificate: "sha-256 AB:CD…"
	Setup            string            // our DTLS role: "active" or "passive"
	ICELite          bool              // we only answer checks (RFC 8445 2.5)
	Candidates       []string          // values of the a=candidate lines, in any order
	Sources          map[string]Source // by mid, for each section that the plan passes on
	Extensions       []string          // URIs of the header extensions that we put on packets
}

// Source is the stream of packets that is sent in one section.
type Source struct {
	SSRC  uint32
	RTX   uint32 // SSRC of its retransmissions (RFC 4588); 0: none, and none are answered
	CNAME string // the same for all sources of a session (RFC 7022)
	Track string // the second half of its msid; "": none
}

// MakeAnswer is FinishAnswer for who needs no library: it writes the answer to a viewer's offer by the same rules,
// from the plan, which must be given, and our side. Retransmissions are answered where both the plan's format and the
// source have them; header extensions where they were offered for packets to the viewer (see Section.ExtensionID);
// feedback that we act on where it was offered. It returns *InvalidAnswerError if our side lacks something.
func MakeAnswer(offer *Offer, o AnswerOptions, t Transport) (string, error) {
	if o.Plan == nil {
		return "", &InvalidAnswerError{Detail: "it has no plan"}
	}
	f := &finisher{offer: offer, options: o, streamID: o.StreamID}
	f.parts = make([]part, 0, len(offer.Sections))
	for i := range offer.Sections {
		p, err := f.ownPart(&offer.Sections[i], &t)
		if err != nil {
			return "", err
		}
		f.parts = append(f.parts, p)
	}
	f.side = side{
		origin:   "- " + sessionID(t.ICEUfrag) + " 1 IN IP4 0.0.0.0",
		iceUfrag: t.ICEUfrag, icePwd: t.ICEPwd, fingerprint: t.Fingerprint, setup: t.Setup, lite: t.ICELite,
		candidates: sortCandidates(t.Candidates, o.Loopback),
	}
	if err := f.check(); err != nil {
		return "", err
	}
	return f.text()
}

// sessionID is a number of the o= line that no other session of ours has (RFC 8866 5.2): as unlikely as two equal
// ufrags.
func sessionID(ufrag string) string {
	h := fnv.New64a()
	_, _ = h.Write([]byte(ufrag)) // never fails
	return strconv.FormatUint(h.Sum64()>>1, 10)
}

// ownPart is what becomes of a section of which our side says everything.
func (f *finisher) ownPart(s *Section, t *Transport) (part, error) {
	p := part{offered: s, action: Disabled}
	c, ok := f.choice(s)
	if s.serves() && ok {
		p.action = c.Action
	}
	if !p.action.Sends() {
		return p, nil
	}
	source := t.Sources[s.MID]
	if source.SSRC == 0 || source.CNAME == "" {
		return p, &InvalidAnswerError{Detail: "it has no source for section " + quote(s.MID)}
	}
	if f.streamID == "" {
		f.streamID = source.CNAME
	}
	if p.formats = s.ownFormats(c.Format, source.RTX != 0); len(p.formats) == 0 {
		return p, &RejectedSectionError{MID: s.MID}
	}
	p.extMaps = s.ownExtMaps(t.Extensions)
	p.sources = source.lines(len(p.formats) > 1)
	return p, nil
}

// ownFormats is the chosen format and, if they are wanted, its retransmissions, with the feedback that we act on.
func (s *Section) ownFormats(chosen Format, retransmit bool) []Format {
	i := slices.IndexFunc(s.Formats, func(o Format) bool { return o.PayloadType == chosen.PayloadType })
	if i < 0 {
		return nil
	}
	first := s.Formats[i]
	first.Feedback = nil
	for _, message := range ownFeedback {
		if s.Kind == media.Video || message == "nack" {
			if slices.Contains(s.Formats[i].Feedback, message) {
				first.Feedback = append(first.Feedback, message)
			}
		}
	}
	formats := []Format{first}
	j := slices.IndexFunc(s.Repair, func(o Format) bool { return o.PayloadType == first.RTX })
	if retransmit && first.RTX != 0 && j >= 0 {
		formats = append(formats, s.Repair[j])
		formats[1].Feedback = nil
	}
	return formats
}

// ownExtMaps are the header extensions of the given URIs that the section has.
func (s *Section) ownExtMaps(uris []string) []string {
	var values []string
	for _, uri := range uris {
		if id, ok := s.ExtensionID(uri); ok {
			values = append(values, strconv.Itoa(int(id))+" "+uri)
		}
	}
	return values
}

// lines tells of a source as RFC 5576 has it, grouped with its retransmissions (RFC 4588 8.8).
func (s Source) lines(retransmits bool) attributes {
	track := s.Track
	if track == "" {
		track = "-"
	}
	as := make(attributes, 0, 6)
	add := func(key, value string) { as = append(as, attribute{key: key, value: value}) }
	ids := []string{strconv.FormatUint(uint64(s.SSRC), 10)}
	if retransmits {
		ids = append(ids, strconv.FormatUint(uint64(s.RTX), 10))
		add("ssrc-group", "FID "+ids[0]+" "+ids[1])
	}
	for _, id := range ids {
		add("ssrc", id+" cname:"+s.CNAME)
		add("ssrc", id+" msid:- "+track)
	}
	add("msid", "- "+track)
	return as
}

// Fragment is what our side has to say after an ICE restart of a session with the given offer, its candidates
// sorted as in the answer. loopback is AnswerOptions.Loopback.
func (t *Transport) Fragment(o *Offer, loopback bool) *Fragment {
	tagged := o.Tagged()
	f := &Fragment{
		ICEUfrag: t.ICEUfrag, ICEPwd: t.ICEPwd, ICELite: t.ICELite, EndOfCandidates: true,
		MID: tagged.MID, Kind: tagged.Kind,
	}
	for _, c := range sortCandidates(t.Candidates, loopback) {
		f.Candidates = append(f.Candidates, FragmentCandidate{MID: tagged.MID, Value: c})
	}
	return f
}
