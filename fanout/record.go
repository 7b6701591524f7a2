package fanout

import (
	"encoding/binary"
	"time"
)

// The header of a DTLS 1.2 record (RFC 6347, section 4.1): type, version, epoch, sequence number and length.
const (
	recordHeader = 13
	recordAlert  = 21
	// maxAlert is more than an encrypted alert of any cipher suite has: two bytes, a nonce and a tag.
	maxAlert = recordHeader + 128
)

// encrypted returns the end of a datagram that consists of whole records of epochs that have keys; nil if there is
// none. What stands before, in plain text, is a flight that comes again: its encrypted end says as much.
func encrypted(data []byte) []byte {
	for rest := data; len(rest) > 0; {
		if len(rest) < recordHeader {
			return nil
		}
		size := recordHeader + int(binary.BigEndian.Uint16(rest[11:]))
		if size > len(rest) {
			return nil
		}
		plain := binary.BigEndian.Uint16(rest[3:]) == 0
		rest = rest[size:]
		if plain {
			data = rest
		}
	}
	return data
}

// isAlert reports whether a datagram is one encrypted alert and nothing else.
func isAlert(data []byte) bool {
	return len(data) > recordHeader && len(data) <= maxAlert && data[0] == recordAlert &&
		binary.BigEndian.Uint16(data[3:]) != 0 && recordHeader+int(binary.BigEndian.Uint16(data[11:])) == len(data)
}

const (
	tryBurst    = 3
	tryInterval = time.Second
)

// limiter allows a few tries at once, and one each second over time.
type limiter struct{ next time.Time }

func (l *limiter) allow(now time.Time) bool {
	if earliest := now.Add(-tryBurst * tryInterval); l.next.Before(earliest) {
		l.next = earliest
	}
	if l.next.After(now.Add(-tryInterval)) {
		return false
	}
	l.next = l.next.Add(tryInterval)
	return true
}
