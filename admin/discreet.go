package admin

import "strings"

// Where errors name addresses, viewers are told no more than this.
const (
	discreetSource    = "its source can't be reached"
	discreetTranscode = "it can't be made now"
)

// Discreet is the stream as those may know it who watch it and don't run the gateway: without where it comes from, where
// it goes, and what processes there are.
func (s Stream) Discreet() Stream {
	s.Source = kindOf(s.Source)
	s.Pushes = nil
	if s.Error != "" {
		s.Error = discreetSource
	}
	all := make([]Transcode, 0, len(s.Transcodes))
	for _, t := range s.Transcodes {
		if t.PID = 0; t.Error != "" {
			t.Error = discreetTranscode
		}
		all = append(all, t)
	}
	if s.Transcodes = all; len(all) == 0 {
		s.Transcodes = nil
	}
	return s
}

// kindOf leaves of a source what kind it is: "rtsp:", "device:camera", "publish".
func kindOf(source string) string {
	scheme, rest, ok := strings.Cut(source, ":")
	switch {
	case !ok:
		return source
	case scheme == "device":
		what, _, _ := strings.Cut(rest, "?")
		return "device:" + what
	}
	return scheme + ":"
}

// Discreet is the session as its peer may know it, without what advises the operator.
func (s Session) Discreet() Session {
	s.Verdict = nil
	return s
}
