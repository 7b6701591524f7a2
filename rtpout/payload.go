// Package rtpout turns access units into RTP. The payloads of a unit are cut once, on first demand, and
// shared by all its viewers; what is a viewer's own is a Player: a cursor over the stream's ring, sequence numbers,
// timestamps and headers, when its packets are due, and which of them may be sent again.
package rtpout

import (
	"sluice/hub"
	"sluice/media"
)

// MaxPayload is the most bytes of one RTP payload: with header, extension and SRTP it is a datagram of at most 1228
// bytes, which every path carries, IPv6 at its least MTU of 1280 as well (F20).
const MaxPayload = 1188

// Payload is the payload of one RTP packet.
type Payload struct {
	Data    []byte
	Marker  bool
	Offset  uint32 // ticks to add to the unit's timestamp, for units that are cut in time
	Picture int    // where in Data the 15-bit picture ID stands, which each viewer counts on its own; 0: there is none
}

// Payloads returns the payloads of a unit, cut by the first reader and shared by all: they are read-only. None
// come back for a codec that WebRTC does not carry or a unit that is not well formed.
func Payloads(u *hub.Unit) []Payload { return u.Once(cutUnit).([]Payload) }

func cutUnit(u *hub.Unit) any { return Cut(u.Track.Codec, u.AccessUnit, u.Count) }

// Cut makes the payloads of a unit. count is the unit's number in its track, from which picture IDs come.
func Cut(codec media.Codec, au *media.AccessUnit, count uint64) []Payload {
	switch codec {
	case media.H264:
		return cutH264(au.Data)
	case media.H265:
		return cutH265(au.Data)
	case media.AV1:
		return cutAV1(au.Data, au.Keyframe)
	case media.VP8:
		return cutVP8(frame(au), count)
	case media.VP9:
		return cutVP9(frame(au), count)
	case media.Opus:
		return []Payload{{Data: frame(au), Marker: false}}
	case media.PCMU, media.PCMA, media.G722:
		return cutG711(frame(au))
	default:
		return []Payload(nil)
	}
}

// frame is the data of a unit that is one frame.
func frame(au *media.AccessUnit) []byte {
	if len(au.Data) == 0 {
		return nil
	}
	return au.Data[0]
}

// cutG711 cuts sound of one byte each 1/8000 s into packets of 20 ms, which every receiver is built for (F35). It
// serves G722 as well, whose RTP clock counts 8000 and whose rate is 64 kbit/s (RFC 3551 4.5.2).
func cutG711(frame []byte) []Payload {
	const samples = 160
	out := make([]Payload, 0, (len(frame)+samples-1)/samples)
	for at := 0; at < len(frame); at += samples {
		out = append(out, Payload{Data: frame[at:min(at+samples, len(frame))], Offset: uint32(at)})
	}
	return out
}

// fragment cuts data into the least number of parts of at most size bytes, all equally long but for a shorter
// last one, and calls each with the part and its place.
func fragment(data []byte, size int, each func(part []byte, first, last bool)) {
	n := (len(data) + size - 1) / size
	if n == 0 {
		return
	}
	step := (len(data) + n - 1) / n
	for at := 0; at < len(data); at += step {
		end := min(at+step, len(data))
		each(data[at:end], at == 0, end == len(data))
	}
}

// markLast sets the marker of a picture's last packet (F22).
func markLast(out []Payload) []Payload {
	if len(out) > 0 {
		out[len(out)-1].Marker = true
	}
	return out
}
