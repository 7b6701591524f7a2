//go:build linux

package load

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
)

// The payload types that viewers offer.
const (
	videoPayload = 102
	audioPayload = 111
)

// offerText is what Chromium would offer for H.264 and Opus, but for the extensions and feedback of bandwidth
// estimation, which no light viewer could serve; to the good of servers that would do work for them.
const offerText = `v=0
o=- %[1]d 2 IN IP4 127.0.0.1
s=-
t=0 0
a=group:BUNDLE 0 1
a=extmap-allow-mixed
a=msid-semantic: WMS
m=video %[2]d UDP/TLS/RTP/SAVPF 102 103
c=IN IP4 127.0.0.1
a=rtcp:9 IN IP4 0.0.0.0
a=candidate:1 1 udp 2122260223 127.0.0.1 %[2]d typ host generation 0
a=end-of-candidates
a=ice-ufrag:%[3]s
a=ice-pwd:%[4]s
a=fingerprint:sha-256 %[5]s
a=setup:actpass
a=mid:0
a=extmap:4 urn:ietf:params:rtp-hdrext:sdes:mid
a=extmap:5 http://www.webrtc.org/experiments/rtp-hdrext/playout-delay
a=recvonly
a=rtcp-mux
a=rtcp-rsize
a=rtpmap:102 H264/90000
a=rtcp-fb:102 ccm fir
a=rtcp-fb:102 nack
a=rtcp-fb:102 nack pli
a=fmtp:102 level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f
a=rtpmap:103 rtx/90000
a=fmtp:103 apt=102
m=audio 9 UDP/TLS/RTP/SAVPF 111
c=IN IP4 127.0.0.1
a=rtcp:9 IN IP4 0.0.0.0
a=ice-ufrag:%[3]s
a=ice-pwd:%[4]s
a=fingerprint:sha-256 %[5]s
a=setup:actpass
a=mid:1
a=extmap:4 urn:ietf:params:rtp-hdrext:sdes:mid
a=recvonly
a=rtcp-mux
a=rtpmap:111 opus/48000/2
a=fmtp:111 minptime=10;useinbandfec=1
`

func (v *Viewer) offer() string {
	text := fmt.Sprintf(offerText, v.number+1, v.local.Port(), v.ufrag, v.pwd, fingerprint(v.load.certificate.Certificate[0]))
	return strings.ReplaceAll(text, "\n", "\r\n")
}

// fingerprint is the SHA-256 of a certificate as SDP writes it (RFC 8122, section 5).
func fingerprint(der []byte) string {
	sum := sha256.Sum256(der)
	parts := make([]string, len(sum))
	for i, b := range sum {
		parts[i] = fmt.Sprintf("%02X", b)
	}
	return strings.Join(parts, ":")
}

// answer is what a viewer needs of an answer.
type answer struct {
	ufrag, pwd string
	active     bool // the server opens DTLS
	remote     netip.AddrPort
}

var (
	errNoCredentials = errors.New("it has no ICE credentials")
	errNoCandidate   = errors.New("it has no UDP candidate of IPv4")
)

// parseAnswer reads an answer: of its candidates it takes the first on the loopback interface, or the first.
func parseAnswer(text string) (answer, error) {
	a := answer{}
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		key, value, _ := strings.Cut(strings.TrimPrefix(line, "a="), ":")
		switch key {
		case "ice-ufrag":
			a.ufrag = value
		case "ice-pwd":
			a.pwd = value
		case "setup":
			a.active = value == "active"
		case "candidate":
			if at, ok := parseCandidate(value); ok && (!a.remote.IsValid() || at.Addr().IsLoopback() && !a.remote.Addr().IsLoopback()) {
				a.remote = at
			}
		}
	}
	switch {
	case a.ufrag == "" || a.pwd == "":
		return a, errNoCredentials
	case !a.remote.IsValid():
		return a, errNoCandidate
	}
	return a, nil
}

// parseCandidate returns the address of an UDP candidate of IPv4 (RFC 8839, section 5.1).
func parseCandidate(value string) (netip.AddrPort, bool) {
	f := strings.Fields(value)
	if len(f) < 6 || f[1] != "1" || !strings.EqualFold(f[2], "udp") {
		return netip.AddrPort{}, false
	}
	addr, err := netip.ParseAddr(f[4])
	port, portErr := strconv.ParseUint(f[5], 10, 16)
	return netip.AddrPortFrom(addr, uint16(port)), err == nil && portErr == nil && addr.Is4()
}
