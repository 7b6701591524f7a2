package doctor

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"time"
)

const (
	wayTimeout  = 8 * time.Second // until a session is connected, and again until it has a picture
	maxWays     = 12              // addresses
	waysAtATime = 6
)

// way is one way to the gateway, and what came of a session over it.
type way struct {
	name  string     // "udp 192.0.2.1:8189", "TURN turn:…"
	to    candidate  // zero: through the relay
	relay *ICEServer // nil: straight

	open      error // why there was no session
	connected time.Duration
	picture   time.Duration
	err       error   // why it is not connected, or has no picture
	verdict   Verdict // of the gateway, in that case
	noRoute   bool    // this machine has no way there at all
}

// done reports whether there was a picture.
func (w *way) done() bool { return w.open == nil && w.err == nil && !w.noRoute }

// ways makes a whole session over each address and each relay.
func (e *examination) ways(ctx context.Context, servers []ICEServer) []*way {
	var all []*way
	for _, c := range e.answer[:min(len(e.answer), maxWays)] {
		all = append(all, &way{name: c.String(), to: c})
	}
	for _, s := range servers {
		if kindOf(s.URL) == "TURN" {
			all = append(all, &way{name: "TURN " + s.URL, relay: &s})
		}
	}
	var tries sync.WaitGroup
	free := make(chan struct{}, waysAtATime)
	for _, w := range all {
		tries.Go(func() {
			free <- struct{}{}
			defer func() { <-free }()
			e.try(ctx, w)
		})
	}
	tries.Wait()
	return all
}

func (e *examination) open(ctx context.Context, tcp, relayed bool) (Session, error) {
	return e.o.Viewers.Open(ctx, SessionOptions{
		URL: e.door.at(e.stream, "whep"), Token: e.door.token, Insecure: e.door.base.Scheme == "https" && !e.trusted,
		TCP: tcp, Relayed: relayed,
	})
}

// try makes a session over one way.
func (e *examination) try(ctx context.Context, w *way) {
	if w.relay == nil && routeTo(w.to.at) != nil {
		w.noRoute = true
		return
	}
	s, err := e.open(ctx, w.to.network == "tcp", w.relay != nil)
	if err != nil {
		w.open = err
		return
	}
	defer s.Close(ctx)
	answer, servers := s.Answer(), w.fresh(s.Servers())
	if w.relay == nil {
		answer = reduced(answer, w.to)
	}
	if w.watch(ctx, s, answer, servers); w.err != nil {
		w.verdict, _ = s.Verdict(ctx) // without one there is our own sentence
	}
}

// fresh are the credentials of a session for the relay of a way.
func (w *way) fresh(all []ICEServer) []ICEServer {
	if w.relay == nil {
		return nil
	}
	for _, s := range all {
		if s.URL == w.relay.URL {
			return []ICEServer{s}
		}
	}
	return []ICEServer{*w.relay}
}

func (w *way) watch(ctx context.Context, s Session, answer string, servers []ICEServer) {
	began := time.Now()
	connecting, cancel := context.WithTimeout(ctx, wayTimeout)
	defer cancel()
	if w.err = s.Connect(connecting, answer, servers); w.err != nil {
		return
	}
	w.connected = time.Since(began)
	waiting, stop := context.WithTimeout(ctx, wayTimeout)
	defer stop()
	if w.err = s.Picture(waiting); w.err == nil {
		w.picture = time.Since(began)
	}
}

// judge says what came of a way, in the light of the others.
func (e *examination) judge(w *way, all []*way, p *page) Finding {
	what := "session over " + w.name
	switch {
	case w.noRoute:
		return warn(what+": untested", "This machine has no route to that address"+family(w)+".")
	case w.open != nil:
		return e.unopened(w.open)
	case w.err == nil:
		return ok(fmt.Sprintf("%s: connected in %s, picture in %s", what, short(w.connected), short(w.picture)))
	case w.connected > 0:
		return fail(what+": connected, but no picture", w.why("Nothing that can be shown came within "+short(wayTimeout)+"."), "gateway probe URL   # that of streams."+e.stream+".source")
	case w.relay != nil:
		return fail(what+": not connected", w.why("The relay and the gateway's media port do not reach each other."), e.mendRelay(all)...)
	}
	return e.unconnected(what, w, all, p)
}

func family(w *way) string {
	if w.to.at.Addr().Is6() {
		return " (no IPv6)"
	}
	return ""
}

// why is what the gateway says, or our sentence if it says nothing.
func (w *way) why(ours string) string {
	if w.verdict.Sentence == "" {
		return ours
	}
	return strings.TrimSpace(closed(w.verdict.Sentence) + " " + closed(w.verdict.Advice))
}

func (e *examination) mendRelay(all []*way) []string {
	if e.o.Setup != nil && e.o.Setup.Turn == "embedded" {
		return []string{`turn.relay_address = "ADDRESS"   # at which the relays are reached`}
	}
	return []string{"allowed-peer-ip=" + e.reached(all).String() + "   # in turnserver.conf"}
}

// reached is an address of the gateway that a session has come over, or else the first.
func (e *examination) reached(all []*way) netip.Addr {
	for _, w := range all {
		if w.relay == nil && w.done() && !w.to.at.Addr().IsLoopback() {
			return w.to.at.Addr()
		}
	}
	return e.answer[0].at.Addr()
}

// unopened says why there was no session.
func (e *examination) unopened(err error) Finding {
	var refused *RefusedError
	if errors.As(err, &refused) {
		if refused.Status == http.StatusConflict {
			return fail("session: the stream has no source", closed(refused.Detail), "gateway probe URL   # that of streams."+e.stream+".source")
		}
		return e.refusal("session", refused.Status, closed(refused.Detail))
	}
	return fail("session: none could be made", closed(err.Error()))
}

// unconnected says why nothing came of an address.
func (e *examination) unconnected(what string, w *way, all []*way, p *page) Finding {
	what += ": not connected within " + short(wayTimeout)
	others := anyDone(all, w)
	place, elsewhere := whereIs(w.to.at.Addr()), e.elsewhere(p)
	port := fmt.Sprint(w.to.at.Port())
	switch {
	case others && elsewhere && (place == inPrivate || place == onLoopback || place == onLink):
		return warn(what, "It is a "+string(place)+" address of the gateway's network, which can't be reached from here: viewers elsewhere lose a moment with it, no more.",
			`webrtc.interfaces = ["NAME"]   # announces no others`)
	case e.additional(w):
		return fail(what, "It stands in webrtc.additional_hosts, and nothing comes back from there. Forward "+strings.ToUpper(w.to.network)+" port "+port+
			" of it to this machine, or leave it out. (Some routers do not let a machine reach its own public address: look from outside with --url, too.)", e.withoutHost(w))
	case others:
		return fail(what, "Nothing came back from there, while another address works. Open "+strings.ToUpper(w.to.network)+" port "+port+
			" there, or announce it no more: leave its interface out, or the host from webrtc.additional_hosts.",
			openPort(w.to.network, port), `webrtc.interfaces = ["NAME"]`)
	case w.to.network == "tcp":
		return fail(what, w.why("No connection could be made to that port. Open it in every firewall on the way."), openPort("tcp", port))
	case len(e.answer.of("tcp")) == 0:
		return fail(what, w.why("Nothing came back from there. Open the port in every firewall on the way, or offer TCP besides."), openPort("udp", port), `webrtc.listen_tcp = "`+port+`"`)
	}
	return fail(what, w.why("Nothing came back from there. Open the port in every firewall on the way."), openPort("udp", port))
}

func anyDone(all []*way, but *way) bool {
	for _, w := range all {
		if w != but && w.relay == nil && w.done() && w.to.network == but.to.network {
			return true
		}
	}
	return false
}

// elsewhere reports whether the gateway is on another machine, as far as can be seen.
func (e *examination) elsewhere(p *page) bool {
	return e.o.Setup == nil && !p.remote.Addr().IsLoopback()
}

// additional reports whether an address stands in webrtc.additional_hosts.
func (e *examination) additional(w *way) bool {
	if e.o.Setup == nil {
		return false
	}
	for _, h := range e.o.Setup.AdditionalHosts {
		if hostAddr(h) == w.to.at.Addr() {
			return true
		}
	}
	return false
}

// withoutHost is the line without the address of a way.
func (e *examination) withoutHost(w *way) string {
	var left []string
	for _, h := range e.o.Setup.AdditionalHosts {
		if hostAddr(h) != w.to.at.Addr() {
			left = append(left, `"`+h+`"`)
		}
	}
	return "webrtc.additional_hosts = [" + strings.Join(left, ", ") + "]"
}
