//go:build linux

package load

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// RefusedError says that the server answered an offer with something else than 201.
type RefusedError struct {
	Status     int
	RetryAfter string // as the header says it
	Body       string
}

// Error implements error.
func (e *RefusedError) Error() string {
	return fmt.Sprintf("the offer is answered with %d: %s", e.Status, e.Body)
}

// checkEvery is how often an ICE check is repeated that has no answer yet.
const checkEvery = 50 * time.Millisecond

var errNoAnswer = errors.New("no ICE check is answered")

// Join asks a WHEP endpoint for its stream and returns once ICE and DTLS are through. Errors are *RefusedError and
// those of the network, of ICE and of DTLS.
func (l *Load) Join(ctx context.Context, endpoint string) (*Viewer, error) {
	v, err := l.open()
	if err != nil {
		return nil, err
	}
	if err := v.join(ctx, endpoint); err != nil {
		v.Vanish()
		return nil, err
	}
	l.add(v)
	return v, nil
}

// JoinPlain has datagrams sent to a viewer that only counts them: it posts its address to endpoint.
func (l *Load) JoinPlain(ctx context.Context, endpoint string) (*Viewer, error) {
	v, err := l.open()
	if err != nil {
		return nil, err
	}
	if err = v.reader.watch(v); err == nil {
		_, err = v.post(ctx, endpoint, v.local.String())
	}
	if err != nil {
		v.Vanish()
		return nil, err
	}
	l.add(v)
	return v, nil
}

func (v *Viewer) join(ctx context.Context, endpoint string) error {
	v.asked = time.Now()
	text, err := v.post(ctx, endpoint, v.offer())
	if err != nil {
		return err
	}
	v.answered = time.Now()
	if err := v.accept(text); err != nil {
		return fmt.Errorf("read the answer: %w", err)
	}
	if err := v.reader.watch(v); err != nil {
		return err
	}
	if err := v.connect(ctx); err != nil {
		return err
	}
	return v.handshake(ctx)
}

// connect sends checks until one is answered, and nominates.
func (v *Viewer) connect(ctx context.Context) error {
	again := time.NewTicker(checkEvery)
	defer again.Stop()
	for {
		if err := v.check(false); err != nil {
			return err
		}
		select {
		case <-v.answeredCheck:
			return v.check(true)
		case <-again.C:
		case <-ctx.Done():
			return errors.Join(errNoAnswer, ctx.Err())
		}
	}
}

// post sends the offer and keeps where the session is.
func (v *Viewer) post(ctx context.Context, endpoint, offer string) (string, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, endpoint, strings.NewReader(offer))
	if err != nil {
		return "", err
	}
	r.Header.Set("Content-Type", "application/sdp")
	w, err := v.load.client.Do(r)
	if err != nil {
		return "", err
	}
	defer w.Body.Close()
	body, err := io.ReadAll(w.Body)
	if err != nil {
		return "", fmt.Errorf("read the answer: %w", err)
	}
	if w.StatusCode != http.StatusCreated {
		return "", &RefusedError{Status: w.StatusCode, RetryAfter: w.Header.Get("Retry-After"), Body: string(body)}
	}
	base, err := url.Parse(endpoint)
	if err == nil {
		base, err = base.Parse(w.Header.Get("Location"))
	}
	if err != nil {
		return "", fmt.Errorf("read the session's URL: %w", err)
	}
	v.location = base.String()
	return string(body), nil
}

// Leave ends the session with DELETE, and closes the viewer.
func (v *Viewer) Leave(ctx context.Context) error {
	defer v.Vanish()
	r, err := http.NewRequestWithContext(ctx, http.MethodDelete, v.location, nil)
	if err != nil {
		return err
	}
	w, err := v.load.client.Do(r)
	if err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, w.Body)
	return errors.Join(err, w.Body.Close())
}
