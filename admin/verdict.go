package admin

// Verdict is why a session does not connect or play.
type Verdict struct {
	Reason    string   `json:"reason"`           // such as nothing_arrived
	Detail    string   `json:"detail,omitempty"` // which kind of that
	Sentence  string   `json:"sentence"`
	Advice    string   `json:"advice,omitempty"` // what to do, with the lines of config.toml
	Ours      []string `json:"ours,omitempty"`   // where the gateway has said that it is reached
	Theirs    []string `json:"theirs,omitempty"` // where the peer has
	Pairs     []Pair   `json:"pairs,omitempty"`  // that anything came over, or was tried on
	Handshake string   `json:"handshake"`        // how far DTLS came
	Time      string   `json:"time"`             // RFC 3339: when that was so
}

// Pair is an address of the gateway's and one of the peer's, with the connectivity checks between them.
type Pair struct {
	Local    string `json:"local,omitempty"`
	Remote   string `json:"remote"`
	Protocol string `json:"protocol"` // udp or tcp
	Used     bool   `json:"used,omitempty"`
	Received uint32 `json:"received"` // of the peer's
	Answered uint32 `json:"answered"`
	Sent     uint32 `json:"sent"` // of ours
	Returned uint32 `json:"returned"`
}
