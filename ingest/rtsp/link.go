package rtsp

import (
	"encoding/binary"
	"sync/atomic"
)

const (
	rtpHeader = 12
	rtcpSR    = 200
)

// link is the way that the packets of one section take.
type link struct {
	channel int     // the engine's, for RTP; RTCP has the next one
	section section // what it carries

	active  atomic.Bool // SETUP has succeeded
	camera  [2]int      // guarded by conn.mu: the camera's interleaved channels of RTP and RTCP; -1 for none
	sockets *sockets    // guarded by conn.mu: nil when interleaved

	first, current atomic.Uint64 // SSRCs that the camera began with and uses now, plus 1<<32; 0 for none yet
}

// link finds the link of one of the camera's channels, and which of the two it is.
func (c *conn) link(channel int) (l *link, which int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, l := range c.links {
		for which, ch := range l.camera {
			if ch == channel && l.active.Load() {
				return l, which
			}
		}
	}
	return nil, 0
}

// close ends a link that has sockets.
func (l *link) close() {
	l.active.Store(false)
	if l.sockets != nil {
		l.sockets.close()
	}
}

func (c *conn) receiveFrame(f []byte) {
	if l, which := c.link(int(f[1])); l != nil {
		c.take(l, which, f)
	}
}

// take hands a packet to the engine, repaired and under the engine's channel. Packets before PLAY are dropped:
// the engine would take them for a broken connection.
func (c *conn) take(l *link, which int, frame []byte) {
	if !c.playing.Load() || c.leaving.Load() {
		return
	}
	if !l.section.secure {
		l.repair(which, frame[frameHeader:])
	}
	frame[1] = byte(l.channel + which)
	c.deliver(frame)
}

// repair makes the engine take a packet that it would drop: one with another payload type than described, if
// only one was described, and one with another SSRC than the first. (The jump of the sequence numbers tells
// the receiver behind the engine what has happened.)
func (l *link) repair(which int, p []byte) {
	switch {
	case which == 0 && len(p) >= rtpHeader:
		if l.section.only {
			p[1] = p[1]&0x80 | byte(l.section.payloadType)
		}
		l.unify(p[8:12], true)
	case which == 1 && len(p) >= 8 && p[1] == rtcpSR:
		l.unify(p[4:8], false)
	}
}

// unify overwrites an SSRC by the first one of the link. Only RTP says what the current one is.
func (l *link) unify(p []byte, rtp bool) {
	ssrc := uint64(binary.BigEndian.Uint32(p)) | 1<<32
	if rtp {
		l.first.CompareAndSwap(0, ssrc)
		l.current.Store(ssrc)
	}
	if ssrc == l.current.Load() {
		binary.BigEndian.PutUint32(p, uint32(l.first.Load()))
	}
}

// sendPacket sends an interleaved packet of the engine to the camera.
func (c *conn) sendPacket(frame []byte) error {
	l, which := c.engineLink(int(frame[1]))
	if l == nil {
		return nil
	}
	c.mu.Lock()
	sockets, channel := l.sockets, l.camera[which]
	c.mu.Unlock()
	if sockets != nil {
		sockets.send(which, frame[frameHeader:])
		return nil
	}
	copied := newFrame(byte(channel), len(frame)-frameHeader)
	copy(copied[frameHeader:], frame[frameHeader:])
	return c.transmit(copied)
}

func (c *conn) engineLink(channel int) (l *link, which int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, l := range c.links {
		if which := channel - l.channel; (which == 0 || which == 1) && l.active.Load() {
			return l, which
		}
	}
	return nil, 0
}

// punch opens the way through firewalls and address translators for all sockets.
func (c *conn) punch() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, l := range c.links {
		if l.active.Load() && l.sockets != nil {
			l.sockets.punch()
		}
	}
}
