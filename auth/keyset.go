package auth

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/go-jose/go-jose/v4"
)

const (
	keysTTL      = 5 * time.Minute
	keysMaxAge   = 24 * time.Hour   // of keys that go on since there are no younger ones
	keysRetry    = 30 * time.Second // between two fetches, for a key that is not known
	keysFirst    = 3 * time.Second  // while there are no keys at all
	maxKeySet    = 256 << 10        // bytes
	maxCandidate = 32               // keys that are tried for one token
)

// keySet is a JSON Web Key Set on another server. It is fetched when a token needs it, by one request at a time. When
// it can't be had, the keys of the last time go on for keysMaxAge: one that was withdrawn is good no longer than that.
//
// Specification: RFC 7517.
type keySet struct {
	url    string
	client *http.Client
	log    *slog.Logger

	fetching chan struct{} // capacity 1; who fetches puts one in and takes it out

	mu      sync.Mutex
	keys    []jose.JSONWebKey // guarded by mu; replaced, never changed
	fetched time.Time         // guarded by mu; of keys
	tried   time.Time         // guarded by mu
	err     error             // guarded by mu; of the last try
}

func newKeySet(o Options) *keySet {
	return &keySet{url: o.JWT.JWKSURL, client: following(o.Client, sameHost), log: o.Log, fetching: make(chan struct{}, 1)}
}

func (*keySet) algorithms() []jose.SignatureAlgorithm {
	return []jose.SignatureAlgorithm{
		jose.RS256, jose.RS384, jose.RS512, jose.PS256, jose.PS384, jose.PS512, jose.ES256, jose.ES384, jose.ES512, jose.EdDSA,
	}
}

// find returns the keys that a token may be signed with. Who has old ones waits for no other's fetch.
func (s *keySet) find(ctx context.Context, kid string, a jose.SignatureAlgorithm) ([]any, error) {
	found, fresh, _ := s.look(kid, a)
	switch {
	case len(found) > 0 && fresh:
		return found, nil
	case len(found) > 0:
		select {
		case s.fetching <- struct{}{}:
		default:
			return found, nil
		}
	default:
		select {
		case s.fetching <- struct{}{}:
		case <-ctx.Done():
			return nil, &UnavailableError{Err: ctx.Err()}
		}
	}
	s.refresh(ctx)
	<-s.fetching
	found, _, err := s.look(kid, a)
	if len(found) == 0 && err != nil {
		return nil, &UnavailableError{Err: err}
	}
	return found, nil
}

// look returns what is known, whether it is young enough, and the error of the last fetch.
func (s *keySet) look(kid string, a jose.SignatureAlgorithm) (found []any, fresh bool, err error) {
	s.mu.Lock()
	keys, fetched, err := s.keys, s.fetched, s.err
	s.mu.Unlock()
	age := time.Since(fetched)
	if age >= keysMaxAge {
		return nil, false, err
	}
	for _, k := range keys {
		if (k.KeyID == kid || kid == "" || k.KeyID == "") && fits(k, a) && len(found) < maxCandidate {
			found = append(found, k.Key)
		}
	}
	return found, age < keysTTL, err
}

// refresh fetches, unless that was done a moment ago. One goroutine at a time calls it, the holder of fetching.
func (s *keySet) refresh(ctx context.Context) {
	s.mu.Lock()
	wait := keysRetry
	if s.fetched.IsZero() {
		wait = keysFirst
	}
	due := s.tried.IsZero() || time.Since(s.tried) >= wait
	if due {
		s.tried = time.Now()
	}
	s.mu.Unlock()
	if !due {
		return
	}
	keys, err := s.fetch(ctx)
	if s.keep(keys, err) {
		s.log.Warn("the keys of auth.jwt.jwks_url can't be had: the old ones go on", "err", err)
	}
}

// keep tells whether an error will be found out by nobody, as there are keys.
func (s *keySet) keep(keys []jose.JSONWebKey, err error) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.err = err
	if err == nil {
		s.keys, s.fetched = keys, time.Now()
	}
	return err != nil && len(s.keys) > 0 && time.Since(s.fetched) < keysMaxAge
}

func (s *keySet) fetch(ctx context.Context) ([]jose.JSONWebKey, error) {
	ctx, cancel := lasting(ctx)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, s.url, http.NoBody)
	if err != nil {
		return nil, withoutURL(err)
	}
	status, body, err := do(ctx, s.client, r, maxKeySet)
	switch {
	case err != nil:
		return nil, fmt.Errorf("fetch the keys: %w", err)
	case status != http.StatusOK:
		return nil, fmt.Errorf("fetch the keys: the answer is %d", status)
	}
	return parseKeys(body)
}

// parseKeys leaves out the keys that are of no use here, as one of a kind that is not known yet (RFC 7517, section 5).
func parseKeys(body []byte) ([]jose.JSONWebKey, error) {
	var set struct {
		Keys []json.RawMessage `json:"keys"`
	}
	if err := json.Unmarshal(body, &set); err != nil || set.Keys == nil {
		return nil, errors.New("fetch the keys: the answer is no JSON Web Key Set")
	}
	keys := []jose.JSONWebKey{}
	for _, text := range set.Keys {
		var k jose.JSONWebKey
		if k.UnmarshalJSON(text) != nil {
			continue
		}
		if k = k.Public(); k.Valid() && (k.Use == "" || k.Use == "sig") {
			keys = append(keys, k)
		}
	}
	return keys, nil
}
