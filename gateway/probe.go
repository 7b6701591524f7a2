package gateway

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"net/url"
	"time"

	"sluice/hub"
	"sluice/ingest"
	"sluice/ingest/rtsp"
	"sluice/ingest/whep"
	"sluice/media"
	"sluice/peer"
	"sluice/transport"
)

const (
	probeConnect = 10 * time.Second // until the first picture or sound; UDP that does not get through costs three of it
	probeWatch   = 8 * time.Second  // at most, from then on
)

// ProbeOptions are what `gateway probe` is told on its command line.
type ProbeOptions struct {
	URL            string    // rtsp, rtsps, whep or wheps; "demo:" is the built-in camera
	Out            io.Writer // gets the report
	Transport      string    // RTSP: auto ("" too), tcp, udp or multicast
	Token          string    // WHEP: Bearer; "": none
	TLSFingerprint string    // rtsps: accept the certificate of this SHA-256 only
	TLSInsecure    bool      // rtsps: accept any certificate
	Watch          time.Duration
	Version        string
	Log            *slog.Logger
}

// NothingSeenError tells that a source was reached, but sent nothing that can be decoded.
type NothingSeenError struct {
	URL    string // redacted
	After  time.Duration
	Tracks int // that it has announced
}

func (e *NothingSeenError) Error() string {
	if e.Tracks > 0 {
		return fmt.Sprintf("%s announces %d tracks, but sent no keyframe within %v: shorten the keyframe interval in the camera's video settings",
			e.URL, e.Tracks, e.After)
	}
	return fmt.Sprintf("%s sent no media within %v", e.URL, e.After)
}

// Probe pulls a stream for some seconds and says on o.Out what it sends, how well it does, and what browsers would get
// of it. Its errors are those of the sources, and *NothingSeenError.
func Probe(ctx context.Context, o ProbeOptions) error {
	if o.Watch == 0 {
		o.Watch = probeWatch
	}
	source, closeSource, err := newProbeSource(ctx, o)
	if err != nil {
		return err
	}
	defer closeSource()
	seen, err := watchSource(ctx, source, o)
	if err != nil {
		return err
	}
	if r, ok := source.(*rtsp.Source); ok {
		s := r.Stats()
		seen.way = &probeWay{transport: string(s.Transport), packets: s.Packets, lost: s.Lost}
	}
	viewers, err := expectViewers(seen.tracks)
	if err != nil {
		return err
	}
	return reportProbe(o.Out, seen, viewers)
}

// newProbeSource makes the source of a URL, and what closes what it needs.
func newProbeSource(ctx context.Context, o ProbeOptions) (ingest.Source, func(), error) {
	nothing := func() {}
	u, err := url.Parse(o.URL)
	if err != nil {
		return nil, nil, fmt.Errorf("%s is no URL", media.RedactURL(o.URL))
	}
	switch u.Scheme {
	case "demo":
		return &demoSource{options: rtsp.Options{Log: o.Log}}, nothing, nil
	case "whep", "wheps":
		return newProbePull(ctx, o, u.Hostname())
	case "rtsp", "rtsps":
		s, err := rtsp.New(rtsp.Options{
			URL: o.URL, Transport: rtsp.Transport(o.Transport), Log: o.Log,
			TLSFingerprint: o.TLSFingerprint, TLSInsecure: o.TLSInsecure,
		})
		return s, nothing, err
	}
	return nil, nil, fmt.Errorf("%s is of no kind that can be probed: rtsp, rtsps, whep or wheps", media.RedactURL(o.URL))
}

// newProbePull makes a source that pulls from a WHEP server, with a UDP port of its own.
func newProbePull(ctx context.Context, o ProbeOptions, host string) (ingest.Source, func(), error) {
	certificate, err := transport.NewCertificate()
	if err != nil {
		return nil, nil, err
	}
	port, err := transport.Listen(ctx, transport.Options{ListenUDP: probeAddress(host), Log: o.Log})
	if err != nil {
		return nil, nil, err
	}
	engine := peer.NewEngine(ctx, peer.Options{Conn: port.Others(), Hosts: port, Certificate: certificate, Log: o.Log})
	running, stop := context.WithCancel(ctx)
	ended := make(chan struct{}) // closed by the reader of the port
	go func() {
		defer close(ended)
		_ = port.Run(running, transport.Nobody{}) // if it ends, the source hears nothing and says so
	}()
	closeAll := func() {
		engine.Close()
		stop()
		<-ended
		port.Close()
	}
	s, err := whep.New(whep.Options{URL: o.URL, Token: o.Token, UserAgent: "Sluice/" + o.Version, Engine: engine, Log: o.Log})
	if err != nil {
		closeAll()
		return nil, nil, err
	}
	return s, closeAll, nil
}

// probeAddress is where media of a server are received: a server on this machine may listen on no other interface
// than the loopback, which ports on all interfaces do not announce.
func probeAddress(host string) string {
	if ip, err := netip.ParseAddr(host); err == nil && ip.IsLoopback() {
		return net.JoinHostPort(host, "0")
	}
	if host == "localhost" {
		return "127.0.0.1:0"
	}
	return ":0"
}

// watchSource runs a source into a stream of its own until enough has been seen.
func watchSource(ctx context.Context, source ingest.Source, o ProbeOptions) (*probed, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	h := hub.New(hub.Options{})
	defer h.Close()
	stream, err := h.Create("probe")
	if err != nil {
		return nil, err
	}
	sub, err := stream.Subscribe(media.MainRendition, hub.StartKeyframe)
	if err != nil {
		return nil, err
	}
	p := &probed{url: media.RedactURL(o.URL), began: time.Now()}
	ended := make(chan error, 1) // sent to once, by the source's goroutine
	go func() {
		defer sub.Close()
		ended <- runOnce(ctx, source, stream, p)
	}()
	p.follow(ctx, sub, o.Watch)
	early, stopped := len(ended) > 0, context.Cause(ctx)
	cancel()
	err = <-ended
	switch {
	case stopped != nil:
		return nil, stopped
	case len(p.units) > 0 && early:
		p.ended = err
	case len(p.units) > 0:
	case early && err != nil:
		return nil, err
	default:
		return nil, &NothingSeenError{URL: p.url, After: probeConnect, Tracks: len(p.announced)}
	}
	return p, nil
}

// runOnce runs a source and closes what it published. What that said of its tracks stays in p.
func runOnce(ctx context.Context, source ingest.Source, stream *hub.Stream, p *probed) error {
	var publisher *hub.Publisher
	err := source.Run(ctx, func(tracks []media.Track) (*hub.Publisher, error) {
		if publisher != nil {
			publisher.Close()
		}
		opened, err := stream.Publish(media.MainRendition, tracks)
		if err != nil {
			return nil, err
		}
		publisher, p.announced = opened, tracks
		return opened, nil
	})
	if publisher != nil {
		p.tracks = publisher.Tracks()
		publisher.Close()
	}
	if err == nil {
		err = errors.New("the source ended")
	}
	return err
}
