// Package wire is what the gateway and its worker processes say to each other over a socketpair: messages of a
// 32-byte header and a payload, which is JSON, text or one coded frame. Both ends use this package and nothing else
// of each other. The worker speaks first (TypeHello); the gateway answers with a Job (TypeConfig).
package wire

import (
	"encoding/json"
	"fmt"
)

const (
	// Version is what Greeting carries; ends of different versions don't work together.
	Version = 1
	// FD is the descriptor of the worker's end of the socketpair.
	FD = 3
	// HeaderSize is the length of a header in bytes.
	HeaderSize = 32
	// MaxPayload is the length that no payload exceeds, in bytes.
	MaxPayload = 16 << 20
)

// Type says what a message is. A receiver skips types that it does not know.
type Type uint8

// The types of message, with who sends them and what their payload is.
const (
	TypeHello      Type = iota + 1 // worker: JSON Greeting, once and first
	TypeConfig                     // gateway: JSON Job
	TypeReady                      // worker: the pipeline runs, or the elements of Job.Warm are loaded; Message.Ext: of a source, its tracks, 0 if more may come
	TypeCaps                       // worker: JSON Caps, before the first frame of a track and when they change
	TypeFrame                      // both: one coded frame of a track
	TypeKeyRequest                 // gateway: the next frame of the track shall be a keyframe
	TypeBitrate                    // gateway: Message.Ext is what the track shall have from now on, in bit/s
	TypeEOS                        // both: no frame follows
	TypeStop                       // gateway: exit within 2 s
	TypePing                       // gateway: answer with TypePong
	TypePong                       // worker: sent by the goroutine that reads the pipeline's bus
	TypeStats                      // worker: JSON Stats, each second
	TypeError                      // worker: JSON Fault; it exits afterwards
	TypeLog                        // worker: a line of text
	TypeResult                     // worker: JSON, what the roles probe and list have found
)

var typeNames = [...]string{
	TypeHello: "hello", TypeConfig: "config", TypeReady: "ready", TypeCaps: "caps", TypeFrame: "frame",
	TypeKeyRequest: "key request", TypeBitrate: "bitrate", TypeEOS: "eos", TypeStop: "stop", TypePing: "ping",
	TypePong: "pong", TypeStats: "stats", TypeError: "error", TypeLog: "log", TypeResult: "result",
}

// String is the type's name in lower case.
func (t Type) String() string {
	if int(t) < len(typeNames) && typeNames[t] != "" {
		return typeNames[t]
	}
	return fmt.Sprintf("type %d", uint8(t))
}

// Flags tells more of a frame.
type Flags uint16

// The flags of a frame.
const (
	Keyframe      Flags = 1 << iota // decoding can start here
	Discontinuity                   // frames before it are missing
	Preroll                         // to be decoded but not encoded; see Job.Preroll
)

// Message is one message. PTS and DTS of a frame are in ns, Ext is its duration in ns; a DTS that is not known equals
// PTS. Track is the index of the frame's port in Job.Inputs or Job.Outputs. Fields that a type does not use are zero.
type Message struct {
	Type    Type
	Track   uint8
	Flags   Flags
	PTS     int64
	DTS     int64
	Ext     int64
	Payload []byte
}

// JSON makes a message of type t that carries v. It panics if v can't be JSON: a mistake of the caller.
func JSON(t Type, v any) *Message {
	b, err := json.Marshal(v)
	if err != nil {
		// A broken promise of our own code: what messages carry is plain data.
		panic("wire: " + err.Error())
	}
	return &Message{Type: t, Payload: b}
}

// Decode reads the payload, which is JSON, into v.
func (m *Message) Decode(v any) error {
	if err := json.Unmarshal(m.Payload, v); err != nil {
		return fmt.Errorf("read the worker's message %q: %w", m.Type, err)
	}
	return nil
}

// TooLargeError is a payload of more than MaxPayload bytes.
type TooLargeError struct{ Size int64 }

func (e *TooLargeError) Error() string {
	return fmt.Sprintf("a message of %d bytes is larger than the %d that are allowed", e.Size, MaxPayload)
}
