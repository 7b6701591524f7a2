package config

import (
	"fmt"
	"regexp"
	"strings"
	"time"
)

// Stream is one table of [streams].
type Stream struct {
	// Source is where the media comes from: an rtsp:// or rtsps:// URL, or "demo:". It may hold a password.
	Source    string    `toml:"source"`
	Transport Transport `toml:"transport" oneof:"auto tcp udp multicast"`
	// OnDemand connects only while somebody watches, and OnDemandCloseAfter the last viewer lets go.
	OnDemand           bool          `toml:"on_demand"`
	OnDemandCloseAfter time.Duration `toml:"on_demand_close_after" min:"0s"`
	// ReadTimeout without media means that the source is gone.
	ReadTimeout time.Duration `toml:"read_timeout" min:"1s"`
	// TLSFingerprint is the SHA-256 of the one certificate to accept, 64 lower-case hex digits once loaded.
	TLSFingerprint string `toml:"tls_fingerprint"`
	// TLSInsecure accepts any certificate; a TLSFingerprint wins over it.
	TLSInsecure bool `toml:"tls_insecure"`
}

// Transport is how RTP comes from a camera.
type Transport string

// The transports. Auto begins with UDP or TCP and goes over to the other where the first brings nothing.
const (
	TransportAuto      Transport = "auto"
	TransportTCP       Transport = "tcp"
	TransportUDP       Transport = "udp"
	TransportMulticast Transport = "multicast"
)

// DefaultStream returns the values of all keys that a stream's table does not set; its Source is empty.
func DefaultStream() Stream {
	return Stream{
		Transport:          TransportAuto,
		OnDemandCloseAfter: 10 * time.Second,
		ReadTimeout:        10 * time.Second,
	}
}

// DemoSource is the source of the built-in camera.
const DemoSource = "demo:"

var streamName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$`)

// takenNames are the first words of URLs that are not streams.
const takenNames = "api assets healthz ice-test login logout metrics readyz ws favicon.ico robots.txt"

var takenPrefixes = []string{"sluice.", "grpc."}

// checkName returns what is wrong with a stream's name, "" if nothing is. Names that differ in case differ.
func checkName(name string) string {
	switch {
	case strings.Contains(name, "*"):
		return "a name with * is a pattern, which this build does not have: give each stream its own table"
	case !streamName.MatchString(name):
		return `cannot be a stream's name: that is 1 to 64 letters (A-Z, a-z), digits, ".", "_" or "-", the first a letter or a digit`
	case oneOf(name, takenNames):
		return fmt.Sprintf("cannot be a stream's name: the gateway itself answers at /%s", name)
	}
	for _, p := range takenPrefixes {
		if strings.HasPrefix(name, p) {
			return fmt.Sprintf("cannot be a stream's name: what begins with %q belongs to the gateway", p)
		}
	}
	return ""
}

// oneOf tells whether word is among words, which are parted by spaces.
func oneOf(word, words string) bool {
	for w := range strings.FieldsSeq(words) {
		if w == word {
			return true
		}
	}
	return false
}

// normalise gives values that can be written in several ways the one way that the rest of the gateway reads.
func (s *Stream) normalise() {
	s.TLSFingerprint = strings.ToLower(strings.ReplaceAll(s.TLSFingerprint, ":", ""))
	if scheme, rest, ok := strings.Cut(s.Source, ":"); ok {
		s.Source = strings.ToLower(scheme) + ":" + rest
	}
}
