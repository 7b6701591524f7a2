package negotiation

import (
	"slices"

	"sluice/media"
)

// Role is what the offerer wants of us.
type Role string

// The roles: a viewer must be ready to receive, a publisher to send.
const (
	RolePlay    Role = "play"
	RolePublish Role = "publish"
)

// roleServer is that of who answers an offer of ours.
const roleServer Role = "server"

// Direction is the direction of media as the offerer sees it.
type Direction string

// The directions of RFC 8866 6.7; no such line means SendRecv.
const (
	SendRecv Direction = "sendrecv"
	SendOnly Direction = "sendonly"
	RecvOnly Direction = "recvonly"
	Inactive Direction = "inactive"
)

// Offer is an offer that ParseOffer found servable. Nobody may change it.
type Offer struct {
	Role     Role
	Sections []Section // in order of the m-lines
	Bundle   []string  // mids of its BUNDLE group, without those of absent sections; nil if it has no group
	ICELite  bool      // the peer is lite: we must be the controlling side
	Trickle  bool      // the peer can send candidates later
	Setup    string    // DTLS role of the transport that all sections share: "actpass", "active" or "passive"

	mixedExtensions bool
	version         int // ICE restarts since it came
}

// Section is one m-line of an offer with what follows it.
type Section struct {
	MID       string
	Kind      media.Kind // media.Data for all that is neither audio nor video
	Media     string     // the m-line's own word: "audio", "application"
	Proto     string
	Enabled   bool // false: port 0 and not bundle-only; it is answered likewise
	Direction Direction

	Formats []Format // in the offer's order of preference
	Repair  []Format // RTX, RED and FEC, in the offer's order
	RIDs    []string // simulcast layers that a publisher sends, at most four, in its own order
	Layers  []Layer  // the same, with the renditions that they are published as

	RTCPMux         bool
	RTCPReducedSize bool
	PeerTransport

	line    int
	formats string   // of the m-line, with blanks between them
	extMaps []string // as in the offer, in its order
	sources []string // msid, ssrc and ssrc-group lines of a publisher
	noFMTP  bool     // no format of the section has parameters: any will do
}

// PeerTransport is what a section says of ICE and DTLS, with the session's own lines counted in.
type PeerTransport struct {
	Setup            string // "" if absent
	ICEUfrag, ICEPwd string
	Fingerprints     []Fingerprint // those that may be trusted, the strongest first
	Candidates       []string      // values of the a=candidate lines, unfiltered
	EndOfCandidates  bool
	rejected         string // what is wrong with the fingerprints; "" if nothing is
}

// Fingerprint is the hash of a DTLS certificate (RFC 8122).
type Fingerprint struct {
	Algorithm string // "sha-256", "sha-384" or "sha-512"
	Value     string // upper-case hex pairs with colons
}

// serves reports whether the section is an audio or video section that is to be served.
func (s *Section) serves() bool { return s.Enabled && s.Kind != media.Data }

// ParseOffer reads an offer and checks it, before any library sees it, against RFC 9725 and
// draft-ietf-wish-whep as the given role has them. The errors are *OfferTooLargeError, *MalformedOfferError
// and *UnservableOfferError; what is malformed is told before what can't be served.
func ParseOffer(sdp string, role Role) (*Offer, error) {
	if len(sdp) > MaxOfferSize {
		return nil, &OfferTooLargeError{Size: len(sdp), Max: MaxOfferSize}
	}
	d, err := scan(sdp)
	if err != nil {
		return nil, err
	}
	d.inherit(false)
	o := &Offer{Role: role, ICELite: d.session.has("ice-lite"), Trickle: trickles(d)}
	for i := range d.sections {
		s, fault := parseSection(&d.sections[i], d.session, role)
		if fault != nil {
			return nil, fault
		}
		o.Sections = append(o.Sections, s)
		o.mixedExtensions = o.mixedExtensions || d.sections[i].attrs.has("extmap-allow-mixed")
	}
	o.mixedExtensions = o.mixedExtensions || d.session.has("extmap-allow-mixed")
	if err = o.checkMIDs(); err != nil {
		return nil, err
	}
	grouped, err := o.readBundle(d.session)
	if err != nil {
		return nil, err
	}
	if err := o.checkShared(); err != nil {
		return nil, err
	}
	if err := o.checkServable(grouped); err != nil {
		return nil, err
	}
	o.settleLayers()
	o.Setup = orActpass(o.Tagged().Setup)
	o.compact()
	return o, nil
}

// settleLayers keeps the first layers of a publisher, and none of a viewer, who sends nothing.
func (o *Offer) settleLayers() {
	most := maxUsedRIDs
	if o.Role == RolePlay {
		most = 0
	}
	for i := range o.Sections {
		s := &o.Sections[i]
		s.RIDs = s.RIDs[:min(len(s.RIDs), most)]
		s.Layers = nameLayers(s.RIDs)
	}
}

// Section is the section of a mid.
func (o *Offer) Section(mid string) (*Section, bool) {
	for i := range o.Sections {
		if o.Sections[i].MID == mid {
			return &o.Sections[i], true
		}
	}
	return nil, false
}

// HasData reports whether the offer has a section that is neither audio nor video and is not switched off.
func (o *Offer) HasData() bool {
	return slices.ContainsFunc(o.Sections, func(s Section) bool { return s.Enabled && s.Kind == media.Data })
}

// Tagged is the section whose transport all others share: the first of the BUNDLE group that is served.
func (o *Offer) Tagged() *Section {
	for _, mid := range o.Bundle {
		if s, ok := o.Section(mid); ok && s.serves() {
			return s
		}
	}
	i := slices.IndexFunc(o.Sections, func(s Section) bool { return s.serves() })
	return &o.Sections[i]
}
