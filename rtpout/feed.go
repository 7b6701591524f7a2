package rtpout

import (
	"sluice/hub"
	"sluice/media"
)

// Feed is what a viewer is to be sent.
type Feed struct {
	Stream    *hub.Stream
	Rendition string
	Start     hub.Start

	// Check says whether a track may go on the payload that was negotiated. It is asked for each new value of a track
	// that is sent; an error ends the connection, but for ErrUnfit, which leaves the unit out and has Check asked
	// again. nil: all may.
	Check func(t *media.Track) error
	// Moved is called when the first unit of another rendition is sent; nil: nobody wants to know.
	Moved func()

	PaceBits int // bit/s of bursts; 0: 30 Mbit/s
}

// PlayOptions is what a connection to a viewer needs besides what was negotiated.
type PlayOptions struct {
	Loopback bool      // the viewer is on this machine: loopback addresses are of use to it
	Outgoing bool      // it is a server that we have come to, and need not reach the port of all media; for offers
	Total    *Counters // counts along with the connection's own; nil: none
}

// Outgoing is how one track goes out, as it was negotiated.
type Outgoing struct {
	Track       media.Track
	SSRC        uint32
	PayloadType uint8

	RTX     uint8  // payload type of resends (RFC 4588)
	RTXSSRC uint32 // 0: resends are the same packets again
	NACK    bool   // packets may be asked for again

	PlayoutDelay uint8  // ID of the playout-delay header extension, 1 to 14; 0: none
	CNAME        string // in reports, of at most 255 bytes; "": "sluice"
}
