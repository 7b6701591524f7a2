package auth

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"time"

	"github.com/go-jose/go-jose/v4"
)

// JWT says which tokens are believed: those signed with a key of JWKSURL, or with Secret. One of these two is set.
type JWT struct {
	JWKSURL       string // of a JSON Web Key Set (RFC 7517)
	Secret        string // of HMAC, 32 bytes or more
	Issuer        string // "": any
	Audience      string // "": any
	EnforceExpiry bool   // whoever was let in has no rights any more when the token expires
}

const (
	minSecret = 32 // bytes, as many as the hash of HS256 has (RFC 7518, section 3.2)
	leeway    = 30 * time.Second
	tokenTTL  = time.Minute // of a signature that was verified
)

// tokens verifies JSON Web Tokens.
//
// Specification: RFC 7519, with RFC 8725.
type tokens struct {
	o        JWT
	keys     keys
	proof    [sha256.Size]byte // of o, but for EnforceExpiry
	known    *memory[*Principal]
	failures *backoff
}

// keys finds what a signature may be verified with. The errors are *UnavailableError.
type keys interface {
	algorithms() []jose.SignatureAlgorithm
	find(ctx context.Context, kid string, a jose.SignatureAlgorithm) ([]any, error)
}

func newJWT(o Options) (*tokens, error) {
	t := &tokens{
		o: o.JWT, proof: prove(o.JWT.JWKSURL, o.JWT.Secret, o.JWT.Issuer, o.JWT.Audience), known: newMemory[*Principal](tokenTTL), failures: newBackoff(o.Log),
	}
	switch {
	case (o.JWT.Secret == "") == (o.JWT.JWKSURL == ""):
		return nil, errors.New("auth.jwt needs a jwks_url or a secret, and not both")
	case o.JWT.Secret != "":
		if len(o.JWT.Secret) < minSecret {
			return nil, fmt.Errorf("auth.jwt.secret must have %d bytes or more", minSecret)
		}
		t.keys = secret(o.JWT.Secret)
	default:
		if err := checkURL(o.JWT.JWKSURL); err != nil {
			return nil, fmt.Errorf("auth.jwt.jwks_url %w", err)
		}
		t.keys = newKeySet(o)
	}
	return t, nil
}

func (t *tokens) Authorize(ctx context.Context, r Request) (*Principal, error) {
	p, err := t.Identify(ctx, r)
	if err != nil {
		return nil, err
	}
	return p.allowed(r)
}

func (t *tokens) Identify(ctx context.Context, r Request) (*Principal, error) {
	if err := t.failures.admit(r); err != nil {
		return nil, err
	}
	p, err := t.who(ctx, r.Credentials)
	t.failures.note(r, err)
	return p, err
}

func (t *tokens) Renew(ctx context.Context, p *Principal, r Request) (*Principal, error) {
	if !t.issued(p) || !r.Credentials.valid() {
		return nil, ErrInvalid
	}
	now, err := t.who(ctx, r.Credentials)
	if err != nil {
		return nil, err
	}
	return now.allowed(r)
}

func (t *tokens) Filter(ctx context.Context, p *Principal, r Request, streams []string) ([]string, error) {
	if p == nil && r.Credentials.None() {
		return nil, nil
	}
	return filter(ctx, t, p, r, streams)
}

func (t *tokens) Holds(p *Principal, a Action, stream string) bool {
	return t.issued(p) && !(t.o.EnforceExpiry && over(p)) && p.May(a, stream)
}

// issued tells whether the tokens of p's kind are believed still.
func (t *tokens) issued(p *Principal) bool { return p.Kind == ModeJWT && p.proof == t.proof }

func over(p *Principal) bool { return time.Now().After(p.Expires.Add(leeway)) }

// who is the owner of a token that is valid now. Where there is room for a password only, that is the token.
func (t *tokens) who(ctx context.Context, c Credentials) (*Principal, error) {
	text := c.Token
	if text == "" {
		text = c.Password
	}
	d := t.known.digest(text)
	p, ok := t.known.recall(d)
	if !ok {
		var err error
		if p, err = t.verify(ctx, text); err != nil {
			return nil, err
		}
		t.known.remember(d, p)
	}
	if over(p) {
		return nil, &expiredError{}
	}
	return p, nil
}

func (t *tokens) verify(ctx context.Context, text string) (*Principal, error) {
	s, err := jose.ParseSignedCompact(text, t.keys.algorithms())
	if err != nil {
		return nil, ErrInvalid
	}
	header := s.Signatures[0].Protected
	candidates, err := t.keys.find(ctx, header.KeyID, jose.SignatureAlgorithm(header.Algorithm))
	if err != nil {
		return nil, err
	}
	for _, k := range candidates {
		if payload, err := s.Verify(k); err == nil {
			return t.principal(payload)
		}
	}
	return nil, ErrInvalid
}

// secret is the one key of HMAC. No key set ever has such a key, so no public one can be taken for it.
type secret string

func (secret) algorithms() []jose.SignatureAlgorithm {
	return []jose.SignatureAlgorithm{jose.HS256, jose.HS384, jose.HS512}
}

func (s secret) find(context.Context, string, jose.SignatureAlgorithm) ([]any, error) {
	return []any{[]byte(s)}, nil
}
