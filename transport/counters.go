package transport

import "sync/atomic"

// Traffic is what went one way.
type Traffic struct {
	Datagrams uint64
	Bytes     uint64 // of UDP payload
	Messages  uint64 // what the system was given or gave: with GSO and GRO, many datagrams each
}

// Stats is what a port has counted.
type Stats struct {
	Sent, Received Traffic
	Lost           map[Reason]uint64 // datagrams that could not be sent
	Cut            uint64            // datagrams that came in and were larger than is read
	Overflows      uint64            // datagrams that came in while the queue of Others was full
	GSO            bool              // datagrams of equal size are given to the kernel as one message
}

// Stats reads the counters.
func (p *Port) Stats() Stats {
	s := Stats{Lost: make(map[Reason]uint64, reasons), Overflows: p.others.overflows.Load()}
	for _, o := range p.sockets() {
		o.count.read(&s)
		s.GSO = s.GSO || o.gso.Load()
	}
	if p.streams != nil {
		p.streams.count.read(&s)
	}
	return s
}

// counters is what one socket counts, or all TCP connections together.
type counters struct {
	out, in traffic
	lost    [reasons]atomic.Uint64
	cut     atomic.Uint64
}

func (c *counters) read(into *Stats) {
	c.out.read(&into.Sent)
	c.in.read(&into.Received)
	into.Cut += c.cut.Load()
	for r := range reasons {
		into.Lost[r] += c.lost[r].Load()
	}
}

type traffic struct{ datagrams, bytes, messages atomic.Uint64 }

func (t *traffic) add(datagrams, bytes, messages int) {
	t.datagrams.Add(uint64(datagrams))
	t.bytes.Add(uint64(bytes))
	t.messages.Add(uint64(messages))
}

func (t *traffic) read(into *Traffic) {
	into.Datagrams += t.datagrams.Load()
	into.Bytes += t.bytes.Load()
	into.Messages += t.messages.Load()
}
