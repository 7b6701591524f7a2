package peer

import (
	"errors"
	"net"
	"strconv"
	"sync"
	"sync/atomic"

	"github.com/pion/webrtc/v4"

	"sluice/negotiation"
	"sluice/transport"
)

// link is the PeerConnection under a Connection or a Reception: how it was negotiated, and how it lives and ends. Its
// exported methods may be called from any goroutine.
type link struct {
	engine   *Engine                // fixed
	pc       *webrtc.PeerConnection // fixed
	mux      *announcedMux          // fixed: the port it uses
	border   *border                // fixed: what its packets pass
	witness  *transport.Witness     // fixed: sees its packets before that
	plan     *negotiation.Plan      // fixed; nil if we offer
	loopback bool                   // fixed: loopback addresses are of use to the peer
	dial     bool                   // fixed: TCP candidates of the peer are dialled
	visited  bool                   // fixed: the peer that gets our offer has come to us, to the ports of all media

	connected chan struct{} // closed once ICE and DTLS are through and all that must be ready is
	steps     atomic.Int32  // how many of those are to come
	doubt     chan struct{} // capacity 1; sent to by pion, never closed
	done      chan struct{} // closed when the connection is over

	readers sync.WaitGroup

	found, keyed, heard atomic.Bool // ICE has found a path, DTLS has keys, the peer has used them

	closing   atomic.Bool // Close has been called: pion's closed state is our doing
	dtlsOnce  sync.Once
	doneOnce  sync.Once
	closeOnce sync.Once

	exchange sync.Mutex // taken before mu; one step of the offer/answer exchange at a time

	offer  *negotiation.Offer  // guarded by exchange: the peer's, with its present credentials; nil if we offer
	ours   string              // guarded by exchange: our offer as the library knows it; "" if the peer offers
	answer *negotiation.Answer // guarded by exchange: the peer's, to our offer

	look   sync.Mutex       // held while the library is asked for its pairs
	looked []transport.Pair // guarded by look: what it told last
	blind  bool             // guarded by look: it is not asked any more

	mu          sync.Mutex
	description string // guarded by mu: our SDP for the peer
	err         error  // guarded by mu: why it is over
}

func newLink(e *Engine, pc *webrtc.PeerConnection, mux *announcedMux, w *transport.Witness, b *border, loopback bool) link {
	return link{
		engine: e, pc: pc, mux: mux, border: b, witness: w, loopback: loopback,
		connected: make(chan struct{}), doubt: make(chan struct{}, 1), done: make(chan struct{}),
	}
}

// Description is the SDP for the peer: our answer to its offer, or our offer.
func (l *link) Description() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.description
}

func (l *link) describe(sdp string) {
	l.mu.Lock()
	l.description = sdp
	l.mu.Unlock()
}

// Connected is closed once media can flow.
func (l *link) Connected() <-chan struct{} { return l.connected }

// Disconnected is signalled when a peer that was connected has been silent for some seconds: it may come back by
// itself, after an ICE restart, or never.
func (l *link) Disconnected() <-chan struct{} { return l.doubt }

func (l *link) onICEState(s webrtc.ICEConnectionState) {
	if s == webrtc.ICEConnectionStateConnected || s == webrtc.ICEConnectionStateCompleted {
		l.found.Store(true)
	}
	if s != webrtc.ICEConnectionStateDisconnected {
		return
	}
	select {
	case l.doubt <- struct{}{}:
	default:
	}
}

// Done is closed when the connection is over; Err says why.
func (l *link) Done() <-chan struct{} { return l.done }

// Err is why the connection is over: transport.ErrPeerLeft, *transport.UnreachableError, *transport.HandshakeError,
// *transport.FloodError, what ended the feed of a Connection, or nil after Close.
func (l *link) Err() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.err
}

// errClosed stands for the end that Close has brought.
var errClosed = errors.New("the connection has been closed")

func (l *link) why() error {
	if err := l.Err(); err != nil {
		return err
	}
	return errClosed
}

// RemoteAddress is where the peer's packets come from, as host:port; "" before a path is found.
func (l *link) RemoteAddress() string {
	if !l.hasPath() {
		return ""
	}
	pair, err := l.ice().GetSelectedCandidatePair()
	if err != nil || pair == nil || pair.Remote == nil {
		return ""
	}
	return net.JoinHostPort(pair.Remote.Address, strconv.Itoa(int(pair.Remote.Port)))
}

// hasPath reports whether ICE has found a path. The library may not be asked for the selected pair before: it reads
// without a lock what it writes when ICE begins.
func (l *link) hasPath() bool { return l.found.Load() || l.keyed.Load() }

// ice is the one transport of all that is bundled.
func (l *link) ice() *webrtc.ICETransport { return l.pc.SCTP().Transport().ICETransport() }

// Close ends the connection with a DTLS close_notify and waits for its goroutines. It may be called twice.
func (l *link) Close() {
	l.closeOnce.Do(func() {
		l.mu.Lock()
		l.closing.Store(true) // under mu: no reader begins from now on
		l.mu.Unlock()
		l.lookNoMore()
		l.finish(nil)            // lets go whoever waits to deliver something
		_ = l.pc.GracefulClose() // what is left to close is closed all the same
		l.readers.Wait()
	})
}

// startReader reports false if the connection is being closed; else readers.Done must follow.
func (l *link) startReader() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closing.Load() {
		return false
	}
	l.readers.Add(1)
	return true
}

func (l *link) finish(err error) {
	l.doneOnce.Do(func() {
		l.mu.Lock()
		l.err = err
		l.mu.Unlock()
		close(l.done)
	})
}

// floods ends the connection of a peer that sends too much.
func (l *link) floods() { l.finish(&transport.FloodError{}) }

// onState follows pion's view of the connection.
func (l *link) onState(s webrtc.PeerConnectionState) {
	switch s {
	case webrtc.PeerConnectionStateConnected:
		l.keyed.Store(true)
		l.dtlsOnce.Do(l.stepDone)
	case webrtc.PeerConnectionStateFailed:
		l.finish(l.failure())
	case webrtc.PeerConnectionStateClosed:
		l.finish(l.farewell())
	}
}

// stepDone counts down to Connected: pion may report the connection before it has bound the tracks.
func (l *link) stepDone() {
	if l.steps.Add(-1) == 0 {
		close(l.connected)
	}
}

// failure is what pion's failed state means: its ICE part fails without a path, its DTLS part leaves ICE as it is.
func (l *link) failure() error {
	if ice := l.pc.ICEConnectionState(); ice != webrtc.ICEConnectionStateFailed && ice != webrtc.ICEConnectionStateClosed {
		return l.failedHandshake()
	}
	return &transport.UnreachableError{WasConnected: l.wasConnected()}
}

// farewell is what pion's closed state means. It also closes a connection whose handshake has failed, maybe before
// it has said so.
func (l *link) farewell() error {
	switch {
	case l.closing.Load():
		return nil
	case !l.wasConnected():
		return l.failedHandshake()
	}
	return transport.ErrPeerLeft
}

func (l *link) wasConnected() bool {
	select {
	case <-l.connected:
		return true
	default:
		return false
	}
}
