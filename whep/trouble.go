package whep

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"

	"sluice/signalling/problem"
	"sluice/signalling/resource"
)

const (
	// trouble is the relation of the URL at which a viewer reports that it can't decode the picture: no draft has
	// such a thing.
	trouble = "urn:sluice:whep:trouble"

	troubleMethods = "OPTIONS, POST"
	maxReport      = 1 << 10 // bytes
)

// troubleReport is what a viewer has counted of its picture, by the names of webrtc-stats. nil is not said.
type troubleReport struct {
	FramesDecoded   *uint32 `json:"framesDecoded"`
	FramesReceived  *uint32 `json:"framesReceived"`
	PacketsReceived *uint32 `json:"packetsReceived"` // for browsers that don't count frames before they decode them
}

// wantedReport tells a client what it should have said.
const wantedReport = `The body must be a JSON object such as {"framesDecoded": 0, "framesReceived": 75}.`

// serveTrouble takes the report of a viewer that gets pictures and can show none (F40). Another report is no mistake,
// and has no effect.
func (v *viewer) serveTrouble(w http.ResponseWriter, r *http.Request) {
	switch r.Method {
	case http.MethodPost:
	case http.MethodOptions:
		options(w, troubleMethods)
		return
	default:
		problem.MethodNotAllowed(w, troubleMethods)
		return
	}
	_, body, ok := resource.ReadBody(w, r, resource.Accepted{Limit: maxReport, Types: []string{jsonType}})
	if !ok {
		return
	}
	report, ok := parseTrouble(body)
	if !ok {
		problem.Write(w, problem.New(http.StatusBadRequest, "malformed_report", wantedReport))
		return
	}
	if report.isBlind() {
		if err := v.session.ReportUndecodable(); err != nil {
			v.resources.Refuse(w, r, err)
			return
		}
	}
	w.WriteHeader(http.StatusNoContent)
}

// parseTrouble takes one object that says what was decoded and what was received, and nothing else.
func parseTrouble(body string) (r troubleReport, ok bool) {
	d := json.NewDecoder(strings.NewReader(body))
	d.DisallowUnknownFields()
	if d.Decode(&r) != nil {
		return troubleReport{}, false
	}
	_, err := d.Token()
	alone := errors.Is(err, io.EOF)
	return r, alone && r.FramesDecoded != nil && (r.FramesReceived != nil || r.PacketsReceived != nil)
}

// isBlind reports whether something has come and nothing was decoded.
func (r troubleReport) isBlind() bool {
	came := func(n *uint32) bool { return n != nil && *n > 0 }
	return !came(r.FramesDecoded) && (came(r.FramesReceived) || r.FramesReceived == nil && came(r.PacketsReceived))
}
