//go:build linux

package main

import (
	"crypto/aes"
	"crypto/cipher"
	"encoding/binary"
	"fmt"
	"net/netip"
	"unsafe"

	"golang.org/x/sys/unix"
)

// The payload types and SSRCs that the load bench counts by.
const (
	videoPayload = 102
	audioPayload = 111
	headerSize   = 12 // of RTP
	slabSize     = 256 << 10
	maxMessages  = 512
	maxRun       = 64 // packets that the kernel takes as one
)

// viewer is one address, and where its sequence numbers stand.
type viewer struct {
	to           unix.RawSockaddrInet4
	seal         cipher.AEAD
	video, audio uint16
}

func newViewer(to netip.AddrPort) (*viewer, error) {
	block, err := aes.NewCipher(make([]byte, 16))
	if err != nil {
		return nil, err
	}
	seal, err := cipher.NewGCM(block)
	if err != nil {
		return nil, err
	}
	v := &viewer{seal: seal}
	v.to.Family, v.to.Addr = unix.AF_INET, to.Addr().As4()
	port := (*[2]byte)(unsafe.Pointer(&v.to.Port)) // the kernel has it with the high byte first
	binary.BigEndian.PutUint16(port[:], to.Port())
	return v, nil
}

// message is struct mmsghdr of sendmmsg(2).
type message struct {
	header unix.Msghdr
	length uint32
}

// sender seals packets into a slab, and writes it with one call.
type sender struct {
	fd      int
	gso     bool
	payload []byte
	nonce   [12]byte
	slab    []byte
	used    int

	messages []message
	parts    []unix.Iovec
	controls [][32]byte
	count    int
}

func newSender(gso bool) (*sender, error) {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("open the socket: %w", err)
	}
	return &sender{
		fd: fd, gso: gso, payload: make([]byte, maxPayload), slab: make([]byte, slabSize),
		messages: make([]message, maxMessages), parts: make([]unix.Iovec, maxMessages), controls: make([][32]byte, maxMessages),
	}, nil
}

func (s *sender) close() { _ = unix.Close(s.fd) }

// send writes n packets to each viewer, each with a header, size bytes and a seal.
func (s *sender) send(viewers []*viewer, n, size int, video bool) error {
	for _, v := range viewers {
		sealed := headerSize + size + v.seal.Overhead()
		for sent := 0; sent < n; {
			run := 1
			if s.gso {
				run = min(n-sent, maxRun, 65000/sealed)
			}
			if s.count == maxMessages || s.used+run*sealed > len(s.slab) {
				if err := s.flush(); err != nil {
					return err
				}
			}
			start := s.used
			for range run {
				sent++
				s.write(v, size, video, video && sent == n)
			}
			s.add(v, s.slab[start:s.used], sealed)
		}
	}
	return s.flush()
}

// write seals one packet into the slab.
func (s *sender) write(v *viewer, size int, video, last bool) {
	b := s.slab[s.used : s.used+headerSize]
	b[0], b[1] = 0x80, audioPayload
	seq := &v.audio
	if video {
		b[1], seq = videoPayload, &v.video
	}
	if last {
		b[1] |= 0x80
	}
	*seq++
	binary.BigEndian.PutUint16(b[2:], *seq)
	binary.BigEndian.PutUint32(b[8:], uint32(b[1]&0x7f))
	copy(s.nonce[:], b)
	s.used += len(v.seal.Seal(b, s.nonce[:], s.payload[:size], b))
}

// add makes a message of a run of packets of size bytes.
func (s *sender) add(v *viewer, run []byte, size int) {
	h, part := &s.messages[s.count].header, &s.parts[s.count]
	part.Base = &run[0]
	part.SetLen(len(run))
	*h = unix.Msghdr{Name: (*byte)(unsafe.Pointer(&v.to)), Namelen: unix.SizeofSockaddrInet4, Iov: part}
	h.SetIovlen(1)
	if len(run) > size {
		control := s.controls[s.count][:unix.CmsgSpace(2)]
		c := (*unix.Cmsghdr)(unsafe.Pointer(&control[0]))
		c.Level, c.Type = unix.SOL_UDP, unix.UDP_SEGMENT
		c.SetLen(unix.CmsgLen(2))
		binary.NativeEndian.PutUint16(control[unix.CmsgLen(0):], uint16(size))
		h.Control = &control[0]
		h.SetControllen(len(control))
	}
	s.count++
}

// flush writes what is in the slab. A viewer that has gone costs the rest nothing.
func (s *sender) flush() error {
	for done := 0; done < s.count; {
		n, _, errno := unix.Syscall6(unix.SYS_SENDMMSG, uintptr(s.fd), uintptr(unsafe.Pointer(&s.messages[done])), uintptr(s.count-done), 0, 0, 0)
		switch {
		case errno == unix.ECONNREFUSED || errno == unix.EINTR:
			continue
		case errno != 0:
			return fmt.Errorf("send packets: %w", errno)
		}
		done += int(n)
	}
	s.count, s.used = 0, 0
	return nil
}
