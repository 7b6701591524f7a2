package admin

import (
	"net/http"
	"time"
)

// ICEServer is a STUN or TURN server, in the words of W3C WebRTC 4.2.4.
type ICEServer struct {
	URLs       []string  `json:"urls"`
	Username   string    `json:"username,omitempty"`
	Credential string    `json:"credential,omitempty"`
	ExpireTime time.Time `json:"expire_time,omitzero"` // of the credential; absent if it does not expire
}

// ICE answers GET /api/v1/ice with the servers for the caller.
func (a *API) ICE(w http.ResponseWriter, r *http.Request, servers func() []ICEServer) {
	serve(w, r, func() { write(w, map[string][]ICEServer{"ice_servers": notNil(servers())}) })
}
