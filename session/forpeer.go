package session

import "time"

// PeerVerdict is what a session's peer is told of it, whoever that is: no address, nothing of where the source is, and
// no line of the configuration.
type PeerVerdict struct {
	State    State     `json:"state"`
	Reason   Cause     `json:"reason"`             // "": all is well, or it is too early to tell
	Detail   string    `json:"detail,omitempty"`   // as that of a Verdict
	Sentence string    `json:"sentence,omitempty"` // ends without a full stop
	At       time.Time `json:"at"`
}

// ForPeer is the part of the verdict that is for the peer.
func (v *Verdict) ForPeer() PeerVerdict {
	return PeerVerdict{State: v.State, Reason: v.Reason, Detail: v.Detail, Sentence: v.plainly(), At: v.At}
}

// plainly has the sentence without what an operator alone may know.
func (v *Verdict) plainly() string {
	switch v.Reason {
	case CauseNothingAnnounced:
		return "the gateway has no address at which it could be reached"
	case CauseLoopbackOnly:
		return "the gateway is set up for its own machine alone"
	case CauseNothingArrived, CauseNoCandidates:
		return "nothing of the connection for media has reached the gateway"
	case CauseRelay:
		return "nothing of the connection for media has reached the gateway through the relay"
	case CauseNotAnswered:
		return "what was sent has reached the gateway, but its answers have not come back"
	case CauseCredentials:
		return "what has reached the gateway belongs to another session"
	case CauseNoMedia:
		return v.plainMedia()
	case CauseSourceChanged:
		return "the stream's source has changed: a new session is needed"
	case CauseInternal:
		return "the gateway has failed"
	}
	return v.Sentence // of the handshake and of the session's end, which name nobody
}

func (v *Verdict) plainMedia() string {
	switch v.Detail {
	case detailSilent:
		return "the publisher is connected, but nothing that can be used has come from it"
	case detailOffline:
		return "the stream's source is offline"
	case detailKeyframe:
		return "the stream's source has not begun a picture since"
	}
	return "media were sent, and have not arrived"
}
