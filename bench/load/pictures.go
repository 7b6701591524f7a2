//go:build linux

package load

import (
	"golang.org/x/sys/unix"
)

// Picture is one picture as it came to a viewer's socket.
type Picture struct {
	Timestamp uint32 // of RTP
	Bytes     int    // of its packets
	At        int64  // when its last packet came to the socket, in nanoseconds of Unix time
}

// pictures are those that came since Stamp.
type pictures struct {
	all   []Picture
	bytes int
}

func (p *pictures) add(timestamp uint32, last bool, size int, at int64) {
	p.bytes += size
	if last {
		p.all = append(p.all, Picture{Timestamp: timestamp, Bytes: p.bytes, At: at})
		p.bytes = 0
	}
}

// Stamp has the kernel stamp what arrives, and records the pictures until Pictures takes them. It costs the sender
// some time for each packet, so it is no time to measure that.
func (v *Viewer) Stamp() error {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.pictures = &pictures{}
	return unix.SetsockoptInt(v.fd, unix.SOL_SOCKET, unix.SO_TIMESTAMPNS, 1)
}

// Pictures ends what Stamp began and returns the pictures but for the first, which may be part of one.
func (v *Viewer) Pictures() ([]Picture, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	all := v.pictures.all
	v.pictures = nil
	return all[min(1, len(all)):], unix.SetsockoptInt(v.fd, unix.SOL_SOCKET, unix.SO_TIMESTAMPNS, 0)
}
