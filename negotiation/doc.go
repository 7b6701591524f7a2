// Package negotiation turns an SDP offer into a plan: ParseOffer says whether it can be served at all, Decide
// what goes into each section of a viewer's and Accept what is taken of a publisher's, Offer.Normalised what a
// peer-connection library gets to read, and FinishAnswer what becomes of that library's answer. Where we offer
// ourselves, FinishOffer makes the library's offer fit to be sent, and ParseAnswer checks what comes back. What
// either side says of ICE afterwards is a Fragment. All of it is pure: no I/O, no goroutines, no clock, and the
// same input always gives the same output.
//
// SDP is read here by a line scanner and not by a library, for three reasons: limits hold before any other
// work is done, an error can name its line, and what is unusual but legal (m=image, DCCP) has to be answered
// and not refused as a syntax error. Nothing that was not checked is ever handed on.
//
// Specification: RFC 8866 (SDP), RFC 9429 (JSEP), RFC 9143 (BUNDLE), RFC 8839 (ICE), RFC 8840 (trickle ICE),
// RFC 8842 (DTLS), RFC 8853 (simulcast), RFC 9725 (WHIP), draft-ietf-wish-whep (WHEP).
package negotiation
