package gateway

import (
	"cmp"
	"encoding/hex"
	"errors"
	"slices"
	"time"

	"sluice/admin"
	"sluice/config"
	"sluice/hub"
	"sluice/media"
	"sluice/negotiation"
	"sluice/push"
	"sluice/redact"
	"sluice/session"
	"sluice/transcode"
	"sluice/worker/pipeline"
)

// adminView shows the gateway to the API.
type adminView struct{ *Gateway }

var errNotReady = errors.New("the gateway is starting or shutting down")

// Ready implements admin.Gateway.
func (v adminView) Ready() error {
	if !v.ready.Load() {
		return errNotReady
	}
	return nil
}

// Streams implements admin.Gateway.
func (v adminView) Streams() []admin.Stream {
	streams := v.hub.Streams()
	all := make([]admin.Stream, 0, len(streams))
	for _, s := range streams {
		all = append(all, v.stream(s))
	}
	return all
}

// Stream implements admin.Gateway.
func (v adminView) Stream(name string) (admin.Stream, bool) {
	s, err := v.hub.Stream(name)
	if err != nil {
		return admin.Stream{}, false
	}
	return v.stream(s), true
}

func (v adminView) stream(s *hub.Stream) admin.Stream {
	state, why := s.State()
	out := admin.Stream{Name: s.Name(), State: string(state), Viewers: s.Viewers(), Tracks: []admin.Track{}}
	if why != nil {
		out.Error = why.Error()
	}
	if e, ok := v.streams.entry(s.Name()); ok {
		out.Source = cmp.Or(e.config.ShownPipeline(), media.RedactURL(e.config.Source))
		out.Publish = e.config.Source == config.PublishSource
		out.Snapshot = shows(s.Renditions(), v.workers.gst.Err() == nil, e.config.Process != "")
		for _, p := range e.pushes {
			out.Pushes = append(out.Pushes, adminPush(p.Status()))
		}
		for _, t := range e.transcoder.Status() {
			out.Transcodes = append(out.Transcodes, adminTranscode(t))
		}
	}
	for i, r := range s.Renditions() {
		for _, t := range r.Tracks {
			if i == 0 || t.Kind == media.Video { // all layers of a publisher have the same sound
				out.Tracks = append(out.Tracks, adminTrack(t))
			}
		}
	}
	return out
}

// shows reports whether there is a snapshot to ask for: a worker makes it, but for Motion JPEG that goes through no
// process.
func shows(renditions []hub.Rendition, worker, process bool) bool {
	return slices.ContainsFunc(renditions, func(r hub.Rendition) bool {
		t, ok := media.First(r.Tracks, media.Video)
		return ok && (worker && pipeline.CanDecodeTrack(t) || t.Codec == media.MJPEG && !process)
	})
}

func adminPush(s push.Status) admin.Push {
	return admin.Push{
		Host: s.Host, State: string(s.State), Error: s.Error, Note: s.Note, Rendition: s.Rendition,
		PacketsSent: s.Stats.Packets, BytesSent: s.Stats.Bytes,
	}
}

func adminTranscode(s transcode.Status) admin.Transcode {
	return admin.Transcode{
		Rendition: s.Rendition, Makes: s.Makes, Kind: string(s.Kind), Codec: string(s.Codec), Height: s.Height,
		Encoder: s.Encoder, State: string(s.State), Error: s.Error, Reduced: s.Reduced, PID: s.PID, Restarts: s.Restarts,
		FramesIn: s.In, FramesOut: s.Out, FramesDropped: s.Dropped, CPUSeconds: s.CPU.Seconds(), MemoryBytes: s.RSS,
		FirstFrameMs: float64(s.FirstFrame) / float64(time.Millisecond),
	}
}

func adminTrack(t media.Track) admin.Track {
	out := admin.Track{
		ID: t.ID, Kind: string(t.Kind), Codec: string(t.Codec), ClockRate: t.ClockRate, Channels: t.Channels,
		Width: t.Width, Height: t.Height, BFrames: t.BFrames, Rendition: t.Rendition, Skipped: t.Skipped,
		Interlaced: t.Interlaced,
	}
	if t.Codec == media.H264 && t.Profile.Known {
		out.Profile = hex.EncodeToString(t.Profile.ProfileLevelID[:])
	}
	return out
}

// Sessions implements admin.Gateway. Behind those that live come those that ended without being connected.
func (v adminView) Sessions() []admin.Session {
	var all []admin.Session
	for _, s := range v.sessions.Sessions() {
		one := adminSession(s.Info())
		one.Verdict = adminVerdict(s.Verdict())
		all = append(all, one)
	}
	for _, i := range v.sessions.Ended() {
		one := adminSession(i)
		one.Verdict = adminVerdict(*i.Verdict)
		all = append(all, one)
	}
	return all
}

// adminSession tells of the ID what the log does too: the whole of it, in the session's URL, is a right (I40, A92).
func adminSession(i session.Info) admin.Session {
	out := admin.Session{
		ID: redact.SessionID(i.ID), Stream: i.Stream, Role: string(i.Role), State: string(i.State), Protocol: i.Protocol,
		RemoteAddress: i.RemoteAddress, Principal: i.Principal, Way: string(i.Route.Way), WayReason: i.Route.Reason, CreateTime: i.Created.UTC().Format(time.RFC3339),
		Stats: admin.Stats{
			PacketsSent: i.Stats.Packets, BytesSent: i.Stats.Bytes, PacketsResent: i.Stats.Resent,
			PacketsReceived: i.Received.Packets, BytesReceived: i.Received.Bytes, PacketsLost: i.Received.Lost, KeyframesRequested: i.Received.Keyframes,
		},
	}
	for _, n := range i.Dropped {
		out.Stats.UnitsDropped += n
	}
	for _, c := range i.Choices {
		d := admin.Delivery{
			MID: c.MID, Codec: string(c.Track.Codec), Action: string(c.Action), Reason: c.Reason,
			Transcoded: c.Action == negotiation.Transcoded,
		}
		if c.Action.Sends() {
			d.Rendition = i.Rendition
		}
		out.Delivery = append(out.Delivery, d)
	}
	return out
}
