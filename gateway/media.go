package gateway

import (
	"context"
	"fmt"
	"strings"

	"sluice/config"
	"sluice/fanout"
	"sluice/negotiation"
	"sluice/peer"
	"sluice/session"
	"sluice/transport"
)

// openMedia opens the one UDP port and makes what sends and receives on it: the fast way to viewers, unless it is
// switched off, and PeerConnections for all others.
func (g *Gateway) openMedia(ctx context.Context) error {
	w := g.options.Config.WebRTC
	certificate, err := transport.NewCertificate()
	if err != nil {
		return err
	}
	g.port, err = transport.Listen(ctx, transport.Options{
		ListenUDP: g.options.Config.UDPListenAddr(), Interfaces: w.Interfaces, AdditionalHosts: w.AdditionalHosts,
		ListenTCP: g.options.Config.TCPListenAddr(), STUNServers: stunServers(w), GSO: w.GSO != config.GSOOff, Log: g.log,
	})
	if err != nil {
		return err
	}
	g.engine = peer.NewEngine(ctx, peer.Options{
		Conn: g.port.Others(), Hosts: g.port, Streams: g.port.OtherStreams(), Certificate: certificate, Interfaces: w.Interfaces,
		DenyPrivateRemote: w.DenyPrivateRemote, ConsentTimeout: w.ConsentTimeout, Log: g.log,
	})
	if w.FastPath {
		g.fanout = fanout.New(fanout.Options{
			Port: g.port, Certificate: certificate, ConsentTimeout: w.ConsentTimeout, Log: g.log,
		})
	}
	return nil
}

// stunServers are the URLs of the servers that find the public address; none if it is not looked for.
func stunServers(w config.WebRTC) []string {
	if w.PublicAddress != config.PublicBySTUN {
		return nil
	}
	var all []string
	for _, server := range w.ICEServers {
		for _, url := range server.URLs {
			if strings.HasPrefix(url, "stun:") {
				all = append(all, url)
			}
		}
	}
	return all
}

// fastWay is the way that viewers go if they can; nil if it is switched off.
func (g *Gateway) fastWay() session.Fast {
	switch {
	case g.fanout == nil:
		return nil
	case g.options.Config.WebRTC.PublicAddress == config.PublicBySTUN:
		return behindNAT{session.OnFanout(g.fanout)}
	}
	return session.OnFanout(g.fanout)
}

// behindNAT is the fast way of a gateway that must send checks of its own to be reached (A59): it serves nobody.
type behindNAT struct{ session.Fast }

// SlowReason implements session.Fast.
func (behindNAT) SlowReason(*negotiation.Offer) string { return fanout.SlowPublicAddress }

// runMedia reads the port until ctx is done.
func (g *Gateway) runMedia(ctx context.Context) error {
	var err error
	if g.fanout != nil {
		err = g.fanout.Run(ctx)
	} else {
		err = g.port.Run(ctx, transport.Nobody{})
	}
	if err != nil {
		return fmt.Errorf("webrtc.listen_udp: %w", err)
	}
	return nil
}
