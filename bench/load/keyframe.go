//go:build linux

package load

import (
	"bytes"
	"time"

	"github.com/pion/rtp"
	"github.com/pion/srtp/v3"
)

// maxEarly is how many packets are kept that come before the keys are there.
const maxEarly = 1024

// keyframe looks for the first complete keyframe of H.264: an IDR picture all of whose packets have come, in order.
type keyframe struct {
	early []early
	plain []byte // scratch

	begun bool   // an IDR picture's packets come
	next  uint16 // the sequence number that continues it

	done bool
	at   time.Time // when its last packet came; valid once done
}

// early is a packet that came before the keys.
type early struct {
	data []byte
	at   time.Time
}

// add takes an encrypted packet of the video.
func (k *keyframe) add(keys *keys, data []byte, at time.Time) {
	if keys == nil {
		if len(k.early) < maxEarly {
			k.early = append(k.early, early{data: bytes.Clone(data), at: at})
		}
		return
	}
	k.open(keys.in, data, at)
}

// catchUp looks at what came before the keys.
func (k *keyframe) catchUp(in *srtp.Context) {
	for _, e := range k.early {
		if !k.done {
			k.open(in, e.data, e.at)
		}
	}
	k.early = nil
}

func (k *keyframe) open(in *srtp.Context, data []byte, at time.Time) {
	var h rtp.Header
	plain, err := in.DecryptRTP(k.plain[:0], data, &h)
	if err != nil {
		return
	}
	k.plain = plain
	n, err := h.Unmarshal(plain)
	if err != nil {
		return
	}
	k.see(h.SequenceNumber, h.Marker, plain[n:], at)
}

// see takes the next packet's payload.
func (k *keyframe) see(seq uint16, last bool, payload []byte, at time.Time) {
	switch {
	case !k.begun && beginsIDR(payload), k.begun && seq == k.next:
		k.begun, k.next = true, seq+1
	default:
		k.begun = beginsIDR(payload) // a packet is missing
		k.next = seq + 1
	}
	if k.begun && last {
		*k = keyframe{done: true, at: at}
	}
}

// beginsIDR tells whether an IDR picture begins in a payload (RFC 6184, section 5).
func beginsIDR(payload []byte) bool {
	const idr, stapA, fuA, start = 5, 24, 28, 0x80
	if len(payload) < 2 {
		return false
	}
	switch payload[0] & 0x1f {
	case idr:
		return true
	case fuA:
		return payload[1]&0x1f == idr && payload[1]&start != 0
	case stapA:
		for b := payload[1:]; len(b) > 2; {
			size := int(b[0])<<8 | int(b[1])
			if b[2]&0x1f == idr {
				return true
			}
			b = b[min(len(b), 2+size):]
		}
	}
	return false
}
