package config

import (
	"fmt"
	"regexp"
	"strings"
	"time"
)

// Stream is one table of [streams].
type Stream struct {
	// Source is where the media comes from: an rtsp, rtsps, whep or wheps URL, PublishSource, DemoSource, "gst:" and
	// a pipeline, or "device:" and a device. It may hold a password, and the URL in the table of a pattern ${stream}.
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
	// Start says what a new viewer sees first.
	Start Start `toml:"start" oneof:"gop keyframe"`
	// OnConflict says what a second publisher gets; for PublishSource.
	OnConflict ConflictPolicy `toml:"on_conflict" oneof:"replace reject"`
	// Push are the WHIP servers that the stream goes on to.
	Push []Push `toml:"push"`
	// Token is the bearer token for a whep or wheps source.
	Token Secret `toml:"token"`
	// Transcode says when the stream is made anew for a viewer.
	Transcode TranscodeMode `toml:"transcode" oneof:"auto never always"`
	// Process is GStreamer elements between decoder and encoder; "": none.
	Process string `toml:"process"`
	// Sink is "gst:" and the pipeline that gets the encoded stream; "": none.
	Sink string `toml:"sink"`
	// Renditions are other qualities of the stream, by name.
	Renditions map[string]Rendition `toml:"renditions"`
}

// Push is a WHIP server that gets a stream.
type Push struct {
	// URL is a whip or whips URL.
	URL string `toml:"url"`
	// Token is the bearer token, "" for none.
	Token Secret `toml:"token"`
}

// ConflictPolicy is what happens when somebody publishes to a stream that has a publisher.
type ConflictPolicy string

// Under ConflictReplace the same principal takes over and others are refused; under ConflictReject all are.
const (
	ConflictReplace ConflictPolicy = "replace"
	ConflictReject  ConflictPolicy = "reject"
)

// Start is where a viewer begins in a stream.
type Start string

// With StartGOP a viewer gets the pictures since the last keyframe at once; with StartKeyframe it waits for the next.
const (
	StartGOP      Start = "gop"
	StartKeyframe Start = "keyframe"
)

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
		Start:              StartGOP,
		OnConflict:         ConflictReplace,
		Transcode:          TranscodeAuto,
	}
}

// The sources that are no URL: the built-in camera, and whoever publishes by WHIP.
const (
	DemoSource    = "demo:"
	PublishSource = "publish"
)

// Scheme returns the kind of source: rtsp, rtsps, whep, wheps, demo, publish, gst or device.
func (s Stream) Scheme() string {
	scheme, _, _ := strings.Cut(s.Source, ":")
	return scheme
}

var streamName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$`)

// takenNames are the first words of URLs that are not streams.
const takenNames = "api assets healthz ice-test login logout metrics readyz ws favicon.ico robots.txt"

var takenPrefixes = []string{"sluice.", "grpc."}

// checkName returns what is wrong with a stream's name, "" if nothing is. Names that differ in case differ.
func checkName(name string) string {
	switch {
	case !streamName.MatchString(name):
		return `cannot be a stream's name: that is 1 to 64 letters (A-Z, a-z), digits, ".", "_" or "-", the first a letter or a digit`
	case oneOf(name, takenNames):
		return fmt.Sprintf("cannot be a stream's name: the gateway itself answers at /%s", name)
	}
	return checkPrefix(name)
}

// checkPrefix is for names and for patterns.
func checkPrefix(name string) string {
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
	s.Source = lowerScheme(s.Source)
	s.Sink = lowerScheme(s.Sink)
	for i, p := range s.Push {
		s.Push[i].URL = lowerScheme(p.URL)
	}
}

func lowerScheme(source string) string {
	scheme, rest, ok := strings.Cut(source, ":")
	if !ok {
		return source
	}
	return strings.ToLower(scheme) + ":" + rest
}
