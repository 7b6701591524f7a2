package config

import "time"

// Config is the whole of config.toml. A field's toml tag is its key; oneof, min and max are what Validate
// holds it to. Keys outside [streams] that hold one value can be overridden from the environment.
type Config struct {
	HTTP   HTTP   `toml:"http"`
	WebRTC WebRTC `toml:"webrtc"`
	Log    Log    `toml:"log"`
	Auth   Auth   `toml:"auth"`
	Turn   Turn   `toml:"turn"`
	Limits Limits `toml:"limits"`
	// Transcode and Devices are about worker processes.
	Transcode Transcode `toml:"transcode"`
	Devices   Devices   `toml:"devices"`
	// Streams is by name.
	Streams map[string]Stream `toml:"streams"`
}

// HTTP is the one port for WHIP, WHEP, pages, API and metrics.
type HTTP struct {
	// Listen is HOST:PORT; no host means all interfaces.
	Listen string `toml:"listen" apply:"restart"`
	// TLS is "" (TLS if there is a TLSCert), TLSSelfSigned or TLSACME.
	TLS string `toml:"tls" apply:"restart"`
	// TLSCert and TLSKey are the paths of PEM files.
	TLSCert string `toml:"tls_cert"`
	TLSKey  string `toml:"tls_key"`
	// ACMEHosts are the DNS names to get certificates for; ACMEListen is HOST:PORT of HTTP-01 challenges, "" for none.
	ACMEHosts  []string `toml:"acme_hosts" apply:"restart"`
	ACMEListen string   `toml:"acme_listen" apply:"restart"`
	// ACMEDirectory is the URL of the authority; "": Let's Encrypt.
	ACMEDirectory string `toml:"acme_directory" apply:"restart"`
	// AllowOrigins are the origins that CORS lets in besides our own, or "*" for all.
	AllowOrigins []string `toml:"allow_origins"`
	// TrustedProxies are networks whose X-Forwarded-For and -Proto count; TrustedPrefixes reads them.
	TrustedProxies []string `toml:"trusted_proxies"`
}

// WebRTC is the side of the peers: those who watch, and those who publish.
type WebRTC struct {
	// ListenUDP is a bare port or HOST:PORT; UDPListenAddr says what it means.
	ListenUDP string `toml:"listen_udp" apply:"restart"`
	// ListenTCP is the same for ICE over TCP; "" means none. TCPListenAddr says what it means.
	ListenTCP string `toml:"listen_tcp" apply:"restart"`
	// AdditionalHosts are addresses or DNS names at which viewers reach the gateway besides its own.
	AdditionalHosts []string `toml:"additional_hosts" apply:"restart"`
	// PublicAddress is PublicBySTUN, or "" for none to be looked for.
	PublicAddress string `toml:"public_address" apply:"restart"`
	// Interfaces are the network interfaces whose addresses are offered; empty means all.
	Interfaces []string `toml:"interfaces" apply:"restart"`
	// ICEServers are handed to peers, who may need them to reach us.
	ICEServers []ICEServer `toml:"ice_servers"`
	// DenyPrivateRemote skips private addresses among the candidates of a peer.
	DenyPrivateRemote bool `toml:"deny_private_remote" apply:"restart"`
	// ICETimeout is the time from the answer to a connection.
	ICETimeout time.Duration `toml:"ice_timeout" min:"1s"`
	// ConsentTimeout is how long a viewer may be silent (RFC 7675).
	ConsentTimeout time.Duration `toml:"consent_timeout" min:"1s" apply:"restart"`
	// ViewerIdleTimeout is how long a viewer may wait for a stream that has no source.
	ViewerIdleTimeout time.Duration `toml:"viewer_idle_timeout" min:"1s"`
	// BurstMbps is the pace in Mbit/s at which a viewer gets pictures that are there already.
	BurstMbps  int        `toml:"burst_mbps" min:"1" max:"2000"`
	H264Policy H264Policy `toml:"h264_policy" oneof:"lenient strict"`
	// StrictPreconditions refuses a PATCH without If-Match (RFC 9725 4.3.1), which some clients send.
	StrictPreconditions bool `toml:"strict_preconditions"`
	// FastPath serves viewers without a PeerConnection each, where that can be.
	FastPath bool `toml:"fast_path" apply:"restart"`
	// GSO says whether the kernel may cut several datagrams out of one (UDP_SEGMENT).
	GSO GSO `toml:"gso" oneof:"auto off" apply:"restart"`
}

// GSO says whether segmentation is left to the kernel.
type GSO string

// GSOAuto uses it where it works; GSOOff never does.
const (
	GSOAuto GSO = "auto"
	GSOOff  GSO = "off"
)

// H264Policy says which H.264 pictures go to a viewer.
type H264Policy string

// Lenient sends H.264 to whoever offers any of it; Strict asks for the picture's own profile in the offer.
const (
	Lenient H264Policy = "lenient"
	Strict  H264Policy = "strict"
)

// Log is what the gateway tells of itself. Level is in the words of slog, in lower case.
type Log struct {
	Level  string `toml:"level" oneof:"debug info warn error"`
	Format string `toml:"format" oneof:"text json" apply:"restart"`
	// Addresses says how public IP addresses are written: whole, or without what tells a person from a network.
	Addresses string `toml:"addresses" oneof:"full short" apply:"restart"`
}

// PublicBySTUN has the public address found by the STUN servers of WebRTC.ICEServers.
const PublicBySTUN = "stun"

// Limits are upper bounds; 0 means none.
type Limits struct {
	// Sessions are those of publishers and viewers together.
	Sessions          int `toml:"sessions" min:"0" max:"1000000"`
	SessionsPerStream int `toml:"sessions_per_stream" min:"0" max:"1000000"`
	SessionsPerIP     int `toml:"sessions_per_ip" min:"0" max:"1000000"`
	// SessionsPerUser are those of one who has shown credentials.
	SessionsPerUser int `toml:"sessions_per_user" min:"0" max:"1000000"`
	// HalfOpen sessions have an answer and no connection yet.
	HalfOpen      int `toml:"half_open" min:"0" max:"1000000"`
	HalfOpenPerIP int `toml:"half_open_per_ip" min:"0" max:"1000000"`
	// PostsPerSecondPerIP is a mean; a burst may be twice that.
	PostsPerSecondPerIP int `toml:"posts_per_second_per_ip" min:"0" max:"1000000"`
	// Streams bounds those that are there at one time, of patterns too.
	Streams int `toml:"streams" min:"0" max:"1000000"`
	// SDPKiB bounds the body of an offer; 0: as much as the gateway reads of any, 64.
	SDPKiB int `toml:"sdp_kib" min:"0" max:"64"`
	// RingMaxAge and RingMaxMiB bound what is cached of one rendition, whichever is reached first.
	RingMaxAge time.Duration `toml:"ring_max_age" min:"0s" apply:"restart"`
	RingMaxMiB int           `toml:"ring_max_mib" min:"0" max:"2047" apply:"restart"`
}

// Default returns the values of all keys that no file sets, and no streams.
func Default() Config {
	return Config{
		HTTP: HTTP{Listen: "127.0.0.1:8889", ACMEListen: ":80"},
		WebRTC: WebRTC{
			ListenUDP:         "8189",
			ICETimeout:        10 * time.Second,
			ConsentTimeout:    30 * time.Second,
			ViewerIdleTimeout: 60 * time.Second,
			BurstMbps:         30,
			H264Policy:        Lenient,
			FastPath:          true,
			GSO:               GSOAuto,
		},
		Log:  Log{Level: "info", Format: "text", Addresses: "full"},
		Auth: Auth{Mode: "none", SessionAuth: "lenient"},
		Turn: Turn{
			Mode: "off", ListenUDP: ":3478", ListenTCP: ":3478", ListenTLS: ":5349", Realm: "sluice",
			TTL: time.Hour, RelayPorts: "49152-65535", UserQuota: 4, IPQuota: 100, TotalQuota: 1000,
		},
		Limits: Limits{
			Sessions: 1000, SessionsPerStream: 500, SessionsPerIP: 100, SessionsPerUser: 200,
			HalfOpen: 200, HalfOpenPerIP: 32, PostsPerSecondPerIP: 20, Streams: 256, SDPKiB: 64,
			RingMaxAge: 12 * time.Second, RingMaxMiB: 16,
		},
		Transcode: Transcode{Worker: WorkerAuto, Encoder: EncoderAuto, Warm: 1, Linger: 10 * time.Second},
		Devices:   Devices{Worker: WorkerAuto},
	}
}
