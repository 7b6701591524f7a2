package whep

import (
	"strings"

	"sluice/session"
)

const extension = "urn:ietf:params:whep:ext:core:"

// events are the kinds that viewers may ask for.
func events() []session.EventKind {
	return []session.EventKind{
		session.EventActive, session.EventInactive, session.EventLayers, session.EventViewerCount, session.EventReconnect,
	}
}

// links tell a new viewer of the extensions (B15, B16). Nobody can choose a layer who gets no picture, and a report of
// trouble is of use only to who could be sent something else (F40).
func (v *viewer) links() []string {
	var names []string
	for _, k := range events() {
		names = append(names, string(k))
	}
	links := []string{"<" + v.url + `/sse>; rel="` + extension + `server-sent-events"; events="` + strings.Join(names, ",") + `"`}
	if v.video.index != "" {
		links = append(links, "<"+v.url+`/layer>; rel="`+extension+`layer"`)
	}
	if v.session.TakesReports() {
		links = append(links, "<"+v.url+`/trouble>; rel="`+trouble+`"`)
	}
	return links
}
