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

// encrypted reports whether all records of a datagram are whole and of an epoch that has keys.
func encrypted(data []byte) bool {
	for len(data) > 0 {
		if len(data) < recordHeader || binary.BigEndian.Uint16(data[3:]) == 0 {
			return false
		}
		size := recordHeader + int(binary.BigEndian.Uint16(data[11:]))
		if size > len(data) {
			return false
		}
		data = data[size:]
	}
	return true
}

// isAlert reports whether a datagram is one encrypted alert and nothing else.
func isAlert(data []byte) bool {
	return len(data) > recordHeader && len(data) <= maxAlert && data[0] == recordAlert && encrypted(data) &&
		recordHeader+int(binary.BigEndian.Uint16(data[11:])) == len(data)
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
