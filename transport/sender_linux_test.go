package transport

import (
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// kernel is a system that refuses what a test wants refused, and keeps what it takes.
type kernel struct {
	refuse func(m asked) syscall.Errno // 0: takes it
	got    map[netip.AddrPort][]string
	calls  int
}

// asked is one message that the system is given.
type asked struct {
	to      netip.AddrPort
	source  bool
	segment int // 0: it is one datagram
	data    []byte
}

func (k *kernel) call(_ uintptr, messages []mmsghdr) (int, syscall.Errno) {
	k.calls++
	for i := range messages {
		m := read(&messages[i].hdr)
		if errno := k.refuse(m); errno != 0 {
			if i > 0 {
				return i, 0
			}
			return 0, errno
		}
		for d := range split(m.data, m.segment) {
			k.got[m.to] = append(k.got[m.to], string(d))
		}
	}
	return len(messages), 0
}

func read(h *unix.Msghdr) asked {
	m := asked{to: remoteOf(unsafe.Slice(h.Name, h.Namelen)), data: unsafe.Slice(h.Iov.Base, int(h.Iov.Len))}
	if h.Control == nil {
		return m
	}
	b := unsafe.Slice(h.Control, int(h.Controllen))
	for len(b) > 0 {
		c, data, rest, err := unix.ParseOneSocketControlMessage(b)
		if err != nil {
			break
		}
		if c.Level == unix.IPPROTO_UDP {
			m.segment = int(binary.NativeEndian.Uint16(data))
		} else {
			m.source = true
		}
		b = rest
	}
	return m
}

// faults are refusals, and what must become of a run of datagrams for two viewers all the same.
var faults = map[string]struct {
	refuse func(m asked, call int) syscall.Errno
	lost   map[netip.AddrPort]int // of the 20 for each
	reason Reason
	gso    bool // is used afterwards
	plain  bool // alice gets datagrams one by one afterwards
	adrift bool // alice's come from any address afterwards
}{
	"nothing": {func(asked, int) syscall.Errno { return 0 }, nil, 0, true, false, false},
	"no GSO in the network card": {func(m asked, _ int) syscall.Errno {
		if m.segment > 0 {
			return syscall.EIO
		}
		return 0
	}, nil, 0, false, false, false},
	"a tunnel that is too narrow": {func(m asked, _ int) syscall.Errno {
		if m.segment > 0 && m.to == alice {
			return syscall.EMSGSIZE
		}
		return 0
	}, nil, 0, true, true, false},
	"the same, as older kernels say it": {func(m asked, _ int) syscall.Errno {
		if m.segment > 0 && m.to == alice {
			return syscall.EINVAL
		}
		return 0
	}, nil, 0, true, true, false},
	"our address has gone": {func(m asked, _ int) syscall.Errno {
		if m.source && m.to == alice {
			return syscall.EINVAL
		}
		return 0
	}, nil, 0, true, false, true},
	"the same, as newer kernels say it": {func(m asked, _ int) syscall.Errno {
		if m.source && m.to == alice {
			return syscall.ENETUNREACH
		}
		return 0
	}, nil, 0, true, false, true},
	"our address has gone and the tunnel is narrow": {func(m asked, _ int) syscall.Errno {
		if m.to == alice && (m.source || m.segment > 0) {
			return syscall.EINVAL
		}
		return 0
	}, nil, 0, true, true, true},
	"interrupted": {func(_ asked, call int) syscall.Errno {
		if call%2 == 0 {
			return syscall.EINTR
		}
		return 0
	}, nil, 0, true, false, false},
	"full for a moment": {func(_ asked, call int) syscall.Errno {
		if call < 3 {
			return syscall.EAGAIN
		}
		return 0
	}, nil, 0, true, false, false},
	"full": {func(m asked, _ int) syscall.Errno {
		if m.to == alice {
			return syscall.EAGAIN
		}
		return 0
	}, map[netip.AddrPort]int{alice: 20}, Full, true, false, false},
	"filtered": {func(m asked, _ int) syscall.Errno {
		if m.to == alice {
			return syscall.EPERM
		}
		return 0
	}, map[netip.AddrPort]int{alice: 20}, Forbidden, true, false, false},
	"no network": {func(asked, int) syscall.Errno { return syscall.ENETUNREACH }, map[netip.AddrPort]int{alice: 20, bob: 20}, Unreachable, true, false, false},
	"no host": {func(m asked, _ int) syscall.Errno {
		if m.to == alice {
			return syscall.EHOSTUNREACH
		}
		return 0
	}, map[netip.AddrPort]int{alice: 20}, Unreachable, true, false, false},
	"no memory": {func(m asked, _ int) syscall.Errno {
		if m.to == bob {
			return syscall.ENOBUFS
		}
		return 0
	}, map[netip.AddrPort]int{bob: 20}, NoMemory, true, false, false},
	"one datagram is too large": {func(m asked, _ int) syscall.Errno {
		if m.to == alice && (m.segment > 0 || strings.HasPrefix(string(m.data), "000007")) {
			return syscall.EMSGSIZE
		}
		return 0
	}, map[netip.AddrPort]int{alice: 1}, TooLarge, true, true, false},
	"all is refused": {func(asked, int) syscall.Errno { return syscall.EINVAL }, map[netip.AddrPort]int{alice: 20, bob: 20}, Unreachable, true, true, false},
}

// TestRefused sends while the system refuses some of it: order is kept, nothing comes twice, and nothing is lost but
// what can't be sent.
func TestRefused(t *testing.T) {
	for name, c := range faults {
		t.Run(name, func(t *testing.T) {
			p, k, b := refusing(t)
			k.refuse = func(m asked) syscall.Errno { return c.refuse(m, k.calls) }
			to := map[netip.AddrPort]*Destination{
				alice: p.NewDestination(Path{Remote: alice, Local: ours}), bob: p.NewDestination(Path{Remote: bob, Local: ours}),
			}
			sent := datagrams(slices.Concat(repeat(7, 1188), repeat(3, 400), repeat(7, 1188), []int{100, 1200, 1000})...)
			for half := range 2 {
				for _, who := range []netip.AddrPort{alice, bob} {
					b.To(to[who])
					add(b, sent[half*10:half*10+10]...)
				}
			}
			b.Flush()
			for who, d := range to {
				if got := k.got[who]; !inOrder(got, sent) || len(got)+c.lost[who] != len(sent) {
					t.Errorf("%v got %d datagrams, in order and as sent: %t; want %d", who, len(got), inOrder(got, sent), len(sent)-c.lost[who])
				}
				checkLoss(t, d, c.lost[who], c.reason)
			}
			if a := to[alice]; p.v4[0].gso.Load() != c.gso || a.plain.Load() != c.plain || a.adrift.Load() != c.adrift {
				t.Errorf("GSO %t, plain %t, adrift %t", p.v4[0].gso.Load(), a.plain.Load(), a.adrift.Load())
			}
			if s := p.Stats(); s.Lost[c.reason] != uint64(c.lost[alice]+c.lost[bob]) || s.Sent.Datagrams != uint64(len(k.got[alice])+len(k.got[bob])) {
				t.Errorf("counted %+v", s)
			}
		})
	}
}

// refusing is a port whose batch sends to a kernel of the test's own.
func refusing(t *testing.T) (*Port, *kernel, *Batch) {
	t.Helper()
	p := listen(t, Options{GSO: true, Sockets: 1})
	p.v4[0].gso.Store(true)
	b := p.NewBatch()
	k := &kernel{got: make(map[netip.AddrPort][]string)}
	b.v4.sender.call = k.call
	b.v4.sender.await = func(uintptr, time.Duration) bool { return k.calls < 3 }
	return p, k, b
}

// inOrder reports whether got is a part of sent, each once and in its order.
func inOrder(got, sent []string) bool {
	for _, s := range sent {
		if len(got) > 0 && got[0] == s {
			got = got[1:]
		}
	}
	return len(got) == 0
}

func checkLoss(t *testing.T, d *Destination, lost int, r Reason) {
	t.Helper()
	if d.Lost() != uint64(lost) || d.LostBy(r) != uint64(lost) {
		t.Errorf("counted %d lost, %d as %v, want %d", d.Lost(), d.LostBy(r), r, lost)
	}
	err := d.Fault()
	if lost == 0 {
		if err != nil {
			t.Errorf("the fault is %v", err)
		}
		return
	}
	var e *SendError
	if !errors.As(err, &e) || e.Reason != r || e.Err == nil || !strings.Contains(err.Error(), r.String()) {
		t.Errorf("the fault is %v, want one that says %v", err, r)
	}
}

// TestRefusalIsRemembered sends after a refusal: nothing is refused twice.
func TestRefusalIsRemembered(t *testing.T) {
	for name, errno := range map[string]syscall.Errno{"socket": syscall.EIO, "destination": syscall.EMSGSIZE} {
		t.Run(name, func(t *testing.T) {
			p, k, b := refusing(t)
			var log strings.Builder
			p.v4[0].log = slog.New(slog.NewTextHandler(&log, nil))
			refused := 0
			k.refuse = func(m asked) syscall.Errno {
				if m.segment > 0 {
					refused++
					return errno
				}
				return 0
			}
			b.To(p.NewDestination(Path{Remote: alice}))
			for range 3 {
				add(b, datagrams(repeat(10, 1000)...)...)
				b.Flush()
			}
			if refused != 1 || len(k.got[alice]) != 30 || k.calls != 4 {
				t.Errorf("%d calls, of which %d were refused, sent %d datagrams", k.calls, refused, len(k.got[alice]))
			}
			if told := strings.Count(log.String(), "\n"); told > 1 || told == 0 && errno == syscall.EIO {
				t.Errorf("told %d times:\n%s", told, log.String())
			}
		})
	}
}

// TestFullBufferDoesNotBlock waits for room at most some milliseconds, however much is to be sent.
func TestFullBufferDoesNotBlock(t *testing.T) {
	p, k, b := refusing(t)
	k.refuse = func(asked) syscall.Errno { return syscall.EAGAIN }
	waited := time.Duration(0)
	b.v4.sender.await = func(_ uintptr, d time.Duration) bool { waited = max(waited, d); return false }
	b.To(p.NewDestination(Path{Remote: alice}))
	add(b, datagrams(repeat(200, 1200)...)...)
	b.Flush()
	if waited <= 0 || waited > patience || p.Stats().Lost[Full] != 200 {
		t.Errorf("waited %v, lost %v", waited, p.Stats().Lost)
	}
}

// TestSendDoesNotAllocate covers a batch, and a single datagram.
func TestSendDoesNotAllocate(t *testing.T) {
	p := listen(t, Options{GSO: true})
	v := viewer(t, "127.0.0.1:0")
	to := Path{Remote: addrOf(v)}
	b, d, data := p.NewBatch(), p.NewDestination(to), make([]byte, 1188)
	batch := func() {
		b.To(d)
		for range 100 {
			b.Add(copy(b.Buffer(), data))
		}
		b.Flush()
	}
	single := func() { _ = p.WriteTo(data, to) }
	others := func() { _, _ = p.Others().WriteToAddrPort(data, to.Remote) }
	for name, f := range map[string]func(){"batch": batch, "single": single, "others": others} {
		if n := testing.AllocsPerRun(100, f); n != 0 {
			t.Errorf("%s: %v allocations", name, n)
		}
	}
}

func BenchmarkBatch(b *testing.B) {
	for _, gso := range []bool{true, false} {
		for _, run := range []int{1, 8, 50} {
			b.Run(fmt.Sprintf("gso=%t/datagrams=%d", gso, run), func(b *testing.B) {
				p := listen(b, Options{GSO: gso})
				d := p.NewDestination(Path{Remote: addrOf(viewer(b, "127.0.0.1:0"))})
				batch, data := p.NewBatch(), make([]byte, 1188)
				b.ReportAllocs()
				for b.Loop() {
					batch.To(d)
					for range run {
						batch.Add(copy(batch.Buffer(), data))
					}
					batch.Flush()
				}
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*run), "ns/datagram")
			})
		}
	}
}

func TestAwaitWritable(t *testing.T) {
	fds := make([]int, 2)
	if err := unix.Pipe2(fds, unix.O_NONBLOCK|unix.O_CLOEXEC); err != nil {
		t.Fatal(err)
	}
	defer func() { _, _ = unix.Close(fds[0]), unix.Close(fds[1]) }()
	if !awaitWritable(uintptr(fds[1]), patience) {
		t.Error("an empty pipe has no room")
	}
	for {
		if _, err := unix.Write(fds[1], make([]byte, 4096)); err != nil {
			break
		}
	}
	if awaitWritable(uintptr(fds[1]), time.Microsecond) {
		t.Error("a full pipe has room")
	}
}
