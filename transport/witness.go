package transport

import (
	"encoding/binary"
	"errors"
	"sync/atomic"
)

// The first bytes of what is looked at (RFC 8489 5, RFC 7983, RFC 6347 4.1).
const (
	checkHeader  = 20
	checkCookie  = 0x2112A442
	checkRequest = 0x0001
	checkSuccess = 0x0101
	checkError   = 0x0111
	dtlsFirst    = 20
	dtlsLast     = 63
	dtlsAlert    = 21
	dtlsAlertEnd = 15 // header, level and code of an alert in plain text
	fatalAlert   = 2
)

// Witness watches what goes between us and a peer until they are connected. It keeps counters only: a packet of media
// costs it one comparison. Its zero value is ready; all methods may be called from any goroutine.
type Witness struct {
	received, wrong, answered, sent, returned atomic.Uint32

	came, went atomic.Bool   // DTLS
	alert      atomic.Uint32 // code of the last one in plain text, and alertOurs; 0: none
	fault      atomic.Uint32 // 1 + the reason why an answer could not be sent the last time; 0: all went out
}

const alertOurs = 1 << 8

// Incoming looks at a datagram of the peer's.
func (w *Witness) Incoming(data []byte) {
	switch {
	case len(data) == 0 || data[0] > dtlsLast:
	case data[0] >= dtlsFirst:
		w.came.Store(true)
		w.noteAlert(data, 0)
	default:
		switch stunType(data) {
		case checkRequest:
			w.received.Add(1)
		case checkSuccess:
			w.returned.Add(1)
		}
	}
}

// Outgoing looks at a datagram for the peer, and at what came of sending it.
func (w *Witness) Outgoing(data []byte, err error) {
	switch {
	case len(data) == 0 || data[0] > dtlsLast:
	case err != nil:
		w.failed(data, err)
	case data[0] >= dtlsFirst:
		w.went.Store(true)
		w.noteAlert(data, alertOurs)
	default:
		switch stunType(data) {
		case checkRequest:
			w.sent.Add(1)
		case checkSuccess, checkError:
			w.answered.Add(1)
		}
	}
}

// failed keeps why the peer's checks are not answered. Of what else can't be sent nothing is noted: checks of ours to
// addresses that this machine can't reach fail as a matter of course.
func (w *Witness) failed(data []byte, err error) {
	if kind := stunType(data); kind == checkSuccess || kind == checkError {
		w.fault.Store(1 + uint32(reasonFor(err)))
	}
}

// Wrong notes a check that came without the right password.
func (w *Witness) Wrong() { w.wrong.Add(1) }

// Evidence is what was seen. Path, Done, Failure and Heard are for others to say.
func (w *Witness) Evidence() Evidence {
	e := Evidence{
		Checks: Checks{
			Received: w.received.Load(), Wrong: w.wrong.Load(), Answered: w.answered.Load(),
			Sent: w.sent.Load(), Returned: w.returned.Load(),
		},
		Handshake: Handshake{Came: w.came.Load(), Sent: w.went.Load()},
	}
	if f := w.fault.Load(); f > 0 {
		e.Fault = &SendError{Reason: Reason(f - 1)}
	}
	alert := w.alert.Load()
	e.Handshake.Alert, e.Handshake.AlertOut = uint8(alert), alert&alertOurs != 0
	return e
}

// noteAlert keeps the code of a fatal alert that is not encrypted: one that ends a handshake.
func (w *Witness) noteAlert(data []byte, whose uint32) {
	if len(data) == dtlsAlertEnd && data[0] == dtlsAlert && data[13] == fatalAlert && binary.BigEndian.Uint16(data[3:]) == 0 {
		w.alert.Store(uint32(data[14]) | whose)
	}
}

// stunType is the type of a STUN message; 0: it is none.
func stunType(data []byte) uint16 {
	if len(data) < checkHeader || data[0] > 3 || binary.BigEndian.Uint32(data[4:]) != checkCookie {
		return 0
	}
	return binary.BigEndian.Uint16(data)
}

func reasonFor(err error) Reason {
	var e *SendError
	if errors.As(err, &e) {
		return e.Reason
	}
	return Other
}
