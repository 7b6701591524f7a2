package negotiation

import (
	"fmt"
	"strings"
	"time"

	"sluice/media"
)

// MalformedOfferError tells that the text is not an SDP offer as the RFCs have it. Over HTTP: 400.
type MalformedOfferError struct {
	Line   int    // from 1; 0 if no single line is at fault
	Detail string // what is there and what is expected
}

func (e *MalformedOfferError) Error() string {
	return atLine("the offer", e.Line) + " is malformed: " + e.Detail
}

// OfferTooLargeError tells that the text was not even looked at. Over HTTP: 413.
type OfferTooLargeError struct{ Size, Max int } // bytes

func (e *OfferTooLargeError) Error() string {
	return fmt.Sprintf("the offer has %d bytes; at most %d are accepted", e.Size, e.Max)
}

// UnservableOfferError tells that the offer is understood, but asks for what the gateway does not do or
// what a standard forbids. Over HTTP: 422.
type UnservableOfferError struct {
	Line    int    // of the section's m-line, from 1; 0 if no single section is at fault
	Section string // mid; "" if it has none
	Detail  string // what is there and what is expected
}

func (e *UnservableOfferError) Error() string {
	switch {
	case e.Line == 0:
		return "the offer cannot be served: " + e.Detail
	case e.Section == "":
		return fmt.Sprintf("the section at line %d of the offer cannot be served: %s", e.Line, e.Detail)
	}
	return fmt.Sprintf("section %s of the offer (line %d) cannot be served: %s", quote(e.Section), e.Line, e.Detail)
}

// NoCodecError tells that what the source sends can't go to this viewer, neither as it is nor made
// anew. Over HTTP: 422.
type NoCodecError struct {
	Kind   media.Kind // the kind that could not be served: Video before Audio
	Sends  string     // "H.265 1920×1080"; "" if the source has no such track
	Offers []string   // titles of the offered codecs of that kind, in the offer's order
	Reason string     // one or two sentences for a user
}

func (e *NoCodecError) Error() string { return e.Reason }

// retryFull is when an encoder may be free again: nobody watches one for so long, and it stops.
const retryFull = 10 * time.Second

// CapacityError tells that what the source sends could be made anew for this viewer, but by no encoder now. Over
// HTTP: 503.
type CapacityError struct {
	Kind       media.Kind
	Sends      string        // "H.265 1920×1080"
	Reason     string        // a few sentences for a user
	RetryAfter time.Duration // when to ask again
}

func (e *CapacityError) Error() string { return e.Reason }

// RejectedSectionError tells that a library's answer leaves out a section that was to be served: nobody
// may get half of what an offer asks for (RFC 9725 4.4.3). Over HTTP: 422.
type RejectedSectionError struct{ MID string }

func (e *RejectedSectionError) Error() string {
	return fmt.Sprintf("section %s of the offer was not accepted by the media engine", quote(e.MID))
}

// InvalidAnswerError tells that a library's answer cannot be used: a defect of ours, not of the peer.
type InvalidAnswerError struct{ Detail string }

func (e *InvalidAnswerError) Error() string { return "the answer is not usable: " + e.Detail }

// MalformedFragmentError tells that the text is not a trickle-ice-sdpfrag (RFC 8840 9). Over HTTP: 400.
type MalformedFragmentError struct {
	Line   int    // from 1; 0 if no single line is at fault
	Detail string // what is there and what is expected
}

func (e *MalformedFragmentError) Error() string {
	return atLine("the fragment", e.Line) + " is malformed: " + e.Detail
}

// FragmentTooLargeError tells that the text was not even looked at. Over HTTP: 413.
type FragmentTooLargeError struct{ Size, Max int } // bytes

func (e *FragmentTooLargeError) Error() string {
	return fmt.Sprintf("the fragment has %d bytes; at most %d are accepted", e.Size, e.Max)
}

// MalformedAnswerError tells that the text is not an SDP answer as the RFCs have it.
type MalformedAnswerError struct {
	Line   int    // from 1; 0 if no single line is at fault
	Detail string // what is there and what is expected
}

func (e *MalformedAnswerError) Error() string {
	return atLine("the answer", e.Line) + " is malformed: " + e.Detail
}

// UnusableAnswerError tells that the answer is understood, but does not fit the offer that it is to.
type UnusableAnswerError struct {
	Section string     // mid; "" if no single section is at fault
	Refused media.Kind // of that section, if the peer does not want it at all; "" otherwise
	Detail  string     // what is there and what is expected
}

// RefusedKind is Refused, for those who don't know of SDP.
func (e *UnusableAnswerError) RefusedKind() media.Kind { return e.Refused }

func (e *UnusableAnswerError) Error() string {
	if e.Section == "" {
		return "the answer cannot be used: " + e.Detail
	}
	return fmt.Sprintf("section %s of the answer cannot be used: %s", quote(e.Section), e.Detail)
}

// InvalidOfferError tells that a library's offer cannot be used: a defect of ours, not of the peer.
type InvalidOfferError struct{ Detail string }

func (e *InvalidOfferError) Error() string { return "our own offer is not usable: " + e.Detail }

// atLine puts the line of a text before its name; line 0 is none.
func atLine(name string, line int) string {
	if line == 0 {
		return name
	}
	return fmt.Sprintf("line %d of %s", line, name)
}

func malformed(line int, format string, args ...any) error {
	return &MalformedOfferError{Line: line, Detail: fmt.Sprintf(format, args...)}
}

// quote makes a peer's text safe for logs and terminals: ASCII, escaped, at most 40 characters.
func quote(s string) string {
	const most = 40
	if len(s) > most {
		return fmt.Sprintf("%+q…", strings.ToValidUTF8(s[:most], "?"))
	}
	return fmt.Sprintf("%+q", s)
}

// quoteLine is quote for a whole line, unless that may hold a password.
func quoteLine(line string) string {
	if strings.Contains(strings.ToLower(line), "pwd") {
		return "it"
	}
	return quote(line)
}
