package auth

import (
	"crypto/sha256"
	"fmt"
	"slices"
	"time"
)

// Action is what somebody wants to do.
type Action string

// The actions, as users and tokens name them.
const (
	Publish Action = "publish"
	Play    Action = "play"
	Talk    Action = "talk"
	Chat    Action = "chat"
	File    Action = "file"
	PTZ     Action = "ptz"
	Admin   Action = "admin"
	Metrics Action = "metrics"
)

// Actions are all there are.
func Actions() []Action { return []Action{Publish, Play, Talk, Chat, File, PTZ, Admin, Metrics} }

// Grant allows each of its actions on each of its streams. What has no stream (Admin, Metrics) is allowed by a grant
// without streams, or with one that matches every stream.
type Grant struct {
	Actions []Action
	Streams []string // globs: * is any run of characters; at most 256 bytes each
}

const maxGlob = 256 // bytes

// check returns what is wrong with a grant.
func (g Grant) check() error {
	for _, a := range g.Actions {
		if !slices.Contains(Actions(), a) {
			return fmt.Errorf("there is no action %q", a)
		}
	}
	for _, glob := range g.Streams {
		if len(glob) > maxGlob {
			return fmt.Errorf("a pattern of streams is longer than %d characters", maxGlob)
		}
	}
	return nil
}

func (g Grant) allows(a Action, stream string) bool {
	if !slices.Contains(g.Actions, a) {
		return false
	}
	if stream == "" && len(g.Streams) == 0 {
		return a == Admin || a == Metrics
	}
	return slices.ContainsFunc(g.Streams, func(glob string) bool { return match(glob, stream) })
}

// match tells whether a glob fits a whole name, in time of their lengths' product at most: a star that fails to fit
// takes one character more, and only the last star ever does (J163).
func match(glob, name string) bool {
	g, n, star, taken := 0, 0, -1, 0
	for n < len(name) {
		switch {
		case g < len(glob) && glob[g] == '*':
			star, taken = g, n
			g++
		case g < len(glob) && glob[g] == name[n]:
			g++
			n++
		case star >= 0:
			taken++
			g, n = star+1, taken
		default:
			return false
		}
	}
	for g < len(glob) && glob[g] == '*' {
		g++
	}
	return g == len(glob)
}

// Principal is somebody who was let in. It is immutable.
type Principal struct {
	Name      string    // unique over all modes: "alice", "jwt:<sub>", "http:<user>", "anonymous", "local"
	Anonymous bool      // nothing was shown
	Grants    []Grant   // in mode http: what was asked for
	Expires   time.Time // zero: never
	Kind      Mode

	proof [32]byte // a hash: in mode internal of the entry that proved the name, in jwt and http of the configuration
}

// prove is the proof of a principal that the settings of a mode stand behind.
func prove(settings ...string) [32]byte { return sha256.Sum256(frame(nil, settings)) }

// May tells whether one of the grants allows it. It doesn't look at Expires.
func (p *Principal) May(a Action, stream string) bool {
	return slices.ContainsFunc(p.Grants, func(g Grant) bool { return g.allows(a, stream) })
}

// allowed is p, or why not. No action is always allowed.
func (p *Principal) allowed(r Request) (*Principal, error) {
	if r.Action != "" && !p.May(r.Action, r.Stream) {
		return nil, &ForbiddenError{Principal: p.Name, Action: r.Action, Stream: r.Stream}
	}
	return p, nil
}
