// Package client is the HTTP side of a WHIP or WHEP client: it posts an offer, follows redirects, and changes and
// ends the session that the server has made. It knows SDP only as text.
//
// Servers put secrets into URLs: stream keys into paths, session names into Location. So no error of this package
// shows more of a URL than its scheme and host.
//
// Specification: RFC 9725, draft-ietf-wish-whep.
package client
