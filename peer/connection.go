package peer

import (
	"errors"
	"fmt"
	"net"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pion/rtcp"
	"github.com/pion/rtp"
	"github.com/pion/webrtc/v4"

	"sluice/hub"
)

// ErrPeerLeft tells that the peer has ended the connection.
var ErrPeerLeft = errors.New("the viewer has left")

// UnreachableError tells that no path to the peer was found, or that it has fallen silent.
type UnreachableError struct{ WasConnected bool }

func (e *UnreachableError) Error() string {
	if e.WasConnected {
		return "the viewer has fallen silent: no answer to connectivity checks"
	}
	return "no path between the viewer and the gateway: its UDP packets do not reach the port of webrtc.listen_udp, or ours do not reach the viewer"
}

// HandshakeError tells that packets reach the peer and come back, but that no encryption was agreed on (DTLS-SRTP).
type HandshakeError struct{}

func (e *HandshakeError) Error() string {
	return "the viewer is reached, but the DTLS handshake with it failed: its certificate is not the one of its offer, or it has no SRTP profile in common with the gateway"
}

// reportInterval is how often sender reports are sent.
const reportInterval = time.Second

// Connection is one PeerConnection that sends the tracks of a plan to a viewer. Send belongs to one goroutine; the
// other methods may be called from any.
type Connection struct {
	pc     *webrtc.PeerConnection
	answer string               // fixed after Play
	tracks map[string]*outgoing // by media.Track.ID; fixed after Play

	onKeyframe func() // fixed after Play

	connected chan struct{} // closed once ICE and DTLS are through and all tracks are bound
	steps     atomic.Int32  // how many of those are to come
	done      chan struct{} // closed when the connection is over

	readers sync.WaitGroup

	counted Counters
	total   *Counters // fixed after Play; what all connections of a stream have counted

	closing   atomic.Bool // Close has been called: pion's closed state is our doing
	dtlsOnce  sync.Once
	doneOnce  sync.Once
	closeOnce sync.Once

	mu  sync.Mutex
	err error // guarded by mu: why it is over

	reported time.Time // owned by the goroutine that calls Send
}

// Answer is the SDP answer for the viewer.
func (c *Connection) Answer() string { return c.answer }

// Connected is closed once media can flow.
func (c *Connection) Connected() <-chan struct{} { return c.connected }

// Done is closed when the connection is over; Err says why.
func (c *Connection) Done() <-chan struct{} { return c.done }

// Err is why the connection is over: ErrPeerLeft, *UnreachableError, *HandshakeError, or nil after Close.
func (c *Connection) Err() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.err
}

// Send packetises a unit and sends it, and once a second the sender reports. Units of tracks that are not in the
// plan are passed over. It must not be called before Connected is closed.
func (c *Connection) Send(u *hub.Unit) error {
	t, ok := c.tracks[u.Track.ID]
	if !ok {
		return nil
	}
	if err := t.sender.Send(u, t.write); err != nil {
		return fmt.Errorf("send %s: %w", u.Track.ID, err)
	}
	if now := time.Now(); now.Sub(c.reported) >= reportInterval {
		c.reported = now
		c.report(now)
	}
	return nil
}

// report sends the sender reports of all tracks with one reading of the clock (E48).
func (c *Connection) report(now time.Time) {
	reports := make([]rtcp.Packet, 0, len(c.tracks))
	for _, t := range c.tracks {
		if t.sender.Packets() > 0 {
			reports = append(reports, t.sender.Report(now))
		}
	}
	_ = c.pc.WriteRTCP(reports) // fails only once the connection is over, which Done tells
}

// RemoteAddress is where the viewer's packets come from, as host:port; "" before a path is found.
func (c *Connection) RemoteAddress() string {
	for _, s := range c.pc.GetSenders() {
		dtls := s.Transport()
		if dtls == nil {
			continue
		}
		pair, err := dtls.ICETransport().GetSelectedCandidatePair()
		if err == nil && pair != nil && pair.Remote != nil {
			return net.JoinHostPort(pair.Remote.Address, strconv.Itoa(int(pair.Remote.Port)))
		}
	}
	return ""
}

// Stats is what this connection has counted.
func (c *Connection) Stats() Stats { return c.counted.Stats() }

// Close ends the connection with a DTLS close_notify and waits for its goroutines. It may be called twice.
func (c *Connection) Close() {
	c.closeOnce.Do(func() {
		c.closing.Store(true)
		_ = c.pc.GracefulClose() // what is left to close is closed all the same
		c.readers.Wait()
		c.finish(nil)
	})
}

func (c *Connection) finish(err error) {
	c.doneOnce.Do(func() {
		c.mu.Lock()
		c.err = err
		c.mu.Unlock()
		close(c.done)
	})
}

// onState follows pion's view of the connection.
func (c *Connection) onState(s webrtc.PeerConnectionState) {
	switch s {
	case webrtc.PeerConnectionStateConnected:
		c.dtlsOnce.Do(c.stepDone)
	case webrtc.PeerConnectionStateFailed:
		c.finish(c.failure())
	case webrtc.PeerConnectionStateClosed:
		c.finish(c.farewell())
	}
}

// stepDone counts down to Connected: pion may report the connection before it has bound the tracks.
func (c *Connection) stepDone() {
	if c.steps.Add(-1) == 0 {
		close(c.connected)
	}
}

// failure is what pion's failed state means: its ICE part fails without a path, its DTLS part leaves ICE as it is.
func (c *Connection) failure() error {
	if ice := c.pc.ICEConnectionState(); ice != webrtc.ICEConnectionStateFailed && ice != webrtc.ICEConnectionStateClosed {
		return &HandshakeError{}
	}
	return &UnreachableError{WasConnected: c.wasConnected()}
}

// farewell is what pion's closed state means. It also closes a connection whose handshake has failed, maybe before
// it has said so.
func (c *Connection) farewell() error {
	switch {
	case c.closing.Load():
		return nil
	case !c.wasConnected():
		return &HandshakeError{}
	}
	return ErrPeerLeft
}

func (c *Connection) wasConnected() bool {
	select {
	case <-c.connected:
		return true
	default:
		return false
	}
}

// readFeedback reads what a viewer says of one of its tracks until the connection is over.
func (c *Connection) readFeedback(s *webrtc.RTPSender) {
	defer c.readers.Done()
	buf := make([]byte, 1500)
	for {
		n, _, err := s.Read(buf)
		if err != nil {
			return
		}
		packets, err := rtcp.Unmarshal(buf[:n])
		if err != nil {
			continue
		}
		for _, p := range packets {
			c.onFeedback(p)
		}
	}
}

func (c *Connection) onFeedback(p rtcp.Packet) {
	switch p := p.(type) {
	case *rtcp.PictureLossIndication, *rtcp.FullIntraRequest:
		c.onKeyframe()
	case *rtcp.TransportLayerNack:
		for _, pair := range p.Nacks {
			n := uint64(len(pair.PacketList()))
			c.counted.resends.Add(n)
			c.total.resends.Add(n)
		}
	}
}

// write is how the sender of a track puts one packet on the wire.
func (t *outgoing) write(h *rtp.Header, payload []byte) error {
	_, err := t.stream.WriteRTP(h, payload)
	t.connection.counted.sent(len(payload))
	t.connection.total.sent(len(payload))
	return err
}
