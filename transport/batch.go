package transport

// What one batch and one message hold.
const (
	slabSize    = 256 << 10
	maxMessages = 512
	maxSegments = 64     // UDP_MAX_SEGMENTS of older kernels
	maxMessage  = 65_000 // bytes; with the headers of one datagram below 64 KiB
)

// message is one datagram, or several of one size for one destination, of which the last may be shorter.
type message struct {
	to   *Destination
	data []byte
	size int
}

// datagrams is how many a message holds.
func (m *message) datagrams() int { return (len(m.data) + m.size - 1) / m.size }

// datagram is the first of those that begin at an offset.
func (m *message) datagram(at int) []byte { return m.data[at:min(at+m.size, len(m.data))] }

// outlet is what a batch sends through one of its sockets.
type outlet struct {
	socket *socket // nil if the port has none of this address family
	sender *sender
	queue  []message
}

// Batch gathers datagrams and sends them with few calls of the system. It belongs to one goroutine. Datagrams of one
// destination leave in the order in which they were added.
type Batch struct {
	slab []byte
	used int
	to   *Destination
	out  *outlet // of the destination
	v4   outlet
	v6   outlet
}

// NewBatch makes a batch on the next of the sockets: make one for each core.
func (p *Port) NewBatch() *Batch {
	n := int(p.batches.Add(1) - 1)
	return &Batch{
		slab: make([]byte, slabSize),
		v4:   newOutlet(p.v4, n),
		v6:   newOutlet(p.v6, n),
	}
}

func newOutlet(sockets []*socket, n int) outlet {
	if len(sockets) == 0 {
		return outlet{}
	}
	s := sockets[n%len(sockets)]
	return outlet{socket: s, sender: newSender(s, vectorLen), queue: make([]message, 0, maxMessages)}
}

// To says where the datagrams go that follow.
func (b *Batch) To(d *Destination) {
	b.to, b.out = d, &b.v4
	if d.path.Remote.Addr().Is6() {
		b.out = &b.v6
	}
}

// Buffer is room for the next datagram: MaxDatagram bytes. What the batch holds is sent first if it is full.
func (b *Batch) Buffer() []byte {
	if len(b.slab)-b.used < MaxDatagram || len(b.v4.queue) == maxMessages || len(b.v6.queue) == maxMessages {
		b.Flush()
	}
	return b.slab[b.used : b.used+MaxDatagram : b.used+MaxDatagram]
}

// Add takes the first n bytes of Buffer as a datagram. One for a TCP connection is queued there at once.
func (b *Batch) Add(n int) {
	if n <= 0 {
		return
	}
	if c := b.to.path.Conn; c != nil {
		c.add(b.to, b.slab[b.used:b.used+n])
		return
	}
	if b.out.socket == nil {
		b.to.lose(1, Unreachable, 0)
		return
	}
	start := b.used
	b.used += n
	if b.out.extend(b.to, b.slab[start:b.used]) {
		return
	}
	b.out.queue = append(b.out.queue, message{to: b.to, data: b.slab[start:b.used:slabSize], size: n})
}

// extend adds a datagram to the last message, if the kernel can cut that apart again.
func (o *outlet) extend(to *Destination, data []byte) bool {
	if len(o.queue) == 0 || !o.socket.gso.Load() || to.plain.Load() {
		return false
	}
	m := &o.queue[len(o.queue)-1]
	whole := len(m.data)%m.size == 0
	if m.to != to || !whole || len(data) > m.size || len(m.data)+len(data) > maxMessage || len(m.data) >= maxSegments*m.size {
		return false
	}
	next := m.data[:len(m.data)+len(data)]
	if &next[len(m.data)] != &data[0] {
		return false // others came between in the slab
	}
	m.data = next
	return true
}

// Flush sends all. What can't be sent is counted on its destination and on the port.
func (b *Batch) Flush() {
	b.v4.flush()
	b.v6.flush()
	b.used = 0
}

func (o *outlet) flush() {
	if len(o.queue) == 0 {
		return
	}
	o.sender.flush(o.queue)
	clear(o.queue) // holds no destination that has gone
	o.queue = o.queue[:0]
}
