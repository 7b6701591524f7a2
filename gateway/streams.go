package gateway

import (
	"sluice/config"
	"sluice/ingest"
	"sluice/ingest/rtsp"
	"sluice/media"
)

// addStream makes a stream of the configuration and what keeps its source running.
func (g *Gateway) addStream(name string, c config.Stream) error {
	log := g.log.With("stream", name)
	var source ingest.Source
	if c.Source == config.DemoSource {
		source = &demoSource{options: rtsp.Options{ReadTimeout: c.ReadTimeout, Log: log}}
	} else {
		s, err := rtsp.New(rtsp.Options{
			URL: c.Source, Transport: rtsp.Transport(c.Transport), ReadTimeout: c.ReadTimeout,
			TLSFingerprint: c.TLSFingerprint, TLSInsecure: c.TLSInsecure, Log: log,
		})
		if err != nil {
			return err
		}
		source = s
	}
	stream, err := g.hub.Create(name)
	if err != nil {
		return err
	}
	g.supervisors[name] = &supervised{
		source: media.RedactURL(c.Source),
		Supervisor: &ingest.Supervisor{
			Stream: stream, Rendition: media.MainRendition, Source: source, Log: log,
			OnDemand: c.OnDemand, CloseAfter: c.OnDemandCloseAfter,
		},
	}
	return nil
}
