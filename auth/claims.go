package auth

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4/json"
	"github.com/go-jose/go-jose/v4/jwt"
)

// claims are what a token says. The decoder of go-jose tells upper case from lower, and refuses a key that comes twice.
type claims struct {
	Subject   string       `json:"sub"`
	Issuer    string       `json:"iss"`
	Audience  jwt.Audience `json:"aud"`
	Expires   *date        `json:"exp"`
	NotBefore *date        `json:"nbf"`
	Sluice    []struct {
		Actions []Action `json:"actions"`
		Streams []string `json:"streams"`
	} `json:"sluice"`
	MediaMTX []permission `json:"mediamtx_permissions"`
}

// permission is one as MediaMTX has them; there, an empty path is every path, and one with a tilde a regular
// expression, which is not taken over.
type permission struct {
	Action string `json:"action"`
	Path   string `json:"path"`
}

// date is a NumericDate: seconds since 1970, with a fraction maybe.
//
// Specification: RFC 7519, section 2.
type date struct{ time.Time }

// maxDate keeps times far within what time.Time can add to.
const maxDate = 1 << 40 // seconds

// UnmarshalJSON reads a number.
func (d *date) UnmarshalJSON(b []byte) error {
	seconds, err := strconv.ParseFloat(string(b), 64)
	if err != nil {
		return err
	}
	d.Time = time.Unix(int64(max(-maxDate, min(maxDate, seconds))), 0)
	return nil
}

// maxDepth is how deeply a token may nest its claims.
const maxDepth = 32

// shallow tells whether JSON nests no deeper than maxDepth.
func shallow(data []byte) bool {
	depth, text, escaped := 0, false, false
	for _, c := range data {
		switch {
		case escaped:
			escaped = false
		case text:
			escaped, text = c == '\\', c != '"'
		case c == '"':
			text = true
		case c == '{' || c == '[':
			if depth++; depth > maxDepth {
				return false
			}
		case c == '}' || c == ']':
			depth--
		}
	}
	return true
}

// principal is whom a payload names, whose signature was right.
func (t *tokens) principal(payload []byte) (*Principal, error) {
	var c claims
	if !shallow(payload) || json.Unmarshal(payload, &c) != nil {
		return nil, ErrInvalid
	}
	switch {
	case c.Expires == nil,
		c.NotBefore != nil && time.Now().Add(leeway).Before(c.NotBefore.Time),
		t.o.Issuer != "" && c.Issuer != t.o.Issuer,
		t.o.Audience != "" && !c.Audience.Contains(t.o.Audience):
		return nil, ErrInvalid
	}
	return &Principal{Name: c.name(payload), Grants: c.grants(), Expires: c.Expires.Time, Kind: ModeJWT, proof: t.proof}, nil
}

// name is that of the subject; of tokens without one, each is somebody else.
func (c *claims) name(payload []byte) string {
	if c.Subject != "" && len(c.Subject) <= maxUser {
		return "jwt:" + c.Subject
	}
	sum := sha256.Sum256(payload)
	return "jwt:#" + hex.EncodeToString(sum[:8])
}

// grants leaves out what it can't express: it never allows more than the token says.
func (c *claims) grants() []Grant {
	var all []Grant
	for _, g := range c.Sluice {
		tooLong := func(glob string) bool { return len(glob) > maxGlob }
		unknown := func(a Action) bool { return !slices.Contains(Actions(), a) }
		actions := slices.DeleteFunc(g.Actions, unknown)
		if short := slices.DeleteFunc(slices.Clone(g.Streams), tooLong); len(short) > 0 || len(g.Streams) == 0 {
			all = append(all, Grant{Actions: actions, Streams: short})
		}
	}
	for _, p := range c.MediaMTX {
		if g, ok := p.grant(); ok {
			all = append(all, g)
		}
	}
	return all
}

func (p permission) grant() (Grant, bool) {
	actions := map[string]Action{"publish": Publish, "read": Play, "api": Admin, "metrics": Metrics}
	a, ok := actions[p.Action]
	switch {
	case !ok || strings.ContainsAny(p.Path, "~*") || len(p.Path) > maxGlob:
		return Grant{}, false
	case p.Path == "" || a == Admin || a == Metrics:
		return Grant{Actions: []Action{a}, Streams: []string{"*"}}, true
	default:
		return Grant{Actions: []Action{a}, Streams: []string{p.Path}}, true
	}
}
