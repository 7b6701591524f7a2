// Package problem writes errors over HTTP as problem documents.
//
// Specification: RFC 9457.
package problem

import (
	"encoding/json"
	"net/http"
	"strconv"
	"time"
)

// ContentType is the media type of a problem document.
const ContentType = "application/problem+json"

// Problem is one error. Detail is a sentence for the user that names what to do; it holds no secret.
type Problem struct {
	Type   string `json:"type"` // a URN that programs can tell apart; "about:blank": the status says all
	Title  string `json:"title"`
	Status int    `json:"status"`
	Detail string `json:"detail,omitempty"`

	RetryAfter time.Duration `json:"-"` // of the header, rounded up to seconds; 0: none
}

// New makes a problem whose type is "urn:sluice:problem:" and the slug; the title is that of the status.
func New(status int, slug, detail string) Problem {
	return Problem{Type: "urn:sluice:problem:" + slug, Title: http.StatusText(status), Status: status, Detail: detail}
}

// Write answers a request with the problem.
func Write(w http.ResponseWriter, p Problem) {
	h := w.Header()
	h.Set("Content-Type", ContentType)
	h.Set("Cache-Control", "no-store")
	if p.RetryAfter > 0 {
		seconds := int((p.RetryAfter + time.Second - 1) / time.Second)
		h.Set("Retry-After", strconv.Itoa(seconds))
	}
	w.WriteHeader(p.Status)
	_ = json.NewEncoder(w).Encode(p) // the client may have gone: nobody is left to tell
}

// MethodNotAllowed answers a request with a method that the resource does not have.
func MethodNotAllowed(w http.ResponseWriter, allow string) {
	w.Header().Set("Allow", allow)
	Write(w, New(http.StatusMethodNotAllowed, "method", "Allowed here: "+allow+"."))
}
