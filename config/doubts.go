package config

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// doubts are what works and is probably not meant.
func (c Config) doubts() Faults {
	var doubts Faults
	if c.Limits.RingMaxAge == 0 && c.Limits.RingMaxMiB == 0 {
		doubts.add("limits.ring_max_mib", "with ring_max_age 0 too, a camera that sends no keyframes can fill the memory: leave one of them above 0")
	}
	doubts = append(doubts, c.httpDoubts()...)
	doubts = append(doubts, c.Auth.doubts()...)
	doubts = append(doubts, c.turnDoubts()...)
	for _, name := range slices.Sorted(maps.Keys(c.Streams)) {
		key, s := joinKey("streams", name), c.Streams[name]
		doubts = append(doubts, s.tlsDoubts(key)...)
		doubts = append(doubts, s.sourceDoubts(key)...)
		doubts = append(doubts, s.transcodeDoubts(key)...)
		if IsPattern(name) {
			doubts = append(doubts, s.pushDoubts(key)...)
		}
	}
	return doubts
}

func (s Stream) tlsDoubts(key string) Faults {
	var doubts Faults
	encrypted := s.Scheme() == "rtsps"
	if s.TLSFingerprint != "" && !encrypted {
		doubts.add(key+".tls_fingerprint", "does nothing: the source is not rtsps://")
	}
	switch {
	case s.TLSInsecure && !encrypted:
		doubts.add(key+".tls_insecure", "does nothing: the source is not rtsps://")
	case s.TLSInsecure && s.TLSFingerprint != "":
		doubts.add(key+".tls_insecure", "does nothing beside tls_fingerprint: only that certificate is accepted")
	}
	return doubts
}

// sourceDoubts are keys that the kind of source has no use for.
func (s Stream) sourceDoubts(key string) Faults {
	var doubts Faults
	if s.OnConflict == ConflictReject && s.Source != PublishSource {
		doubts.add(key+".on_conflict", `does nothing: the source is not "publish"`)
	}
	if s.OnDemand && s.Source == PublishSource {
		doubts.add(key+".on_demand", "does nothing: a publisher comes when it likes")
	}
	if s.Token != "" && !oneOf(s.Scheme(), "whep wheps") {
		doubts.add(key+".token", "does nothing: the source is neither whep:// nor wheps://")
	}
	return doubts
}

// transcodeDoubts are what transcode = "never" makes impossible.
func (s Stream) transcodeDoubts(key string) Faults {
	var doubts Faults
	if s.Transcode != TranscodeNever {
		return nil
	}
	if s.Process != "" {
		doubts.add(key+".process", `keeps the picture from every viewer beside transcode = "never": it would have to go through it first`)
	}
	if len(s.Renditions) > 0 {
		doubts.add(key+".renditions", `do nothing beside transcode = "never": none is made`)
	}
	return doubts
}

// pushDoubts are for a pattern, which can stand for many streams.
func (s Stream) pushDoubts(key string) Faults {
	var doubts Faults
	if s.Sink != "" {
		doubts.add(key+".sink", "is the same for every stream of the pattern: two streams at a time would write to one place")
	}
	for i, p := range s.Push {
		if !strings.Contains(p.URL, streamReference) {
			doubts.add(fmt.Sprintf("%s.push[%d].url", key, i), "is the same for every stream of the pattern: put ${stream}, the stream's name, into its path")
		}
	}
	return doubts
}
