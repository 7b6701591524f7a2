package config

import "time"

// Auth says who may do what. Mode "none" lets everybody on this machine do everything, and nobody else in.
type Auth struct {
	// Mode is none, internal (Users), jwt or http.
	Mode string `toml:"mode" oneof:"none internal jwt http"`
	// QueryToken also takes a token from ?token=, where logs and browser histories keep it.
	QueryToken bool `toml:"query_token"`
	// SessionAuth strict asks for the credentials of the POST at each PATCH and DELETE of its session.
	SessionAuth string `toml:"session_auth" oneof:"lenient strict"`
	// LenientAuth takes a token in the header Authorization that stands there without a scheme.
	LenientAuth bool     `toml:"lenient_auth"`
	JWT         JWT      `toml:"jwt"`
	HTTP        AuthHTTP `toml:"http"`
	Users       []User   `toml:"users"`
}

// JWT is for mode jwt. One of JWKSURL and Secret says how tokens are verified.
type JWT struct {
	JWKSURL string `toml:"jwks_url"`
	// Secret is of HS256, 32 bytes or more.
	Secret Secret `toml:"secret"`
	// Issuer and Audience are what a token must say; "": anything.
	Issuer   string `toml:"issuer"`
	Audience string `toml:"audience"`
	// EnforceExpiry ends the sessions of a token when it expires.
	EnforceExpiry bool `toml:"enforce_exp"`
}

// AuthHTTP is for mode http: a server that is asked who may.
type AuthHTTP struct {
	URL string `toml:"url"`
}

// User is one who may do something, in mode internal.
type User struct {
	// Name is AnonymousUser, or what the user logs in with.
	Name string `toml:"name"`
	// Password is an argon2id hash as `gateway hash-password` prints it; "": none.
	Password Secret `toml:"password"`
	// Tokens are hashes of bearer tokens: sha256: and 64 hex digits.
	Tokens []Secret `toml:"tokens"`
	Allow  []Grant  `toml:"allow"`
}

// AnonymousUser is the name of everybody who shows no credentials.
const AnonymousUser = "anonymous"

// Grant allows actions on streams.
type Grant struct {
	// Actions are publish, play, talk, chat, file, ptz, admin and metrics.
	Actions []string `toml:"actions"`
	// Streams are names of streams, in which * is any run of characters.
	Streams []string `toml:"streams"`
}

// Turn is STUN and TURN: a server of our own, or another that shares a secret with us.
type Turn struct {
	// Mode is off, embedded or external.
	Mode string `toml:"mode" oneof:"off embedded external"`
	// ListenUDP, ListenTCP and ListenTLS are HOST:PORT, or a port, which binds where http.listen binds; "": none.
	ListenUDP string `toml:"listen_udp"`
	ListenTCP string `toml:"listen_tcp"`
	ListenTLS string `toml:"listen_tls"`
	// ShareHTTPS serves TURN over TLS on the port of http.listen too.
	ShareHTTPS bool   `toml:"share_https"`
	Realm      string `toml:"realm"`
	// Secret makes the credentials: 16 characters or more.
	Secret Secret `toml:"secret"`
	// TTL is how long credentials can be used to begin with.
	TTL time.Duration `toml:"ttl" min:"1m" max:"24h"`
	// URLs are those of an external server (RFC 7065).
	URLs []string `toml:"urls"`
	// RelayAddress is the public IP address of the relays; "": that of the listener.
	RelayAddress string `toml:"relay_address"`
	// RelayPorts is FIRST-LAST; Ports says what it means.
	RelayPorts string `toml:"relay_ports"`
	// AllowPeers are networks that relays may reach besides this gateway's media ports; AllowedPrefixes reads them.
	AllowPeers []string `toml:"allow_peers"`
	// UserQuota and TotalQuota are allocations at one time; 0: no limit.
	UserQuota  int `toml:"user_quota" min:"0" max:"1000000"`
	TotalQuota int `toml:"total_quota" min:"0" max:"1000000"`
	// MaxBPS and BPSCapacity are bytes/s of one allocation and of all; 0: no limit.
	MaxBPS      int `toml:"max_bps" min:"0" max:"2000000000"`
	BPSCapacity int `toml:"bps_capacity" min:"0" max:"2000000000"`
}
