package transport

import (
	"sync/atomic"
	"syscall"
)

// Destination is a peer's address in the system's form, prepared once. It may be used with any batch of its port, from
// several goroutines.
type Destination struct {
	path Path    // fixed
	name address // fixed: what the system is given

	plain  atomic.Bool // its path does not take what the kernel cuts apart
	adrift atomic.Bool // the source address is ours no more: the system chooses

	lost  [reasons]atomic.Uint32
	fault atomic.Uint64 // 1 + reason, and the system's number above 32 bits; 0: none yet
}

// NewDestination prepares the sending to a peer.
func (p *Port) NewDestination(to Path) *Destination {
	d := &Destination{}
	d.set(to)
	return d
}

func (d *Destination) set(to Path) {
	d.path = unmapped(to)
	d.name = newAddress(d.path)
}

// Path is where it leads.
func (d *Destination) Path() Path { return d.path }

// Lost is how many datagrams could not be sent there.
func (d *Destination) Lost() uint64 {
	var all uint64
	for r := range d.lost {
		all += uint64(d.lost[r].Load())
	}
	return all
}

// LostBy is how many datagrams could not be sent there for one reason.
func (d *Destination) LostBy(r Reason) uint64 { return uint64(d.lost[r].Load()) }

// Fault is why a datagram could not be sent the last time, a *SendError; nil if none was ever lost.
func (d *Destination) Fault() error {
	f := d.fault.Load()
	if f == 0 {
		return nil
	}
	e := &SendError{Reason: Reason(uint32(f) - 1)}
	if errno := syscall.Errno(f >> 32); errno != 0 {
		e.Err = errno
	}
	return e
}

func (d *Destination) lose(datagrams int, r Reason, errno syscall.Errno) {
	d.lost[r].Add(uint32(datagrams))
	d.fault.Store(uint64(errno)<<32 | uint64(r) + 1)
}
