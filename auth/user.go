package auth

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"strings"
)

// User is one of ModeInternal. The user "anonymous" is whoever shows nothing; what it may, everybody may.
type User struct {
	Name     string   // without a colon
	Password string   // $argon2id$…, of HashPassword; "": none
	Tokens   []string // sha256:…, of HashToken
	Allow    []Grant
}

const anonymousName = "anonymous"

func newInternal(o Options) (*internal, error) {
	in := &internal{users: map[string]*user{}, failures: newBackoff(o.Log)}
	for i, u := range o.Users {
		if err := in.add(u); err != nil {
			return nil, fmt.Errorf("user %d (%q): %w", i+1, u.Name, err)
		}
	}
	in.shareAnonymous()
	in.passwords = newPasswords(in.costliest())
	return in, nil
}

func (in *internal) add(u User) error {
	for _, g := range u.Allow {
		if err := g.check(); err != nil {
			return err
		}
	}
	switch {
	case u.Name == "" || len(u.Name) > maxUser || strings.ContainsFunc(u.Name, func(c rune) bool { return c == ':' || c < ' ' || c == 0x7F }):
		return fmt.Errorf("the name must have 1 to %d characters, and no colon", maxUser)
	case in.users[u.Name] != nil || u.Name == anonymousName && in.anonymous != nil:
		return errors.New("there are two users of this name")
	case u.Name == anonymousName && (u.Password != "" || len(u.Tokens) > 0):
		return errors.New("it stands for those who show nothing, and has neither a password nor tokens")
	}
	p := Principal{Name: u.Name, Grants: u.Allow, Kind: ModeInternal}
	if u.Name == anonymousName {
		p.Anonymous = true
		in.anonymous = &p
		return nil
	}
	return in.addLogin(u, p)
}

// addLogin makes a principal of its own for each thing that proves the name.
func (in *internal) addLogin(u User, p Principal) error {
	known := &user{principal: &p}
	if u.Password != "" {
		hash, err := parseArgon(u.Password)
		if err != nil {
			return fmt.Errorf("password: %w", err)
		}
		known.password = hash
		p.proof = sha256.Sum256([]byte(u.Password))
		known.proofs = append(known.proofs, p.proof)
	}
	for i, text := range u.Tokens {
		sum, err := parseToken(text)
		if err != nil {
			return fmt.Errorf("token %d: %w", i+1, err)
		}
		by := p
		by.proof = sha256.Sum256(sum[:])
		known.proofs = append(known.proofs, by.proof)
		in.tokens = append(in.tokens, token{sum: sum, principal: &by})
	}
	in.users[u.Name] = known
	return nil
}

// shareAnonymous gives every login what needs none.
func (in *internal) shareAnonymous() {
	if in.anonymous == nil {
		return
	}
	share := func(p *Principal) { p.Grants = append(p.Grants[:len(p.Grants):len(p.Grants)], in.anonymous.Grants...) }
	for _, u := range in.users {
		share(u.principal)
	}
	for _, t := range in.tokens {
		share(t.principal)
	}
}

// costliest is the hash whose cost stands for that of users who don't exist.
func (in *internal) costliest() *argon {
	var most *argon
	for _, u := range in.users {
		if u.password != nil && (most == nil || u.password.cost() > most.cost()) {
			most = u.password
		}
	}
	return most
}
