package gateway

import (
	"fmt"

	"sluice/config"
	"sluice/ingest"
	"sluice/ingest/capture"
	"sluice/ingest/gst"
	"sluice/ingest/rtsp"
	"sluice/ingest/whep"
	"sluice/media"
	"sluice/negotiation"
	"sluice/peer"
	"sluice/push"
	"sluice/rtpout"
)

// feed makes what runs for a stream: the supervisor of its source, and what sends it on.
func (g *Gateway) feed(e *entry) error {
	for _, c := range e.config.Push {
		p, err := push.New(push.Options{
			Stream: e.stream, URL: c.URL, Token: string(c.Token), UserAgent: g.userAgent(), Engine: lateEngine{g},
			Log: g.log.With("stream", e.name),
		})
		if err != nil {
			return fmt.Errorf("push: %w", err)
		}
		e.pushes = append(e.pushes, p)
	}
	e.transcoder = g.newTranscoder(e)
	source, err := g.newSource(e.name, e.config)
	if err != nil || source == nil {
		return err
	}
	e.supervisor = &ingest.Supervisor{
		Stream: e.stream, Rendition: media.MainRendition, Source: source, Log: g.log.With("stream", e.name),
		OnDemand: e.config.OnDemand, CloseAfter: e.config.OnDemandCloseAfter,
	}
	return nil
}

// newSource makes the source of a stream; nil if publishers feed it.
func (g *Gateway) newSource(name string, c config.Stream) (ingest.Source, error) {
	log := g.log.With("stream", name)
	switch c.Scheme() {
	case config.PublishSource:
		return nil, nil
	case "gst":
		return gst.New(gst.Options{
			Pipeline: c.Pipeline(), Workers: g.workers.gst, Encoders: g.workers.transcoder,
			Allow: g.options.Config.Transcode.AllowElements, ReadTimeout: c.ReadTimeout, Log: log,
		})
	case "device":
		return capture.New(capture.Options{
			Device: c.Device(), Capture: g.workers.capture, GST: g.workers.gst, Encoders: g.workers.transcoder,
			ReadTimeout: c.ReadTimeout, Log: log,
		})
	case "demo":
		return &demoSource{options: rtsp.Options{ReadTimeout: c.ReadTimeout, Log: log}}, nil
	case "whep", "wheps":
		return whep.New(whep.Options{
			URL: c.Source, Token: string(c.Token), UserAgent: g.userAgent(), Engine: lateEngine{g}, Log: log,
		})
	}
	return rtsp.New(rtsp.Options{
		URL: c.Source, Transport: rtsp.Transport(c.Transport), ReadTimeout: c.ReadTimeout,
		TLSFingerprint: c.TLSFingerprint, TLSInsecure: c.TLSInsecure, Log: log,
	})
}

// userAgent is how the gateway names itself to other servers.
func (g *Gateway) userAgent() string { return "Sluice/" + g.options.Version }

// lateEngine is the engine for sources, which are made before it.
type lateEngine struct{ gateway *Gateway }

// OfferReceive offers to receive.
func (l lateEngine) OfferReceive(o peer.ReceiveOptions) (*peer.Reception, error) {
	return l.gateway.engine.OfferReceive(o)
}

// OfferPlay offers to send.
func (l lateEngine) OfferPlay(tracks []media.Track, o rtpout.PlayOptions) (*peer.Connection, error) {
	return l.gateway.engine.OfferPlay(tracks, o)
}

// Receive answers a server that offers to send.
func (l lateEngine) Receive(offer *negotiation.Offer, plan *negotiation.Plan, o peer.ReceiveOptions) (*peer.Reception, error) {
	return l.gateway.engine.Receive(offer, plan, o)
}
