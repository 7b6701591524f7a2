package camera

import (
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/bluenviron/gortsplib/v4/pkg/auth"

	"sluice/media"
)

// AuthMethod is how a reader proves that it knows the password.
type AuthMethod string

// The methods of RFC 7617 and RFC 7616. ffmpeg fails against a camera that offers SHA-256 beside MD5.
const (
	Basic        AuthMethod = "basic"
	DigestMD5    AuthMethod = "digest-md5"
	DigestSHA256 AuthMethod = "digest-sha256"
)

// Transport is how packets go to a reader.
type Transport string

// The transports of RFC 2326, 10.12 and 12.39.
const (
	UDP       Transport = "udp"
	TCP       Transport = "tcp"
	Multicast Transport = "multicast"
)

// Options are what a camera is made of. Only Clip is necessary.
type Options struct {
	Clip   *Clip
	Once   bool            // end after one round instead of starting again
	Live   <-chan LiveUnit // what is sent instead of the clip's units, which show what its tracks are then; the feeder closes it
	Listen string          // host:port of RTSP; "127.0.0.1:8554" by default, port 0 picks a free one
	Path   string          // the only path that is served, with its slash; "": every path

	User, Password string       // no user: no authentication
	Auth           []AuthMethod // DigestMD5 by default

	Transports []Transport // what readers may ask for, others get 461; UDP and TCP by default
	TLS        *tls.Config // RTSPS instead of RTSP; readers on UDP get SRTP

	MaxPacketSize  int           // of an RTP packet in bytes, 256 to 1460; 1460 by default
	ReportInterval time.Duration // between RTCP sender reports; 5 s by default
	Logger         *slog.Logger  // nil: no logs

	// Sending, unless nil, is told of each unit right before its first packet is written, on the goroutine that
	// writes: it must not block.
	Sending func(t media.Track, u Sent)
}

// Sent is a unit that a camera sends.
type Sent struct {
	Timestamp uint32 // of its RTP packets, but for the random offset of its track
	Bytes     int
}

const (
	defaultListen = "127.0.0.1:8554"
	maxPacketSize = 1460 // leaves room for SRTP and the headers of UDP and IPv6 in 1500
	minPacketSize = 256
)

func (o Options) withDefaults() (Options, error) {
	if o.Clip == nil || len(o.Clip.Tracks) == 0 {
		return o, errors.New("a camera needs a clip with at least one track")
	}
	for _, t := range o.Clip.Tracks {
		if len(t.Units) == 0 || t.Period < minPeriod {
			return o, fmt.Errorf("a camera needs tracks with units and a period of %v at least, which %s isn't", minPeriod, t.ID)
		}
	}
	if o.Listen == "" {
		o.Listen = defaultListen
	}
	if len(o.Auth) == 0 {
		o.Auth = []AuthMethod{DigestMD5}
	}
	if len(o.Transports) == 0 {
		o.Transports = []Transport{UDP, TCP}
	}
	if o.MaxPacketSize == 0 {
		o.MaxPacketSize = maxPacketSize
	}
	if o.MaxPacketSize < minPacketSize || o.MaxPacketSize > maxPacketSize {
		return o, fmt.Errorf("a camera's packets have %d to %d bytes, not %d", minPacketSize, maxPacketSize, o.MaxPacketSize)
	}
	if err := o.checkNames(); err != nil {
		return o, err
	}
	if o.ReportInterval <= 0 {
		o.ReportInterval = 5 * time.Second
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	return o, nil
}

func (o *Options) offers(t Transport) bool { return slices.Contains(o.Transports, t) }

func (o *Options) checkNames() error {
	for _, a := range o.Auth {
		if _, ok := verifyMethods[a]; !ok {
			return fmt.Errorf("a camera knows basic, digest-md5 and digest-sha256, not %q", a)
		}
	}
	for _, t := range o.Transports {
		if t != UDP && t != TCP && t != Multicast {
			return fmt.Errorf("a camera sends over udp, tcp and multicast, not %q", t)
		}
	}
	return nil
}

var verifyMethods = map[AuthMethod]auth.VerifyMethod{
	Basic: auth.VerifyMethodBasic, DigestMD5: auth.VerifyMethodDigestMD5, DigestSHA256: auth.VerifyMethodDigestSHA256,
}

func (o *Options) verifyMethods() []auth.VerifyMethod {
	var methods []auth.VerifyMethod
	for _, a := range o.Auth {
		methods = append(methods, verifyMethods[a])
	}
	return methods
}
