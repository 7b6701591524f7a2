package config

import (
	"fmt"
	"maps"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Validate returns all faults of c as Faults, without places in a file; nil if there are none.
func (c Config) Validate() error {
	faults := c.check()
	faults.sort()
	return faults.err()
}

func (c Config) check() Faults {
	faults := checkTags(c.globals())
	faults = append(faults, c.checkAuth()...)
	faults = append(faults, c.checkListeners()...)
	faults = append(faults, c.checkLists()...)
	for _, name := range slices.Sorted(maps.Keys(c.Streams)) {
		faults = append(faults, c.Streams[name].check(name)...)
	}
	return faults
}

func (c Config) checkAuth() Faults {
	switch c.Auth.Mode {
	case "none":
		return nil
	case "internal", "jwt", "http":
		return Faults{{Key: "auth.mode", Message: quote(c.Auth.Mode) + ` is not in this build, which has only "none": no passwords, and nobody but this machine`}}
	default:
		return Faults{{Key: "auth.mode", Message: quote(c.Auth.Mode) + ` must be "none"`}}
	}
}

// checkTags holds values to the oneof, min and max of their struct tags.
func checkTags(all []leaf) Faults {
	var faults Faults
	for _, l := range all {
		if message := l.check(); message != "" {
			faults = append(faults, Fault{Key: l.key, Message: message})
		}
	}
	return faults
}

func (l leaf) check() string {
	if words, ok := l.tag.Lookup("oneof"); ok && !oneOf(l.value.String(), words) {
		return fmt.Sprintf("%s is not one of %s", quote(l.value.String()), strings.ReplaceAll(words, " ", ", "))
	}
	if bound, ok := l.tag.Lookup("min"); ok && l.value.Int() < l.bound(bound) {
		return fmt.Sprintf("%s is too small: at least %s", l.shown(), bound)
	}
	if bound, ok := l.tag.Lookup("max"); ok && l.value.Int() > l.bound(bound) {
		return fmt.Sprintf("%s is too large: at most %s", l.shown(), bound)
	}
	return ""
}

// bound reads a min or max tag, which a test holds to be right for its field.
func (l leaf) bound(text string) int64 {
	v := reflect.New(l.value.Type()).Elem()
	setScalar(v, text)
	return v.Int()
}

func (l leaf) shown() string {
	if l.value.Type() == durationType {
		return time.Duration(l.value.Int()).String()
	}
	return strconv.FormatInt(l.value.Int(), 10)
}

func (s Stream) check(name string) Faults {
	key := joinKey("streams", name)
	var faults Faults
	if message := checkName(name); message != "" {
		faults = append(faults, Fault{Key: key, Message: message})
	}
	if s.Source == "" {
		faults = append(faults, Fault{Key: key + ".source", Message: `is missing: add source = "rtsp://..." or "demo:"`})
	} else if message := checkSource(s.Source); message != "" {
		faults = append(faults, Fault{Key: key + ".source", Message: message})
	}
	if s.TLSFingerprint != "" && !sha256Hex.MatchString(s.TLSFingerprint) {
		faults = append(faults, Fault{
			Key:     key + ".tls_fingerprint",
			Message: "must be the SHA-256 of a certificate: 64 hex digits, with or without colons",
		})
	}
	return append(faults, checkTags(leaves(key, reflect.ValueOf(s)))...)
}

var sha256Hex = regexp.MustCompile(`^[0-9a-f]{64}$`)

// normalise gives values that can be written in several ways the one way that the rest of the gateway reads.
func (c *Config) normalise() {
	for name, s := range c.Streams {
		s.normalise()
		c.Streams[name] = s
	}
}

// doubts are what works and is probably not meant.
func (c Config) doubts() Faults {
	var doubts Faults
	if c.Limits.RingMaxAge == 0 && c.Limits.RingMaxMiB == 0 {
		doubts = append(doubts, Fault{
			Key:     "limits.ring_max_mib",
			Message: "with ring_max_age 0 too, a camera that sends no keyframes can fill the memory: leave one of them above 0",
		})
	}
	for _, name := range slices.Sorted(maps.Keys(c.Streams)) {
		doubts = append(doubts, c.Streams[name].doubts(joinKey("streams", name))...)
	}
	return doubts
}

func (s Stream) doubts(key string) Faults {
	var doubts Faults
	encrypted := strings.HasPrefix(s.Source, "rtsps:")
	if s.TLSFingerprint != "" && !encrypted {
		doubts = append(doubts, Fault{Key: key + ".tls_fingerprint", Message: "does nothing: the source is not rtsps://"})
	}
	switch {
	case s.TLSInsecure && !encrypted:
		doubts = append(doubts, Fault{Key: key + ".tls_insecure", Message: "does nothing: the source is not rtsps://"})
	case s.TLSInsecure && s.TLSFingerprint != "":
		doubts = append(doubts, Fault{Key: key + ".tls_insecure", Message: "does nothing beside tls_fingerprint: only that certificate is accepted"})
	}
	return doubts
}
