package doctor

import (
	"context"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"
)

// examination is one run of all checks.
type examination struct {
	o        Options // fixed
	door     *door
	stream   string
	withheld bool // there is a token, which is not sent since the certificate is not trusted

	answer  addresses // what the gateway has announced
	trusted bool      // its certificate
}

// Examine looks at a gateway and adds what it finds to the report, check by check, within about a minute. It ends
// early where the next checks would fail for the same reason.
func Examine(ctx context.Context, o Options, r *Report) {
	base, stream, fault := parseURL(o.URL)
	if fault != nil {
		r.Add(*fault)
		return
	}
	e := &examination{o: o, door: newDoor(base, o.ServerName, o.UserAgent), stream: o.Stream}
	if e.stream == "" {
		e.stream = stream
	}
	p, found := e.reach(ctx)
	r.Add(found...)
	if p == nil {
		return
	}
	r.Add(e.plain(p)...)
	e.trusted, found = e.certificate(p, time.Now())
	r.Add(found...)
	r.Add(clock(p)...)
	e.show(p)
	fine, found := e.login(ctx)
	r.Add(found...)
	if fine {
		e.sessions(ctx, p, r)
	}
}

// show has the token sent from now on, unless somebody else might read it.
func (e *examination) show(p *page) {
	safe := p.tls == nil || e.trusted || e.o.Insecure || isOurs(p.remote.Addr())
	if e.withheld = e.o.Token != "" && !safe; !e.withheld {
		e.door.token = e.o.Token
	}
}

// parseURL is the scheme and host of a URL, and the stream that its path names.
func parseURL(text string) (base *url.URL, stream string, fault *Finding) {
	if !strings.Contains(text, "://") {
		text = "http://" + text
	}
	u, err := url.Parse(text)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		f := fail("URL: it is none of a gateway", "It needs the form http://HOST:PORT or https://HOST.", "--url https://HOST")
		return nil, "", &f
	}
	stream, _, _ = strings.Cut(strings.Trim(u.Path, "/"), "/")
	return &url.URL{Scheme: u.Scheme, Host: u.Host}, stream, nil
}

// sessions makes the checks that need sessions, side by side, and adds what they find in their order.
func (e *examination) sessions(ctx context.Context, p *page, r *Report) {
	scout, f := e.scout(ctx)
	if f != nil {
		r.Add(e.camera(ctx)...) // it may be the reason
		r.Add(*f)
		return
	}
	servers := scout.Servers()
	e.answer = candidatesIn(scout.Answer())
	r.Add(e.announced(p, servers)...)
	if len(e.answer) == 0 {
		scout.Close(ctx)
		return
	}
	var checks sync.WaitGroup
	var relays, camera []Finding
	var ways []*way
	checks.Go(func() {
		relays = e.relays(ctx, servers)
		scout.Close(ctx) // its credentials end with it
	})
	checks.Go(func() { camera = e.camera(ctx) })
	checks.Go(func() { ways = e.ways(ctx, servers) })
	checks.Wait()
	if len(servers) == 0 {
		r.Add(ok("TURN: no server is named, and none is needed by those who get UDP or TCP through"))
	}
	r.Add(relays...)
	r.Add(camera...)
	for _, w := range ways {
		if w.done() || w.relay == nil || works(w.relay.URL, servers, relays) { // or else it is known why
			r.Add(e.judge(w, ways, p))
		}
	}
}

// works reports whether nothing is wrong with a server.
func works(url string, servers []ICEServer, found []Finding) bool {
	i := slices.IndexFunc(servers, func(s ICEServer) bool { return s.URL == url })
	return found[i].Status == OK
}

// scout is a session that tells where the gateway is reached, and is never connected.
func (e *examination) scout(ctx context.Context) (Session, *Finding) {
	s, err := e.open(ctx, false, false)
	if err == nil {
		return s, nil
	}
	f := e.unopened(err)
	return nil, &f
}
