//go:build linux

package load

import (
	"crypto/rand"
	"fmt"
	"net/netip"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// Viewer is one that has joined. Leave or Vanish ends it.
type Viewer struct {
	load          *Load // fixed after open, as all up to local
	reader        *reader
	number        uint64
	ufrag, pwd    string
	ssrc          uint32 // of its reports
	answeredCheck chan struct{}
	local         netip.AddrPort

	answer          answer // fixed once joined, as is the rest of this group
	location        string
	asked, answered time.Time
	key             []byte // of the server's checks and of our answers: our pwd
	peerKey         []byte // of our checks: the server's pwd
	pipe            *pipe

	mu       sync.Mutex
	fd       int // guarded by mu, as all that follows; -1 once closed
	heard    bool
	keys     *keys // nil until DTLS is through
	keyframe keyframe
	streams  []stream
	count    Count
	pictures *pictures // nil unless they are recorded
	visits   int
}

// Count is what a viewer has received.
type Count struct {
	Packets, Bytes uint64 // of RTP; bytes with the headers of RTP, without those of UDP
	Reports        uint64 // packets of RTCP
	Missing        uint64 // sequence numbers between the first and the last that did not come
}

// Profile is the SRTP profile that was negotiated; "" without encryption.
func (v *Viewer) Profile() string {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.keys == nil {
		return ""
	}
	return v.keys.profile
}

// Port is the viewer's UDP port.
func (v *Viewer) Port() uint16 { return v.local.Port() }

// Answered is how long the POST took.
func (v *Viewer) Answered() time.Duration { return v.answered.Sub(v.asked) }

// Count tells what has come so far.
func (v *Viewer) Count() Count {
	v.mu.Lock()
	defer v.mu.Unlock()
	c := v.count
	for i := range v.streams {
		c.Missing += v.streams[i].missing()
	}
	return c
}

// Keyframe is the time from the POST to the last packet of the first complete keyframe; false: there was none yet.
func (v *Viewer) Keyframe() (time.Duration, bool) {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.keyframe.at.Sub(v.asked), v.keyframe.done
}

// open makes a viewer with a socket, which has asked for nothing yet.
func (l *Load) open() (*Viewer, error) {
	number := l.joined.Add(1)
	v := &Viewer{
		load: l, number: number, reader: l.readers[number%uint64(len(l.readers))], fd: -1,
		ufrag: rand.Text()[:8], pwd: rand.Text(), ssrc: uint32(number), answeredCheck: make(chan struct{}),
	}
	v.key = []byte(v.pwd)
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("open a viewer's socket: %w", err)
	}
	v.fd = fd
	if err := v.bind(); err != nil {
		v.Vanish()
		return nil, fmt.Errorf("bind a viewer's socket: %w", err)
	}
	return v, nil
}

func (v *Viewer) bind() error {
	if v.load.options.GRO {
		if err := unix.SetsockoptInt(v.fd, unix.SOL_UDP, unix.UDP_GRO, 1); err != nil {
			return err
		}
	}
	if err := unix.Bind(v.fd, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}); err != nil {
		return err
	}
	at, err := unix.Getsockname(v.fd)
	if err != nil {
		return err
	}
	in := at.(*unix.SockaddrInet4)
	v.local = netip.AddrPortFrom(netip.AddrFrom4(in.Addr), uint16(in.Port))
	return nil
}

// accept takes the answer and binds the socket to the server's address.
func (v *Viewer) accept(text string) error {
	a, err := parseAnswer(text)
	if err != nil {
		return err
	}
	v.answer, v.peerKey = a, []byte(a.pwd)
	v.pipe = newPipe(v)
	to := &unix.SockaddrInet4{Addr: a.remote.Addr().As4(), Port: int(a.remote.Port())}
	return unix.Connect(v.fd, to)
}

// send writes one datagram. What the kernel refuses is lost, as on any network.
func (v *Viewer) send(data []byte) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.write(data)
}

// write is send for who holds mu.
func (v *Viewer) write(data []byte) {
	if v.fd >= 0 {
		_, _ = unix.Write(v.fd, data)
	}
}

// visit sends what is due: it comes twice a second.
func (v *Viewer) visit(now time.Time) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.visits++
	if v.keys == nil {
		return
	}
	if v.visits%reportVisits == 0 {
		v.report(now)
	}
	if v.visits%checkVisits == 0 {
		if err := v.writeCheck(false); err != nil {
			return // a message of constant size always fits
		}
	}
}

// Vanish closes the viewer without a word to the server.
func (v *Viewer) Vanish() {
	v.load.remove(v)
	v.mu.Lock()
	fd := v.fd
	v.fd = -1
	if fd >= 0 {
		_ = unix.Close(fd)
	}
	v.mu.Unlock()
	if v.pipe != nil {
		v.pipe.end()
	}
}
