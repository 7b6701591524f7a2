package auth

import "time"

// Action is something that one may be allowed to do.
type Action string

// The actions, as configuration and tokens name them.
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

// Mode is how it is found out who may do what.
type Mode string

// The modes.
const (
	ModeNone     Mode = "none"     // everything is allowed, to this machine only
	ModeInternal Mode = "internal" // users of the configuration
	ModeJWT      Mode = "jwt"      // tokens that somebody else has signed
	ModeHTTP     Mode = "http"     // another server is asked
)

// Grant allows some actions on some streams.
type Grant struct {
	Actions []Action
	Streams []string // globs: * stands for any run of characters. Of no meaning for Admin and Metrics
}

// Principal is who has been let in, and what he may do. It is immutable.
type Principal struct {
	// Name is unique over all modes: "alice", "jwt:<sub>", "http:<user>", "anonymous", or "local" in mode none.
	Name      string
	Anonymous bool // many bear the name: nobody has said who he is
	Kind      Mode
	Grants    []Grant
	Expires   time.Time // zero: never
}
