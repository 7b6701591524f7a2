package push

import "sluice/rtpout"

// State is how a push does.
type State string

// The states of a push.
const (
	StateIdle       State = "idle"       // the stream is not published
	StateConnecting State = "connecting" // the server has been asked
	StateConnected  State = "connected"
	StateFailed     State = "failed" // Error says why; it is tried again
)

// Status is what may be told of a push.
type Status struct {
	Host      string // scheme and host of the server
	State     State
	Error     string // why it has failed, or why it is connecting again
	Note      string // what of the stream is left out, and why; "": nothing
	Rendition string // the one that is sent; "" if none is
	Stats     rtpout.Stats
}

// Status looks at the push as it is now.
func (p *Pusher) Status() Status {
	p.mu.Lock()
	st := p.status
	p.mu.Unlock()
	st.Host, st.Stats = p.client.Host(), p.total.Stats()
	return st
}

func (p *Pusher) set(st Status) {
	p.mu.Lock()
	p.status = st
	p.mu.Unlock()
}

// fail notes the trouble, and tells the log of each new one.
func (p *Pusher) fail(err error) {
	text := err.Error()
	p.set(Status{State: StateFailed, Error: text})
	if text == p.told {
		p.options.Log.Debug("push still fails", "err", err)
		return
	}
	p.told = text
	p.options.Log.Warn("push failed", "err", err)
}

// works notes that media flow.
func (p *Pusher) works(c choice, remote string) {
	p.set(Status{State: StateConnected, Rendition: c.rendition, Note: c.note})
	p.told = ""
	p.options.Log.Info("push connected", "remote", remote, "rendition", c.rendition)
	if c.note != "" {
		p.options.Log.Warn("not all of the stream is pushed", "reason", c.note)
	}
}
