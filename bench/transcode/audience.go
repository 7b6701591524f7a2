//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/pion/rtcp"
	"github.com/pion/rtp"

	"sluice/internal/testviewer"
)

// viewer is one who watches a gateway's stream.
type viewer struct {
	*testviewer.Viewer
	location     string
	asked        time.Time // when the offer was posted
	video, sound ear
	heard        sync.WaitGroup

	mu    sync.Mutex
	ssrcs map[uint32]bool // guarded by mu; true: of the picture
}

// refusedError is an answer to an offer that is not 201.
type refusedError struct {
	status int
	body   string
}

func (e *refusedError) Error() string {
	return fmt.Sprintf("the offer is answered with %d: %s", e.status, e.body)
}

const (
	joinWithin = 15 * time.Second
	retryEvery = 50 * time.Millisecond
)

// join watches a stream as soon as there is something to be watched.
func join(ctx context.Context, endpoint string, o testviewer.Options) (*viewer, error) {
	ctx, cancel := context.WithTimeout(ctx, joinWithin)
	defer cancel()
	for {
		v, err := watch(ctx, endpoint, o)
		if e := (*refusedError)(nil); !errors.As(err, &e) {
			return v, err
		}
		if wait(ctx, retryEvery) != nil {
			return nil, err
		}
	}
}

// watch asks once.
func watch(ctx context.Context, endpoint string, o testviewer.Options) (*viewer, error) {
	inner, err := testviewer.New(o)
	if err != nil {
		return nil, err
	}
	v := &viewer{Viewer: inner, sound: ear{sound: true}, ssrcs: map[uint32]bool{}}
	if err := v.post(ctx, endpoint); err != nil {
		inner.Close()
		return nil, err
	}
	v.heard.Go(v.hear)
	return v, nil
}

func (v *viewer) post(ctx context.Context, endpoint string) error {
	offer, err := v.Offer()
	if err != nil {
		return err
	}
	v.asked = time.Now()
	r, body, err := request(ctx, http.MethodPost, endpoint, offer)
	if err != nil {
		return err
	}
	if r.StatusCode != http.StatusCreated {
		return &refusedError{r.StatusCode, body}
	}
	base, err := url.Parse(endpoint)
	if err != nil {
		return err
	}
	at, err := base.Parse(r.Header.Get("Location"))
	if err != nil {
		return err
	}
	v.location = at.String()
	return v.Accept(body)
}

// hear takes what comes until the connection ends.
func (v *viewer) hear() {
	video, sound := v.Video, v.Audio
	for {
		var p *rtp.Packet
		var ok, picture bool
		select {
		case p, ok = <-video:
			if picture = true; !ok {
				video = nil
			}
		case p, ok = <-sound:
			if !ok {
				sound = nil
			}
		case <-v.Closed:
			return
		}
		if ok {
			v.take(p, picture)
		}
	}
}

func (v *viewer) take(p *rtp.Packet, picture bool) {
	now := time.Now()
	v.mu.Lock()
	v.ssrcs[p.SSRC] = picture
	v.mu.Unlock()
	if picture {
		v.video.add(p, now)
	} else {
		v.sound.add(p, now)
	}
}

// report is the newest sender report on the picture, or on the sound; nil: there was none.
func (v *viewer) report(picture bool) *rtcp.SenderReport {
	all := v.Reports()
	v.mu.Lock()
	defer v.mu.Unlock()
	for i := len(all) - 1; i >= 0; i-- {
		if of, ok := v.ssrcs[all[i].SSRC]; ok && of == picture {
			return all[i]
		}
	}
	return nil
}

// leave ends the session.
func (v *viewer) leave(ctx context.Context) {
	_, _, _ = request(ctx, http.MethodDelete, v.location, "") // the gateway may be gone
	v.Close()
	v.heard.Wait()
}

func request(ctx context.Context, method, to, body string) (*http.Response, string, error) {
	q, err := http.NewRequestWithContext(ctx, method, to, strings.NewReader(body))
	if err != nil {
		return nil, "", err
	}
	if body != "" {
		q.Header.Set("Content-Type", "application/sdp")
	}
	r, err := http.DefaultClient.Do(q)
	if err != nil {
		return nil, "", err
	}
	defer r.Body.Close()
	text, err := io.ReadAll(r.Body)
	return r, string(text), err
}
