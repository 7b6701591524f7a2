package whep

import (
	"net/http"
	"strconv"
	"strings"

	"sluice/auth"
	"sluice/session"
	"sluice/signalling/resource"
)

// requestOf reads what a viewer wishes. What is unknown or malformed in the query is no wish (B19).
func requestOf(r *http.Request, who *auth.Principal, stream, offer string) session.PlayRequest {
	query := r.URL.Query()
	return session.PlayRequest{
		Stream: stream, Offer: offer, Protocol: "whep",
		RemoteAddress: r.RemoteAddr, Principal: who, Loopback: resource.Client(r).IsLoopback(),
		Patient:    strings.HasPrefix(r.Header.Get("Prefer"), "wait="), // RFC 7240 4.3; how long is for us to say
		Wait:       query.Get("wait") == "1",
		MaxWidth:   number(query.Get("maxwidth")),
		MaxBitrate: number(query.Get("maxbitrate")),
	}
}

// number reads a bound; 0, which is none, for what is not one.
func number(text string) int {
	n, err := strconv.ParseUint(text, 10, 31)
	if err != nil {
		return 0
	}
	return int(n)
}
