package whep

import (
	"encoding/json"
	"math"
	"net/http"
	"strings"

	"sluice/session"
	"sluice/signalling/problem"
	"sluice/signalling/resource"
)

const layerMethods = "OPTIONS, POST, DELETE"

// sectionLayers is what the layers event says of one section.
type sectionLayers struct {
	Active   []layerInfo `json:"active"`   // that are published now
	Inactive []layerInfo `json:"inactive"` // always empty: a layer that stops is gone
	Layers   []layerInfo `json:"layers"`   // that can be chosen: the same, best first
}

type layerInfo struct {
	ID           string `json:"id,omitempty"`         // of the active
	EncodingID   string `json:"encodingId,omitempty"` // of the others
	SimulcastIdx int    `json:"simulcastIdx"`         // from 0, the smallest
	Bitrate      int    `json:"bitrate,omitempty"`    // bit/s
	Width        int    `json:"width,omitempty"`
	Height       int    `json:"height,omitempty"`
	Selected     bool   `json:"selected,omitempty"` // it is the one being sent; our own word
}

// layers is the data of the layers event, by the section's place in the SDP.
func (s section) layers(all []session.Layer) map[string]sectionLayers {
	if s.index == "" {
		return map[string]sectionLayers{}
	}
	l := sectionLayers{Active: []layerInfo{}, Inactive: []layerInfo{}, Layers: []layerInfo{}}
	for i, a := range all {
		info := layerInfo{
			SimulcastIdx: len(all) - 1 - i, Bitrate: a.Bitrate, Width: a.Width, Height: a.Height, Selected: a.Active,
		}
		info.EncodingID = a.RID
		l.Layers = append(l.Layers, info)
		info.ID, info.EncodingID = a.RID, ""
		l.Active = append(l.Active, info)
	}
	return map[string]sectionLayers{s.index: l}
}

// layerRequest is a viewer's choice. What a viewer copies into it from a layers event besides is ignored.
type layerRequest struct {
	MediaID    mediaID `json:"mediaId"` // "": the picture's
	EncodingID string  `json:"encodingId"`
	RID        string  `json:"rid"` // the same by another name

	// There is one spatial and one temporal layer in each of ours.
	SpatialLayerID     uint32 `json:"spatialLayerId"`
	TemporalLayerID    uint32 `json:"temporalLayerId"`
	MaxSpatialLayerID  uint32 `json:"maxSpatialLayerId"`
	MaxTemporalLayerID uint32 `json:"maxTemporalLayerId"`

	MaxWidth   uint32 `json:"maxWidth"` // pixels; 0: any
	MaxHeight  uint32 `json:"maxHeight"`
	MaxBitrate uint32 `json:"maxBitrate"` // bit/s, as in the event
}

// mediaID may be a JSON string, as the draft has it, or a number.
type mediaID string

// UnmarshalJSON implements json.Unmarshaler.
func (m *mediaID) UnmarshalJSON(text []byte) error {
	if strings.HasPrefix(string(text), `"`) {
		return json.Unmarshal(text, (*string)(m))
	}
	var n *uint32
	if err := json.Unmarshal(text, &n); err != nil {
		return err
	}
	if n != nil {
		*m = mediaID(text)
	}
	return nil
}

// serveLayer takes the choice of a layer. An empty object leaves it to the gateway again, and so does DELETE, which
// whip-whep sends.
func (v *viewer) serveLayer(w http.ResponseWriter, r *http.Request) {
	switch r.Method {
	case http.MethodPost:
		if c, ok := v.readChoice(w, r); ok {
			v.selectLayer(w, r, c)
		}
	case http.MethodDelete:
		v.selectLayer(w, r, session.LayerChoice{})
	case http.MethodOptions:
		options(w, layerMethods)
	default:
		problem.MethodNotAllowed(w, layerMethods)
	}
}

func (v *viewer) selectLayer(w http.ResponseWriter, r *http.Request, c session.LayerChoice) {
	if err := v.session.SelectLayer(c); err != nil {
		v.resources.Refuse(w, r, err)
		return
	}
	w.WriteHeader(http.StatusOK)
}

func (v *viewer) readChoice(w http.ResponseWriter, r *http.Request) (c session.LayerChoice, ok bool) {
	_, body, ok := resource.ReadBody(w, r, resource.Accepted{Limit: maxJSON, Types: []string{jsonType}})
	if !ok {
		return c, false
	}
	request, ok := parseLayer(body)
	switch {
	case !ok:
		problem.Write(w, problem.New(http.StatusBadRequest, string(session.ReasonMalformedLayer),
			`The body must be a JSON object such as {"encodingId": "h"} or {"maxWidth": 640}; {} is automatic.`))
	case !v.video.takes(request):
		ok = false
		problem.Write(w, problem.New(http.StatusNotFound, string(session.ReasonLayer),
			"There is no such layer; the layers event lists those that there are."))
	}
	return request.choice(), ok
}

func parseLayer(body string) (r layerRequest, ok bool) {
	object := strings.HasPrefix(strings.TrimLeft(body, " \t\r\n"), "{")
	err := json.Unmarshal([]byte(body), &r)
	same := r.RID == "" || r.EncodingID == "" || r.RID == r.EncodingID
	return r, object && err == nil && same
}

// takes leaves the names of layers to the session.
func (s section) takes(r layerRequest) bool {
	return r.SpatialLayerID == 0 && r.TemporalLayerID == 0 && (r.MediaID == "" || s.is(string(r.MediaID)))
}

func (r layerRequest) choice() session.LayerChoice {
	c := session.LayerChoice{
		RID: r.EncodingID, MaxWidth: bound(r.MaxWidth), MaxHeight: bound(r.MaxHeight),
		MaxBitrate: bound(uint32((uint64(r.MaxBitrate) + 999) / 1000)),
	}
	if c.RID == "" {
		c.RID = r.RID
	}
	return c
}

// bound keeps a number positive where an int has 32 bits.
func bound(n uint32) int { return int(min(n, math.MaxInt32)) }
