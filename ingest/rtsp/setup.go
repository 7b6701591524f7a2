package rtsp

import (
	"fmt"
)

// prepareSetup turns the engine's SETUP, which is always for interleaved packets, into one for the transport
// that the source wants.
func (c *conn) prepareSetup(x *exchange) error {
	asked := parseTransport(x.request.header.value("Transport"))
	l := &link{channel: asked.interleaved[0], camera: [2]int{-1, -1}}
	profile := "RTP/AVP"
	if asked.secure {
		profile = "RTP/SAVP"
	}

	if c.secure && !asked.secure && c.transport != TCP {
		c.fail(&TransportRefusedError{c.transport}) // rtsps never sends plain packets
		return c.cause()
	}
	transport := ""
	switch c.transport {
	case UDP:
		camera, gateway := c.hosts()
		s, err := listenUnicast(gateway, camera)
		if err != nil {
			return err
		}
		l.sockets = s
		transport = fmt.Sprintf("%s;unicast;client_port=%d-%d", profile, s.port(), s.port()+1)
	case Multicast:
		transport = profile + ";multicast"
	default:
		transport = fmt.Sprintf("%s/TCP;unicast;interleaved=%d-%d", profile, l.channel, l.channel+1)
	}
	x.link = l
	x.request.header = x.request.header.with("Transport", transport)

	c.mu.Lock()
	defer c.mu.Unlock()
	l.section = c.expected
	l.section.secure = asked.secure
	c.links = append(c.links, l)
	return nil
}

// wasSetUp reads the camera's Transport and tells the engine that it has got what it asked for.
func (c *conn) wasSetUp(x *exchange, m *message, answer header) error {
	value := m.header.value("Transport")
	t := parseTransport(value)
	if value == "" {
		t.secure = x.link.section.secure
	}
	if !c.connect(x.link, t) {
		x.link.close()
		c.reply(461, "Unsupported Transport", answer, nil)
		return nil
	}
	profile := "RTP/AVP/TCP"
	if t.secure {
		profile = "RTP/SAVP/TCP"
	}
	if k := m.header.value("KeyMgmt"); k != "" && len(k) < 2000 {
		answer = append(answer, field{"KeyMgmt", k})
	}
	ch := x.link.channel
	answer = append(answer, field{"Transport", fmt.Sprintf("%s;unicast;interleaved=%d-%d", profile, ch, ch+1)})
	x.link.active.Store(true)
	c.reply(200, "OK", answer, nil)
	return nil
}

// connect makes the link what the camera says it is, and reports false if that cannot be. Whatever source= and
// destination= say, packets come from the camera and go to it only; a destination counts as a group alone.
func (c *conn) connect(l *link, t transportHeader) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case t.tcp || t.interleaved[0] >= 0 || c.transport == TCP && t.serverPort[0] == 0 && !t.multicast:
		l.close()
		l.sockets = nil
		l.camera = c.channels(l, t.interleaved)
		return true
	case t.multicast:
		return c.join(l, t)
	case l.sockets == nil:
		return false
	}
	l.sockets.aim(t.serverPort)
	c.pump(l)
	return true
}

// channels is the interleaved channels that the camera named, or the ones that it was asked for if it named none or
// those of another link.
func (c *conn) channels(l *link, named [2]int) [2]int {
	for _, o := range c.links {
		if o.active.Load() && (o.camera[0] == named[0] || o.camera[1] == named[0] || o.camera[0] == named[1]) {
			named = [2]int{-1, -1}
		}
	}
	if named[0] < 0 {
		return [2]int{l.channel, l.channel + 1}
	}
	return named
}

// join goes over to the multicast group that the camera named.
func (c *conn) join(l *link, t transportHeader) bool {
	port := t.port
	if port[0] == 0 {
		port = t.serverPort
	}
	if !t.destination.IsMulticast() || port[0] == 0 {
		return false
	}
	camera, gateway := c.hosts()
	s, err := listenMulticast(t.destination, port, gateway, camera)
	if err != nil {
		c.fail(err)
		return false
	}
	l.close()
	l.sockets = s
	c.pump(l)
	return true
}

// pump starts to read from the link's sockets.
func (c *conn) pump(l *link) {
	for which, s := range l.sockets.conns {
		sockets := l.sockets
		c.wg.Add(1)
		go func() {
			defer c.wg.Done()
			sockets.read(s, which, func(p []byte) {
				f := newFrame(0, len(p))
				copy(f[frameHeader:], p)
				c.take(l, which, f)
			})
		}()
	}
}
