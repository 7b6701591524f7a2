package e2e

import (
	"encoding/json"
	"fmt"
	"net/url"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"
)

const (
	answerLimit = 30 * time.Second // for a program to start and to be answered, on a busy machine
	mediaLimit  = 30 * time.Second // from there to media
)

// peer is a real WHIP publisher or WHEP player in a process of its own: one of the programs of peers/, which tell what
// they see in JSON lines.
type peer struct {
	*process
}

// told is one line of a peer's. Each event fills some of the fields.
type told struct {
	Event            string
	Status           int // of HTTP, in answered, refused, patched and deleted
	Detail, State    string
	Location, Answer string
	SDP              string  // in offer
	Milliseconds     float64 // from POST to its answer
	Pictures, Sounds int     // made, or decoded
	KeyframeRequests int     `json:"keyframe_requests"`
	Width, Height    int     // in size
}

// startPeer starts a program of peers/ with its arguments.
func startPeer(t testing.TB, program string, args ...string) *peer {
	t.Helper()
	interpreter := python
	if strings.HasSuffix(program, ".mjs") {
		interpreter = "node"
	}
	return &peer{start(t, program, peerCommand(interpreter, "peers/"+program, args...))}
}

func peerCommand(interpreter, script string, args ...string) *exec.Cmd {
	return command(interpreter, append([]string{script}, args...)...)
}

// all returns the lines of an event, as they came.
func (p *peer) all(event string) []told {
	var found []told
	for line := range strings.Lines(p.output.String()) {
		var l told
		if strings.HasPrefix(line, "{") && json.Unmarshal([]byte(line), &l) == nil && l.Event == event {
			found = append(found, l)
		}
	}
	return found
}

// last is the newest line of an event, zero if there is none.
func (p *peer) last(event string) told {
	if all := p.all(event); len(all) > 0 {
		return all[len(all)-1]
	}
	return told{}
}

// awaitTold waits for a line of an event that satisfies.
func (p *peer) awaitTold(t testing.TB, event string, limit time.Duration, satisfies func(told) bool) told {
	t.Helper()
	var found told
	eventually(t, limit, func() string {
		for _, l := range p.all(event) {
			if satisfies(l) {
				found = l
				return ""
			}
		}
		return fmt.Sprintf("%s does not tell of %q as wanted:\n%s", p.name, event, p.output)
	})
	return found
}

// awaitState waits until the peer's connection is in one of some states.
func (p *peer) awaitState(t testing.TB, limit time.Duration, states ...string) {
	t.Helper()
	p.awaitTold(t, "state", limit, func(l told) bool { return slices.Contains(states, l.State) })
}

// awaitPictures waits until the peer has made or decoded a number of pictures, and that of sounds.
func (p *peer) awaitPictures(t testing.TB, pictures, sounds int) {
	t.Helper()
	p.awaitTold(t, "counts", answerLimit+mediaLimit, func(l told) bool { return l.Pictures >= pictures && l.Sounds >= sounds })
}

// stop has the peer end its session as its user would, and returns the status of its DELETE.
func (p *peer) stop(t testing.TB) int {
	t.Helper()
	if code, _ := p.terminate(answerLimit); code != 0 {
		t.Errorf("%s ended with %d:\n%s", p.name, code, p.output)
	}
	return p.last("deleted").Status
}

// siteOf is scheme and host of a URL.
func siteOf(t testing.TB, rawURL string) string {
	t.Helper()
	u, err := url.Parse(rawURL)
	if err != nil {
		t.Fatal(err)
	}
	return u.Scheme + "://" + u.Host
}

// jsonOf is a value for a JavaScript expression.
func jsonOf(t testing.TB, v any) string {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
