package doctor

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

const (
	cameraTimeout  = 10 * time.Second // until a stream that begins when somebody watches is ready
	cameraInterval = 250 * time.Millisecond
	maxCameraSkew  = 30 * time.Second
)

// camera looks at the stream's source: its state, what it sends, and its clock.
func (e *examination) camera(ctx context.Context) []Finding {
	s, err := e.settled(ctx)
	if err != nil {
		return []Finding{fail("camera", "The API does not tell how the stream does: "+brief(err)+".", startCommand)}
	}
	return append(e.source(s), e.cameraClock(ctx)...)
}

// settled is the stream once it is ready or has failed, or as it is in the end.
func (e *examination) settled(ctx context.Context) (state, error) {
	ctx, cancel := context.WithTimeout(ctx, cameraTimeout)
	defer cancel()
	tick := time.NewTicker(cameraInterval)
	defer tick.Stop()
	var last state
	for {
		p, err := e.door.get(ctx, "api", "v1", "streams", e.stream)
		switch {
		case err != nil && last.Name != "":
			return last, nil
		case err != nil:
			return state{}, err
		case p.status != http.StatusOK:
			return state{}, fmt.Errorf("status %d", p.status)
		}
		last = state{}
		if err := json.Unmarshal(p.body, &last); err != nil {
			return state{}, err
		}
		if last.State == "ready" || last.State == "failed" {
			return last, nil
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return last, nil
		}
	}
}

// source says how a stream's source does.
func (e *examination) source(s state) []Finding {
	what := "camera: stream " + s.Name
	switch {
	case s.Publish && s.State != "ready":
		return []Finding{fail(what+" has no publisher", "Its source is \"publish\", and nobody sends it anything now. Point OBS, or a browser at "+e.door.at(s.Name, "publish")+", at:", e.door.at(s.Name, "whip"))}
	case s.State == "failed" || s.Error != "":
		return []Finding{fail(what+" has failed", closed(s.Error), "gateway probe URL   # that of streams."+s.Name+".source")}
	case s.State == "idle":
		return []Finding{warn(what+" is idle", "It begins when somebody watches (on_demand), and has not for us.", "streams."+s.Name+".on_demand = false")}
	case s.State != "ready":
		return []Finding{fail(what+" is "+s.State, "Nothing has come of its source yet.", "gateway probe URL   # that of streams."+s.Name+".source")}
	}
	return append([]Finding{ok(what + " is ready: " + s.tracks())}, s.doubts()...)
}

// closed makes a sentence of a text. A URL or an address at its beginning stays as it is.
func closed(text string) string {
	if text == "" {
		return ""
	}
	text = strings.TrimSuffix(text, ".") + "."
	if word, _, _ := strings.Cut(text, " "); strings.ContainsAny(word, ":/_") {
		return text
	}
	first, n := utf8.DecodeRuneInString(text)
	return string(unicode.ToUpper(first)) + text[n:]
}

// tracks is what the main rendition holds, as "h264 1280x720, opus".
func (s state) tracks() string {
	var all []string
	for _, t := range s.Tracks {
		switch {
		case t.Skipped != "" || t.Rendition != "" && t.Rendition != "main":
		case t.Width > 0:
			all = append(all, fmt.Sprintf("%s %dx%d", t.Codec, t.Width, t.Height))
		default:
			all = append(all, t.Codec)
		}
	}
	if len(all) == 0 {
		return "no track that can be carried"
	}
	return strings.Join(all, ", ")
}

// doubts are what of a stream viewers may miss.
func (s state) doubts() []Finding {
	var found []Finding
	for _, t := range s.Tracks {
		if t.Skipped != "" {
			found = append(found, warn("camera: its "+t.Kind+" is not carried", closed(t.Skipped)))
		}
		if t.BFrames {
			found = append(found, warn("camera: its picture has B-frames", "Browsers can't show those in order, so each viewer costs an encoder. "+
				"Set the profile to Baseline, or B-frames to 0, in the camera's video settings."))
		}
	}
	return found
}

// cameraClock compares the camera's clock with ours, where it tells.
func (e *examination) cameraClock(ctx context.Context) []Finding {
	if e.o.Cameras == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, cameraTimeout)
	defer cancel()
	ahead, known, err := e.o.Cameras.Clock(ctx, e.stream)
	switch {
	case err != nil:
		return []Finding{fail("camera: it can't be reached from here", closed(err.Error())+" Is it on, and in a network that this machine is in?", "ping CAMERA")}
	case !known:
		return nil
	case ahead.Abs() <= maxCameraSkew:
		return []Finding{ok("camera: its clock and ours agree")}
	}
	return []Finding{warn("camera: its clock is "+apart(ahead), "Live pictures do not mind; the time that it writes into them, and its recordings, are wrong. Set an NTP server in its settings.")}
}
