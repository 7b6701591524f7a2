package auth

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"strings"
	"time"
)

// HTTP says who is asked.
type HTTP struct {
	URL string // gets a POST for each question
}

const (
	answerTTL = 10 * time.Second // of a yes; a no is never remembered
	rightTTL  = 5 * time.Minute  // of credentials that were allowed something
	maxAnswer = 64 << 10         // bytes, all of them ignored
)

// callback asks another server, in the words that MediaMTX has for it (I1, I5).
type callback struct {
	url      string
	proof    [sha256.Size]byte // of url
	client   *http.Client
	known    *memory[*Principal]
	right    *memory[*Principal] // by credentials alone, and without grants
	failures *backoff
	rate     *rate
}

func newCallback(o Options) (*callback, error) {
	if err := checkURL(o.HTTP.URL); err != nil {
		return nil, fmt.Errorf("auth.http.url %w", err)
	}
	return &callback{
		url: o.HTTP.URL, proof: prove(o.HTTP.URL), client: following(o.Client, noRedirect),
		known: newMemory[*Principal](answerTTL), right: newMemory[*Principal](rightTTL), failures: newBackoff(o.Log), rate: newRate(),
	}, nil
}

func (c *callback) Authorize(ctx context.Context, r Request) (*Principal, error) {
	if r.Credentials.None() { // it may be the query or the address that counts
		return c.ask(ctx, r)
	}
	if err := c.failures.admit(r); err != nil {
		return nil, err
	}
	p, err := c.ask(ctx, r)
	c.failures.note(r, err)
	return p, err
}

func (c *callback) Identify(ctx context.Context, r Request) (*Principal, error) {
	if r.Credentials.None() {
		return nil, ErrNoCredentials
	}
	if err := c.failures.admit(r); err != nil {
		return nil, err
	}
	p, err := c.whose(ctx, r)
	if r.Login {
		c.failures.note(r, err)
	}
	return p, err
}

// whose goes by what was allowed lately, and else asks.
func (c *callback) whose(ctx context.Context, r Request) (*Principal, error) {
	if p, ok := c.right.recall(c.credentials(r)); ok {
		return p, nil
	}
	r.Action, r.Stream = Play, ""
	p, err := c.ask(ctx, r)
	if errors.As(err, new(*ForbiddenError)) { // the word that the login is right
		return &Principal{Name: callbackName(r.Credentials), Kind: ModeHTTP, proof: c.proof}, nil
	}
	return p, err
}

func (c *callback) Renew(ctx context.Context, p *Principal, r Request) (*Principal, error) {
	if err := c.renewable(p, r); err != nil {
		return nil, err
	}
	if r.Action != "" {
		return c.ask(ctx, r)
	}
	return c.whose(ctx, r)
}

// renewable returns ErrInvalid for one who is known no more.
func (c *callback) renewable(p *Principal, r Request) error {
	if !c.answered(p) || r.Credentials.None() || !r.Credentials.valid() {
		return ErrInvalid
	}
	return nil
}

// answered tells whether p comes of an answer of the server that is asked still.
func (c *callback) answered(p *Principal) bool { return p.Kind == ModeHTTP && p.proof == c.proof }

// Holds goes by the answer of then.
func (c *callback) Holds(p *Principal, a Action, stream string) bool {
	return c.answered(p) && p.May(a, stream)
}

func (c *callback) ask(ctx context.Context, r Request) (*Principal, error) {
	if p, ok := c.known.recall(c.digest(r)); ok {
		return p, nil
	}
	if err := c.rate.take(r.Remote); err != nil {
		return nil, err
	}
	ctx, cancel := lasting(ctx)
	defer cancel()
	return c.answer(ctx, r)
}

// digest is of all that an answer may depend on.
func (c *callback) digest(r Request) digest {
	l := r.Credentials
	return c.known.digest(l.Token, l.User, l.Password, string(r.Action), r.Stream, r.Remote.String(), r.Protocol, r.Query)
}

// credentials is a digest of what is shown alone.
func (c *callback) credentials(r Request) digest {
	return c.right.digest(r.Credentials.Token, r.Credentials.User, r.Credentials.Password)
}

// answer asks, and remembers a yes. Credentials that were right a moment ago are not wrong now: a 401 is a denial then.
func (c *callback) answer(ctx context.Context, r Request) (*Principal, error) {
	status, err := c.post(ctx, r)
	if err != nil {
		return nil, &UnavailableError{Err: fmt.Errorf("ask auth.http.url: %w", err)}
	}
	p, err := c.verdict(status, r)
	switch _, right := c.right.recall(c.credentials(r)); {
	case err == nil:
		c.known.remember(c.digest(r), p)
		c.right.remember(c.credentials(r), &Principal{Name: p.Name, Kind: ModeHTTP, proof: c.proof})
	case right && errors.Is(err, ErrInvalid):
		return nil, &DeniedError{}
	}
	return p, err
}

// verdict turns a status into an answer. All that is no clear word is a no.
func (c *callback) verdict(status int, r Request) (*Principal, error) {
	name := callbackName(r.Credentials)
	switch {
	case status >= 200 && status < 300:
		return &Principal{Name: name, Anonymous: r.Credentials.None(), Grants: asked(r), Kind: ModeHTTP, proof: c.proof}, nil
	case status == http.StatusUnauthorized && r.Credentials.None():
		return nil, ErrNoCredentials
	case status == http.StatusUnauthorized:
		return nil, ErrInvalid
	case status == http.StatusForbidden:
		return nil, &ForbiddenError{Principal: name, Action: r.Action, Stream: r.Stream}
	default:
		return nil, &UnavailableError{Err: fmt.Errorf("auth.http.url answers %d", status)}
	}
}

// asked is a grant of what was asked for, and of no more: a star in a name would be any name.
func asked(r Request) []Grant {
	if strings.Contains(r.Stream, "*") {
		return nil
	}
	return []Grant{{Actions: []Action{r.Action}, Streams: []string{r.Stream}}}
}

// callbackName is unique for what was shown, and tells no secret.
func callbackName(c Credentials) string {
	if c.None() {
		return anonymousName
	}
	if user := c.user(); user != "" {
		return "http:" + user
	}
	sum := sha256.Sum256([]byte(c.Token + "\x00" + c.Password))
	return "http:#" + hex.EncodeToString(sum[:8])
}

// question is the body of a request, with the keys and words of MediaMTX.
type question struct {
	User      string `json:"user"`
	Password  string `json:"password"`
	Token     string `json:"token"`
	IP        string `json:"ip"`
	Action    string `json:"action"`
	Path      string `json:"path"`
	Protocol  string `json:"protocol"`
	ID        string `json:"id"`
	Query     string `json:"query"`
	UserAgent string `json:"userAgent"`
}

func newQuestion(r Request) question {
	q := question{
		User: r.Credentials.User, Password: r.Credentials.Password, Token: r.Credentials.Token,
		IP: remoteText(r.Remote), Action: word(r.Action), Path: r.Stream, Protocol: r.Protocol,
		ID: r.ID, Query: strings.TrimPrefix(r.Query, "?"), UserAgent: r.UserAgent,
	}
	if user, password, ok := r.Credentials.login(); ok {
		q.User, q.Password, q.Token = user, password, ""
	}
	if r.Protocol == "whip" || r.Protocol == "whep" {
		q.Protocol = "webrtc"
	}
	return q
}

func remoteText(a netip.Addr) string {
	if !a.IsValid() {
		return ""
	}
	return a.Unmap().String()
}

// word is what MediaMTX calls an action, or our own.
func word(a Action) string {
	switch a {
	case Play:
		return "read"
	case Admin:
		return "api"
	default:
		return string(a)
	}
}

func (c *callback) post(ctx context.Context, r Request) (status int, err error) {
	body, err := json.Marshal(newQuestion(r))
	if err != nil {
		return 0, err
	}
	out, err := http.NewRequestWithContext(ctx, http.MethodPost, c.url, bytes.NewReader(body))
	if err != nil {
		return 0, withoutURL(err)
	}
	out.Header.Set("Content-Type", "application/json")
	status, _, err = do(ctx, c.client, out, maxAnswer)
	if status != 0 { // the status alone is the answer
		return status, nil
	}
	return 0, err
}
