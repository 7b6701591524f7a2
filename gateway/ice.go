package gateway

import (
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"regexp"
	"strconv"
	"time"

	"sluice/admin"
	"sluice/config"
	"sluice/signalling/resource"
	"sluice/turn"
)

// idsPerCaller is how many IDs there are for one who asks for servers before there is a session: each tab gets another,
// and all that he can get so is bounded by as many quotas.
const idsPerCaller = 25

// iceServers are those for one peer: what the configuration names, and STUN and TURN with credentials that are made for
// the session of that ID alone (G13). "" is a session that is still to be made.
func (g *Gateway) iceServers(r *http.Request, session string) []resource.ICEServer {
	c := g.config()
	var all []resource.ICEServer
	for _, s := range c.WebRTC.ICEServers {
		all = append(all, resource.ICEServer{URLs: s.URLs, Username: s.Username, Credential: string(s.Credential)})
	}
	urls := g.turnURLs(c, r.Host)
	if len(urls.relays) == 0 {
		return all
	}
	id := turnID(session)
	if session == "" {
		id = turnID(fmt.Sprintf("%s %d", whoAsks(r), g.asks.Add(1)%idsPerCaller))
	}
	now := time.Now()
	username, credential := turn.Mint(string(c.Turn.Secret), id, c.Turn.TTL, now)
	g.revokeWith(session, id, now.Add(c.Turn.TTL))
	if urls.stun != "" {
		all = append(all, resource.ICEServer{URLs: []string{urls.stun}})
	}
	return append(all, resource.ICEServer{URLs: urls.relays, Username: username, Credential: credential, Expires: true})
}

// revokeWith has the credentials, which expire, end with their session.
func (g *Gateway) revokeWith(session, id string, expire time.Time) {
	if g.relay == nil {
		return
	}
	if s, ok := g.sessions.Session(session); ok {
		s.OnDone(func() { g.relay.server.Revoke(id, expire) })
	}
}

// turnID is what a session is called towards a TURN server: nothing leads from it to the session's URL (G4).
func turnID(session string) string {
	sum := sha256.Sum256([]byte("turn " + session))
	return base64.RawURLEncoding.EncodeToString(sum[:12])
}

// whoAsks is the name and the address of whoever asks for servers before there is a session.
func whoAsks(r *http.Request) string {
	name := ""
	if p := caller(r); p != nil {
		name = p.Name
	}
	return name + " at " + resource.Client(r).String()
}

// turnURLs are the URLs of STUN and TURN.
type turnURLs struct {
	stun   string // "" if it goes without saying
	relays []string
}

// turnURLs lists what the configuration names; for a server of our own that it does not name, the host that the peer
// has come to.
func (g *Gateway) turnURLs(c config.Config, requested string) turnURLs {
	if c.Turn.Mode == config.TurnExternal || c.Turn.Mode == config.TurnEmbedded && len(c.Turn.URLs) > 0 {
		return turnURLs{relays: c.Turn.URLs}
	}
	host := urlHost(requested)
	if g.relay == nil || host == "" {
		return turnURLs{}
	}
	var out turnURLs
	for _, l := range g.relay.listeners {
		at := net.JoinHostPort(host, strconv.Itoa(int(l.port)))
		if l.scheme == "turn" && l.transport == "udp" {
			out.stun = "stun:" + at
		}
		out.relays = append(out.relays, l.scheme+":"+at+"?transport="+l.transport)
	}
	return out
}

var dnsName = regexp.MustCompile(`^[A-Za-z0-9](?:[A-Za-z0-9.-]{0,252}[A-Za-z0-9])?$`)

// urlHost is the host of a Host header, without its port; "" if it is none that may stand in a URL.
func urlHost(requested string) string {
	host, _, err := net.SplitHostPort(requested)
	if err != nil {
		host = requested
	}
	if a, err := netip.ParseAddr(trimBrackets(host)); err == nil && a.Zone() == "" {
		return a.String()
	}
	if dnsName.MatchString(host) {
		return host
	}
	return ""
}

func trimBrackets(host string) string {
	if len(host) > 2 && host[0] == '[' && host[len(host)-1] == ']' {
		return host[1 : len(host)-1]
	}
	return host
}

// adminICE is for the API, with the time at which credentials that are made now expire.
func adminICE(servers []resource.ICEServer, ttl time.Duration) []admin.ICEServer {
	all := make([]admin.ICEServer, 0, len(servers))
	for _, s := range servers {
		out := admin.ICEServer{URLs: s.URLs, Username: s.Username, Credential: s.Credential}
		if s.Expires {
			out.ExpireTime = time.Now().Add(ttl).UTC().Truncate(time.Second)
		}
		all = append(all, out)
	}
	return all
}
