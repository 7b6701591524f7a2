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
	faults = append(faults, c.Auth.check()...)
	faults = append(faults, c.HTTP.checkTLS()...)
	faults = append(faults, c.checkTurn()...)
	faults.add("webrtc.public_address", c.WebRTC.checkPublicAddress())
	faults = append(faults, c.checkListeners()...)
	faults = append(faults, c.checkLists()...)
	faults = append(faults, c.checkTranscode()...)
	for i, server := range c.WebRTC.ICEServers {
		faults = append(faults, server.check(fmt.Sprintf("webrtc.ice_servers[%d]", i))...)
	}
	for _, name := range slices.Sorted(maps.Keys(c.Streams)) {
		faults = append(faults, c.Streams[name].check(name)...)
	}
	return faults
}

// checkTags holds values to the oneof, min and max of their struct tags.
func checkTags(all []leaf) Faults {
	var faults Faults
	for _, l := range all {
		faults.add(l.key, l.check())
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
	if IsPattern(name) {
		faults.add(key, checkPattern(name))
	} else {
		faults.add(key, checkName(name))
	}
	faults.add(key+".source", checkSource(s.Source))
	faults.add(key+".token", checkToken(s.Token))
	faults.add(key+".process", checkProcess(s.Process))
	faults.add(key+".sink", checkSink(s.Sink))
	faults = append(faults, s.checkRenditions(key)...)
	for i, p := range s.Push {
		faults.add(fmt.Sprintf("%s.push[%d].url", key, i), checkPush(p.URL))
		faults.add(fmt.Sprintf("%s.push[%d].token", key, i), checkToken(p.Token))
	}
	if s.TLSFingerprint != "" && !sha256Hex.MatchString(s.TLSFingerprint) {
		faults.add(key+".tls_fingerprint", "must be the SHA-256 of a certificate: 64 hex digits, with or without colons")
	}
	return append(faults, checkTags(leaves(key, reflect.ValueOf(s)))...)
}

var sha256Hex = regexp.MustCompile(`^[0-9a-f]{64}$`)

// normalise gives values that can be written in several ways the one way that the rest of the gateway reads.
func (c *Config) normalise() {
	for _, server := range c.WebRTC.ICEServers {
		for i, u := range server.URLs {
			server.URLs[i] = lowerScheme(u)
		}
	}
	for i, u := range c.Turn.URLs {
		c.Turn.URLs[i] = lowerScheme(u)
	}
	for _, u := range c.Auth.Users {
		for i, t := range u.Tokens {
			u.Tokens[i] = Secret(strings.ToLower(string(t)))
		}
	}
	for name, s := range c.Streams {
		s.normalise()
		c.Streams[name] = s
	}
}
