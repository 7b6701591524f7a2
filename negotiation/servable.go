package negotiation

import (
	"fmt"
	"slices"

	"sluice/media"
)

// servedProtos are the transports of media over DTLS-SRTP; the last is an old spelling of the first.
var servedProtos = []string{"UDP/TLS/RTP/SAVPF", "TCP/TLS/RTP/SAVPF", "RTP/SAVPF"}

var servedDirections = map[Role][]Direction{
	RolePlay:    {RecvOnly, SendRecv},
	RolePublish: {SendOnly, SendRecv},
}

var knownCodecs = map[media.Kind]string{
	media.Video: "H.264, H.265, VP8, VP9 and AV1",
	media.Audio: "Opus, G.722 and G.711",
}

// unservable says why an audio or video section can't be served, or "".
func (s *Section) unservable(role Role) string {
	switch {
	case !slices.Contains(servedProtos, s.Proto):
		return fmt.Sprintf("its protocol is %s; UDP/TLS/RTP/SAVPF is required", quote(s.Proto))
	case !slices.Contains(servedDirections[role], s.Direction):
		return fmt.Sprintf("it is %s; to %s, %s or sendrecv is required", s.Direction, role, servedDirections[role][:1])
	case !s.RTCPMux:
		return "it has no rtcp-mux"
	case !slices.Contains([]string{"", "actpass", "active", "passive"}, s.Setup):
		return fmt.Sprintf("its setup is %s; actpass, active or passive is required", quote(s.Setup))
	case len(s.Fingerprints) == 0:
		return s.rejected
	case !slices.ContainsFunc(s.Formats, func(f Format) bool { return f.usable() }):
		return fmt.Sprintf("it has no codec that the gateway knows; for %s those are %s", s.Kind, knownCodecs[s.Kind])
	}
	return s.simulcastFault()
}

// usable reports whether the gateway knows the codec and may send on the payload type: with rtcp-mux, 64 to
// 95 look like RTCP (RFC 5761 4).
func (f *Format) usable() bool {
	if f.is(multiopus) && !f.soundMultiopus() {
		return false
	}
	return f.Codec != "" && (f.PayloadType < 64 || f.PayloadType > 95)
}

func (s *Section) simulcastFault() string {
	if len(s.RIDs) > maxRIDs {
		return fmt.Sprintf("it has %d simulcast layers; at most %d are accepted", len(s.RIDs), maxRIDs)
	}
	return ""
}
