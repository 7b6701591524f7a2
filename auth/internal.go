package auth

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"slices"
)

// internal knows the users of the configuration file.
type internal struct {
	users     map[string]*user
	tokens    []token    // of all users
	anonymous *Principal // nil: nothing is allowed without a login
	passwords *passwords
	failures  *backoff
}

// user is one who can log in.
type user struct {
	password  *argon // nil: none
	principal *Principal
	proofs    [][32]byte // of all that proves the name: the password and the tokens
}

// token is one way to be a user.
type token struct {
	sum       [sha256.Size]byte
	principal *Principal
}

func (in *internal) Authorize(ctx context.Context, r Request) (*Principal, error) {
	if r.Credentials.None() {
		return in.nobody(r)
	}
	p, err := in.Identify(ctx, r)
	if err != nil {
		return nil, err
	}
	return p.allowed(r)
}

// nobody is who shows nothing.
func (in *internal) nobody(r Request) (*Principal, error) {
	if in.anonymous == nil || !in.anonymous.May(r.Action, r.Stream) {
		return nil, ErrNoCredentials
	}
	return in.anonymous, nil
}

func (in *internal) Identify(ctx context.Context, r Request) (*Principal, error) {
	if err := in.failures.admit(r); err != nil {
		return nil, err
	}
	p, err := in.who(ctx, r)
	in.failures.note(r, err)
	return p, err
}

func (in *internal) who(ctx context.Context, r Request) (*Principal, error) {
	if r.Credentials.Token != "" {
		if p := in.byToken(r.Credentials.Token); p != nil {
			return p, nil
		}
	}
	name, password, ok := r.Credentials.login()
	if !ok {
		return nil, ErrInvalid
	}
	u := in.users[name]
	right, err := in.passwords.verify(ctx, login{name, password}, u.hash(), func() error { return in.failures.check(r) })
	switch {
	case err != nil:
		return nil, err
	case !right:
		return nil, ErrInvalid
	}
	return u.principal, nil
}

// hash is nil for a user that is not known, or has no password.
func (u *user) hash() *argon {
	if u == nil {
		return nil
	}
	return u.password
}

// byToken compares with every token, in the same time wherever it is found.
func (in *internal) byToken(text string) *Principal {
	sum := sha256.Sum256([]byte(text))
	var found *Principal
	for i := range in.tokens {
		if subtle.ConstantTimeCompare(in.tokens[i].sum[:], sum[:]) == 1 {
			found = in.tokens[i].principal
		}
	}
	return found
}

func (in *internal) Renew(_ context.Context, p *Principal, r Request) (*Principal, error) {
	now := in.find(p)
	if now == nil {
		return nil, ErrInvalid
	}
	return now.allowed(r)
}

func (in *internal) Filter(ctx context.Context, p *Principal, r Request, streams []string) ([]string, error) {
	if p == nil && r.Credentials.None() {
		return in.anonymous.among(r.Action, streams), nil
	}
	return filter(ctx, in, p, r, streams)
}

func (in *internal) Holds(p *Principal, a Action, stream string) bool {
	now := in.find(p)
	return now != nil && now.May(a, stream)
}

// find is who p is now, nil if nobody: also when what proved the name has been taken away.
func (in *internal) find(p *Principal) *Principal {
	switch u := in.users[p.Name]; {
	case p.Kind != ModeInternal:
		return nil
	case p.Anonymous:
		return in.anonymous
	case u == nil || !slices.Contains(u.proofs, p.proof):
		return nil
	default:
		now := *u.principal
		now.proof = p.proof
		return &now
	}
}
