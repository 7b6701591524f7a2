package negotiation

import (
	"fmt"
	"slices"
	"strings"
)

// fingerprintLengths gives the bytes of each hash that may be trusted (RFC 8122 5 forbids MD5 and MD2; SHA-1
// is too weak to ask for).
var fingerprintLengths = map[string]int{"sha-256": 32, "sha-384": 48, "sha-512": 64}

// leastCredential gives the least characters of the ICE credentials.
var leastCredential = map[string]int{"ice-ufrag": 4, "ice-pwd": 22}

// serversICEChars are no ice-chars of RFC 8839, but stand in what servers answer (ZLMediaKit's user fragments are like
// "zlm_1") and are taken by browsers.
const serversICEChars = "_-=#"

func (s *Section) readTransport(attrs, session attributes, role Role) error {
	setup, _, err := inherited(attrs, session, "setup")
	if err != nil {
		return err
	}
	s.Setup = setup.value
	if s.ICEUfrag, err = s.credential(attrs, session, "ice-ufrag", role); err != nil {
		return err
	}
	if s.ICEPwd, err = s.credential(attrs, session, "ice-pwd", role); err != nil {
		return err
	}
	s.readFingerprints(attrs, session)
	for _, a := range attrs {
		if a.key == "candidate" {
			s.Candidates = append(s.Candidates, a.value)
		}
	}
	s.EndOfCandidates = attrs.has("end-of-candidates") || session.has("end-of-candidates")
	return nil
}

// credential reads an ICE user fragment or password.
func (s *Section) credential(attrs, session attributes, key string, role Role) (string, error) {
	a, ok, err := inherited(attrs, session, key)
	switch {
	case err != nil:
		return "", err
	case !ok:
		return "", malformed(s.line, "the section has no %s", key)
	}
	judged := a.value
	if role == roleServer {
		judged = strings.Map(forgiven, judged)
	}
	if fault := credentialFault(key, judged); fault != "" {
		return "", malformed(a.line, "%s", fault)
	}
	return a.value, nil
}

// credentialFault says what is wrong with an ICE user fragment or password (RFC 8839 5.4), or "".
func credentialFault(key, value string) string {
	const most = 256
	switch least := leastCredential[key]; {
	case len(value) < least || len(value) > most:
		return fmt.Sprintf("the %s has %d characters; %d to %d are expected", key, len(value), least, most)
	case strings.ContainsFunc(value, notICEChar):
		return "the " + key + " may hold letters, digits, + and / only"
	}
	return ""
}

func notICEChar(r rune) bool {
	switch {
	case 'a' <= r && r <= 'z', 'A' <= r && r <= 'Z', '0' <= r && r <= '9', r == '+', r == '/':
		return false
	}
	return true
}

// forgiven is an ice-char in the place of a character that servers may have there.
func forgiven(r rune) rune {
	if strings.ContainsRune(serversICEChars, r) {
		return '+'
	}
	return r
}

// readFingerprints keeps the fingerprints that may be trusted and notes what is wrong with the others.
func (s *Section) readFingerprints(attrs, session attributes) {
	level := session
	if attrs.has("fingerprint") {
		level = attrs
	}
	s.rejected = "it has no fingerprint; one by sha-256, sha-384 or sha-512 is required"
	for _, a := range level {
		if a.key != "fingerprint" {
			continue
		}
		f, fault := parseFingerprint(a.value)
		if fault == "" {
			fault = conflict(s.Fingerprints, f)
		}
		if fault != "" {
			s.rejected = fault
			if f.Algorithm != "" {
				s.Fingerprints = nil
				return
			}
			continue
		}
		if !slices.Contains(s.Fingerprints, f) {
			s.Fingerprints = append(s.Fingerprints, f)
		}
	}
	slices.SortStableFunc(s.Fingerprints, func(a, b Fingerprint) int { return strings.Compare(b.Algorithm, a.Algorithm) })
}

// parseFingerprint returns a fault if the hash is not one to trust; its Algorithm is then set only if the
// algorithm is trusted but the value is broken.
func parseFingerprint(value string) (Fingerprint, string) {
	f := strings.Fields(value)
	if len(f) != 2 {
		return Fingerprint{}, "its fingerprint must be an algorithm and a hash"
	}
	algorithm, hash := strings.ToLower(f[0]), strings.ToUpper(f[1])
	length, ok := fingerprintLengths[algorithm]
	if !ok {
		return Fingerprint{}, fmt.Sprintf("fingerprints by %s are not accepted; sha-256, sha-384 or sha-512 is required", quote(f[0]))
	}
	p := Fingerprint{Algorithm: algorithm, Value: hash}
	if !hexPairs(hash, length) {
		return p, fmt.Sprintf("its %s fingerprint must be %d pairs of hex digits with colons between them", algorithm, length)
	}
	return p, ""
}

func hexPairs(s string, n int) bool {
	if len(s) != 3*n-1 {
		return false
	}
	for i := range len(s) {
		digit := s[i] >= '0' && s[i] <= '9' || s[i] >= 'A' && s[i] <= 'F'
		if i%3 == 2 && s[i] != ':' || i%3 != 2 && !digit {
			return false
		}
	}
	return true
}

// conflict tells whether two hashes of one algorithm name different certificates.
func conflict(have []Fingerprint, f Fingerprint) string {
	for _, h := range have {
		if h.Algorithm == f.Algorithm && h.Value != f.Value {
			return fmt.Sprintf("two %s fingerprints contradict each other", f.Algorithm)
		}
	}
	return ""
}
