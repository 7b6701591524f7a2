package config

import (
	"fmt"
	"net/netip"
	"regexp"
	"slices"
	"time"
)

// Turn is STUN and TURN: a server of our own, or another that shares a secret with us.
type Turn struct {
	// Mode is off, embedded or external.
	Mode string `toml:"mode" oneof:"off embedded external" apply:"restart"`
	// ListenUDP, ListenTCP and ListenTLS are HOST:PORT, or a port, which binds where http.listen binds; "": none.
	ListenUDP string `toml:"listen_udp" apply:"restart"`
	ListenTCP string `toml:"listen_tcp" apply:"restart"`
	ListenTLS string `toml:"listen_tls" apply:"restart"`
	// ShareHTTPS serves TURN over TLS on the port of http.listen too.
	ShareHTTPS bool   `toml:"share_https" apply:"restart"`
	Realm      string `toml:"realm" apply:"restart"`
	// Secret makes the credentials: 16 characters or more.
	Secret Secret `toml:"secret"`
	// TTL is how long credentials can be used to begin with.
	TTL time.Duration `toml:"ttl" min:"1m" max:"24h"`
	// URLs are those of an external server, or of our own where peers would not find it by themselves (RFC 7065).
	URLs []string `toml:"urls"`
	// RelayAddress is the public IP address of the relays; "": that of the listener.
	RelayAddress string `toml:"relay_address" apply:"restart"`
	// RelayPorts is FIRST-LAST; Ports says what it means.
	RelayPorts string `toml:"relay_ports" apply:"restart"`
	// AllowPeers are networks that relays may reach besides this gateway's media ports; AllowedPrefixes reads them.
	AllowPeers []string `toml:"allow_peers"`
	// UserQuota, IPQuota and TotalQuota are allocations at one time; 0: no limit.
	UserQuota  int `toml:"user_quota" min:"0" max:"1000000"`
	IPQuota    int `toml:"ip_quota" min:"0" max:"1000000"`
	TotalQuota int `toml:"total_quota" min:"0" max:"1000000"`
	// MaxBPS and BPSCapacity are bytes/s of one allocation and of all; 0: no limit.
	MaxBPS      int `toml:"max_bps" min:"0" max:"2000000000"`
	BPSCapacity int `toml:"bps_capacity" min:"0" max:"2000000000"`
}

// What Turn.Mode can be besides "off".
const (
	TurnEmbedded = "embedded"
	TurnExternal = "external"
)

// minTurnSecret is in characters; firstUserPort is the first port that needs no right of its own.
const (
	minTurnSecret = 16
	firstUserPort = 1024
)

// realmText is what fits between quotes in every message and file that a realm stands in.
var realmText = regexp.MustCompile(`^[!#-\[\]-~][ !#-\[\]-~]{0,126}$`)

func (c Config) checkTurn() Faults {
	t := c.Turn
	var faults Faults
	faults.add("turn.realm", checkRealm(t.Realm))
	faults.add("turn.relay_address", checkRelayAddress(t.RelayAddress))
	faults.add("turn.relay_ports", checkPorts(t.RelayPorts))
	switch t.Mode {
	case TurnEmbedded:
		faults.add("turn.secret", checkTurnSecret(t.Secret))
		if t.ListenUDP == "" && t.ListenTCP == "" && c.TurnTLSListenAddr() == "" && !(t.ShareHTTPS && c.HTTP.Encrypted()) {
			faults.add("turn.mode", `"embedded" has nowhere to listen: set listen_udp, listen_tcp, or listen_tls with a certificate of [http]`)
		}
	case TurnExternal:
		if len(t.URLs) > 0 {
			faults.add("turn.secret", checkTurnSecret(t.Secret))
		} else if !slices.ContainsFunc(c.WebRTC.ICEServers, ICEServer.turn) {
			faults.add("turn.urls", `is missing: "external" needs urls = ["turn:HOST:3478?transport=udp"] of the server that shares secret, or webrtc.ice_servers with a user name and credential`)
		}
	}
	return faults
}

func checkTurnSecret(s Secret) string {
	if s == "" {
		return fmt.Sprintf("is missing: TURN needs a secret of %d characters or more, such as `openssl rand -hex 24` makes", minTurnSecret)
	}
	if n := len([]rune(string(s))); n < minTurnSecret {
		return fmt.Sprintf("has %d characters; at least %d are needed, or it can be guessed", n, minTurnSecret)
	}
	return ""
}

func checkRealm(s string) string {
	if !realmText.MatchString(s) {
		return quote(s) + ` cannot be a realm: that is 1 to 127 characters of ASCII without quotation marks and backslashes, such as "sluice"`
	}
	return ""
}

func checkRelayAddress(s string) string {
	if s == "" {
		return ""
	}
	if _, err := netip.ParseAddr(s); err != nil {
		return quote(mask(s)) + ` is not an IP address: write that at which others reach the relays, such as "203.0.113.7"`
	}
	return checkHost(s)
}

func checkPorts(s string) string {
	first, last := Turn{RelayPorts: s}.Ports()
	switch {
	case first == 0 || last == 0:
		return quote(s) + ` is not a range of ports: write the first and the last, such as "49152-65535"`
	case first > last:
		return fmt.Sprintf(`%s begins above its end: write "%d-%d"`, quote(s), last, first)
	case first < firstUserPort:
		return fmt.Sprintf("%s begins below %d, where ports need a right that the gateway should not have", quote(s), firstUserPort)
	}
	return ""
}

// turnDoubts are keys that do nothing, and what is smaller than it should be.
func (c Config) turnDoubts() Faults {
	t := c.Turn
	var doubts Faults
	if t.Mode != TurnEmbedded {
		if t.ShareHTTPS {
			doubts.add("turn.share_https", `does nothing: turn.mode is not "embedded"`)
		}
	} else if t.ShareHTTPS && !c.HTTP.Encrypted() {
		doubts.add("turn.share_https", "does nothing: [http] has no TLS")
	}
	if t.Mode == "off" && len(t.URLs) > 0 {
		doubts.add("turn.urls", `do nothing: turn.mode is "off"`)
	}
	first, last := t.Ports()
	if ports := int(last) - int(first) + 1; t.Mode == TurnEmbedded && ports < t.TotalQuota {
		doubts.add("turn.relay_ports", fmt.Sprintf("has %d ports for a total_quota of %d: each allocation takes one", ports, t.TotalQuota))
	}
	if everybody(t.AllowedPrefixes()) {
		doubts.add("turn.allow_peers", "has a network of all addresses: whoever gets credentials can reach every machine that this one can")
	}
	return doubts
}

func everybody(all []netip.Prefix) bool {
	return slices.ContainsFunc(all, func(p netip.Prefix) bool { return p.Bits() == 0 })
}
