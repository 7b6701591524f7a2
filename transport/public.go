package transport

import (
	"context"
	"log/slog"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

const (
	stunPort = 3478 // RFC 8489, section 8.1
	// keepInterval is how often the public address is asked for: it also keeps the NAT's mapping (RFC 4787, REQ-5: some
	// forget after 30 s).
	keepInterval = 25 * time.Second
	// silentInterval is how soon servers are asked again of which none has answered.
	silentInterval = 5 * time.Second
	// changeInterval is how often it is looked whether the machine has got other addresses.
	changeInterval = 2 * time.Second
	// firstRTO is when a request is sent again; it doubles (RFC 8489, section 6.2.1). After stunTries a server is not
	// waited for any more in this round.
	firstRTO  = 500 * time.Millisecond
	stunTries = 4
	// serverAddresses is how many addresses of each STUN server are asked.
	serverAddresses = 4
)

// STUNServerError tells that the address of a STUN server is none that can be asked over UDP.
type STUNServerError struct{ URL string }

func (e *STUNServerError) Error() string {
	return "webrtc.ice_servers: " + strconv.Quote(e.URL) + ` is no server to find the public address by: write "stun:HOST" or "stun:HOST:PORT"`
}

// finder asks STUN servers, through the UDP port itself, under which address that is seen from outside (RFC 8489).
type finder struct {
	servers *names                                     // fixed
	ports   []uint16                                   // fixed: of servers
	send    func(data []byte, to netip.AddrPort) error // fixed
	serves  func(a netip.Addr) bool                    // fixed: the port is open to this family
	own     func() []netip.AddrPort                    // fixed: the port's addresses on this machine
	log     *slog.Logger                               // fixed

	told told // owned by run

	mu      sync.Mutex
	pending map[transaction]*question // guarded by mu
	v4, v6  view                      // guarded by mu
}

// view is how the port looks from outside over one address family.
type view struct {
	public    netip.AddrPort // zero: not known, or not behind a NAT
	symmetric bool           // its NAT gives each peer another address
}

// question is a request to one server.
type question struct {
	server netip.AddrPort
	done   chan struct{}  // capacity 1; sent to once, at the reply
	mapped netip.AddrPort // set before done; zero: the server tells none
}

// told is what the log has been told last.
type told struct {
	v4, v6 view
	silent bool
}

// newFinder makes a finder for the URLs of STUN servers. The error is a *STUNServerError.
func newFinder(p *Port, o Options) (*finder, error) {
	f := &finder{
		send: func(data []byte, to netip.AddrPort) error { return p.WriteTo(data, Path{Remote: to}) },
		own:  p.Addresses, log: o.Log, pending: make(map[transaction]*question),
		serves: func(a netip.Addr) bool { return p.first(a) != nil },
	}
	var hosts []string
	for _, url := range o.STUNServers {
		host, port, ok := parseSTUN(url)
		if !ok {
			return nil, &STUNServerError{URL: url}
		}
		hosts, f.ports = append(hosts, host), append(f.ports, port)
	}
	f.servers = newNames("webrtc.ice_servers", hosts, o.Log)
	return f, nil
}

// parseSTUN reads a URL of RFC 7064.
func parseSTUN(url string) (host string, port uint16, ok bool) {
	rest, ok := strings.CutPrefix(url, "stun:")
	rest, _, _ = strings.Cut(rest, "?")
	if !ok || rest == "" {
		return "", 0, false
	}
	host, service, err := net.SplitHostPort(rest)
	if err != nil {
		host = strings.TrimSuffix(strings.TrimPrefix(rest, "["), "]")
		_, err = netip.ParseAddr(host)
		return host, stunPort, err == nil || !strings.ContainsAny(host, ":[]/")
	}
	n, err := strconv.ParseUint(service, 10, 16)
	return host, uint16(n), err == nil && n > 0 && host != ""
}

// run asks until ctx is done: at once, from time to time, and when the machine's addresses change.
func (f *finder) run(ctx context.Context) {
	var names sync.WaitGroup
	defer names.Wait()
	f.servers.resolve(ctx)
	names.Go(func() { f.servers.run(ctx) })
	own := f.own()
	for ctx.Err() == nil {
		began := time.Now()
		f.round(ctx, own)
		until := began.Add(keepInterval) // what was sent first keeps the mapping
		if f.told.silent {
			until = time.Now().Add(silentInterval)
		}
		if now := f.wait(ctx, until, own); !slices.Equal(now, own) {
			f.forget()
			own = now
		}
	}
}

// wait lets the time pass until the next round, which is now if the port has got other addresses. It returns those.
func (f *finder) wait(ctx context.Context, until time.Time, own []netip.AddrPort) []netip.AddrPort {
	for left := time.Until(until); left > 0 && ctx.Err() == nil; left = time.Until(until) {
		pause(ctx, min(changeInterval, left))
		if now := f.own(); !slices.Equal(now, own) {
			return now
		}
	}
	return own
}

// forget takes back what was found in another network.
func (f *finder) forget() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.v4, f.v6 = view{}, view{}
}

// round asks all servers once, and again those that do not answer.
func (f *finder) round(ctx context.Context, own []netip.AddrPort) {
	asked := f.open()
	if f.ask(ctx, asked); ctx.Err() != nil {
		return
	}
	var v4, v6 []netip.AddrPort
	f.mu.Lock()
	for id, q := range asked {
		delete(f.pending, id)
		switch a := q.mapped; {
		case !a.IsValid():
		case a.Addr().Is4():
			v4 = append(v4, a)
		default:
			v6 = append(v6, a)
		}
	}
	f.v4.update(v4, own)
	f.v6.update(v6, own)
	now := told{v4: f.v4, v6: f.v6, silent: len(v4)+len(v6) == 0}
	f.mu.Unlock()
	f.tell(now)
}

// open makes a question for each address of each server.
func (f *finder) open() map[transaction]*question {
	asked := make(map[transaction]*question)
	seen := make(map[netip.AddrPort]bool)
	for i, port := range f.ports {
		n := 0
		for _, a := range f.servers.of(i) {
			server := netip.AddrPortFrom(a, port)
			if !f.serves(a) || seen[server] || n == serverAddresses {
				continue
			}
			n++
			seen[server] = true
			asked[newTransaction()] = &question{server: server, done: make(chan struct{}, 1)}
		}
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	for id, q := range asked {
		f.pending[id] = q
	}
	return asked
}

// ask sends questions until all are answered or there is no hope.
func (f *finder) ask(ctx context.Context, asked map[transaction]*question) {
	left := make(map[transaction]*question, len(asked))
	for id, q := range asked {
		left[id] = q
	}
	for try, rto := 0, firstRTO; try < stunTries && len(left) > 0; try, rto = try+1, 2*rto {
		for id, q := range left {
			_ = f.send(id.request(), q.server) // one that can't be reached now does not answer
		}
		late, cancel := context.WithTimeout(ctx, rto)
		for id, q := range left {
			select {
			case <-q.done:
				delete(left, id)
			case <-late.Done():
			}
		}
		cancel()
	}
}

// update takes what the servers of one family have told. An address of this machine's own is no news: there is no NAT
// on the way to that server. Silence changes nothing, and one voice alone does not tell what kind of NAT it is.
func (v *view) update(told, own []netip.AddrPort) {
	told = slices.DeleteFunc(told, func(a netip.AddrPort) bool {
		return slices.Contains(own, a) || a.Addr().IsLoopback() || a.Addr().IsUnspecified()
	})
	switch {
	case len(told) == 0:
	case slices.ContainsFunc(told, func(a netip.AddrPort) bool { return a != told[0] }):
		*v = view{symmetric: true}
	case len(told) > 1 || !v.symmetric:
		*v = view{public: told[0]}
	}
}

// tell says what has changed, once.
func (f *finder) tell(now told) {
	before := f.told
	f.told = now
	if now.silent && !before.silent {
		f.log.Warn("no STUN server answers: the public address of the media port is not known, or not kept up to date",
			"key", f.servers.key, "servers", f.servers.hosts)
	}
	for _, v := range []struct{ before, now view }{{before.v4, now.v4}, {before.v6, now.v6}} {
		switch {
		case v.now == v.before:
		case v.now.symmetric:
			f.log.Warn("the NAT gives each peer another port (symmetric NAT): no public address is announced; " +
				"forward the media port and name the address in webrtc.additional_hosts, or use TURN")
		case v.now.public.IsValid():
			f.log.Info("the public address of the media port is known", "address", v.now.public.String())
		}
	}
}

// addresses are those that are known now, IPv4 before IPv6.
func (f *finder) addresses() []netip.AddrPort {
	f.mu.Lock()
	defer f.mu.Unlock()
	var all []netip.AddrPort
	for _, v := range []view{f.v4, f.v6} {
		if v.public.IsValid() {
			all = append(all, v.public)
		}
	}
	return all
}

// replies is a Receiver that keeps the replies to a finder's questions from the next.
type replies struct {
	finder *finder
	next   Receiver
}

// Receive takes a reply, if it comes from where the question went.
func (r replies) Receive(data []byte, from Path) bool {
	return r.finder.take(data, from) || r.next.Receive(data, from)
}

func (f *finder) take(data []byte, from Path) bool {
	id, ok := replied(data)
	if !ok || from.Conn != nil {
		return false
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	q := f.pending[id]
	if q == nil || q.server != from.Remote {
		return false
	}
	delete(f.pending, id)
	q.mapped, _ = mapped(data)
	q.done <- struct{}{} // it has room: a question is answered once
	return true
}
