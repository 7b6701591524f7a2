//go:build gstreamer

package main

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"sluice/cmd/gateway-gst/internal/gst"
	"sluice/media"
	"sluice/worker/wire"
)

// ending is put behind a pad that the text has left open.
const (
	codedQueue = "queue max-size-buffers=200 max-size-bytes=0 max-size-time=0"
	ending     = "appsink name=%s async=false max-buffers=200 enable-last-sample=false"
)

// findOutputs takes the appsinks of a source's text. Where there are none it ends each pad that is open, now or once
// it appears.
func (w *worker) findOutputs() *wire.Fault {
	if found, f := w.takeAppSinks(); found || f != nil {
		return f
	}
	var refused *wire.Fault
	for _, pad := range w.pipeline.LoosePads(gst.Src) {
		if f := w.takePad(pad); f != nil && refused == nil {
			refused = f
		}
	}
	if len(w.outputs) > 0 && refused != nil {
		w.complain(refused.Error())
	}
	switch later := w.pipeline.HasLaterPads(); {
	case later:
		w.mu.Lock()
		w.growing = true
		w.mu.Unlock()
		w.pipeline.WatchPads(w)
	case len(w.outputs) == 0 && refused != nil:
		return refused
	case len(w.outputs) == 0:
		return &wire.Fault{Code: wire.FaultNoOutput, Permanent: true}
	}
	return nil
}

// knownOutputs is how many outputs there are; 0 while that may change.
func (w *worker) knownOutputs() int64 {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.growing {
		return 0
	}
	return int64(len(w.outputs))
}

// takeAppSinks takes those named video…, audio… and data…, pictures first. Nobody would pull from any other.
func (w *worker) takeAppSinks() (found bool, f *wire.Fault) {
	var sinks []*gst.AppSink
	for _, e := range w.pipeline.Elements() {
		switch e.Factory {
		case "appsink":
			if !namesKind(e.Name) {
				return true, parseFault(fmt.Sprintf("its appsink %q is named neither video nor audio", e.Name))
			}
			e.Set("caps", carried())
			e.Set("async", "false")
			sinks = append(sinks, e.AppSink())
		case "appsrc":
			return true, parseFault("it has an appsrc, which nobody feeds")
		}
	}
	if len(sinks) > maxTracks {
		return true, tooMany()
	}
	slices.SortFunc(sinks, func(a, b *gst.AppSink) int {
		return cmp.Or(cmp.Compare(rank(a.Name()), rank(b.Name())), cmp.Compare(a.Name(), b.Name()))
	})
	for _, s := range sinks {
		w.addOutput(s, "")
	}
	return len(sinks) > 0, nil
}

func namesKind(name string) bool { return rank(name) < 3 }

// rank orders names by their kind; 3 for one that names none.
func rank(name string) int {
	for i, kind := range []media.Kind{media.Video, media.Audio, media.Data} {
		if strings.HasPrefix(name, string(kind)) {
			return i
		}
	}
	return 3
}

// takePad ends a pad that is linked to nothing: coded frames go to an appsink as they are, raw ones are encoded. It
// may run on a thread of the pipeline's.
func (w *worker) takePad(pad *gst.Pad) *wire.Fault {
	caps := pad.Caps()
	f, before := formOf(caps)
	if f == nil {
		return noForm(pad, caps)
	}
	w.attaching.Lock()
	defer w.attaching.Unlock()
	track, ok := w.nextTrack()
	if !ok {
		return tooMany()
	}
	sink := fmt.Sprintf("sluice-track%d", track)
	var raw *wire.RawEncoder
	text := join(codedQueue, before, f.parser, filter(f.caps), fmt.Sprintf(ending, sink))
	if f.codec == "" {
		if raw = w.rawEncoder(f.kind); raw == nil || raw.Chain == "" {
			return noEncoder(pad, f.kind, raw)
		}
		text = join(before, fmt.Sprintf(raw.Chain, rawEncoderName(track)), fmt.Sprintf(ending, sink))
	}
	var added []*gst.Element
	encoder := ""
	err := w.pipeline.Append(pad, text, func(all []*gst.Element) {
		added, encoder = all, w.adoptEncoder(raw, gst.Named(all, rawEncoderName(track)), track)
		w.adoptQueues(all)
	})
	if err != nil {
		return faultOfParse(err, text)
	}
	w.addOutput(gst.Named(added, sink).AppSink(), encoder)
	return nil
}

// adoptEncoder sets up the encoder of a raw pad, and returns what it is.
func (w *worker) adoptEncoder(raw *wire.RawEncoder, e *gst.Element, track uint8) string {
	if raw == nil || e == nil {
		return ""
	}
	for _, p := range raw.Properties {
		e.Set(p.Name, p.Value)
	}
	control := raw.Bitrate
	control.Track, control.Element = track, e.Name
	w.mu.Lock()
	w.controls = append(w.controls, control)
	w.mu.Unlock()
	return e.Factory
}

// adoptQueues has queues drop what is old where the pipeline keeps time by itself. One that does not would lose what
// it has too early.
func (w *worker) adoptQueues(added []*gst.Element) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, e := range added {
		if e.Factory == "queue" {
			w.queues = append(w.queues, e)
			w.setLeaky(e)
		}
	}
}

// setLeaky wants mu.
func (w *worker) setLeaky(queue *gst.Element) {
	leaky := "no"
	if w.live {
		leaky = "downstream"
	}
	queue.Set("leaky", leaky)
}

func rawEncoderName(track uint8) string { return fmt.Sprintf("sluice-encoder%d", track) }

func (w *worker) rawEncoder(kind media.Kind) *wire.RawEncoder {
	i := slices.IndexFunc(w.job.Encoders, func(e wire.RawEncoder) bool { return e.Kind == kind })
	if i < 0 {
		return nil
	}
	return &w.job.Encoders[i]
}

func (w *worker) nextTrack() (uint8, bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return uint8(len(w.outputs)), len(w.outputs) < maxTracks
}

func tooMany() *wire.Fault {
	return &wire.Fault{Code: wire.FaultLimit, Permanent: true, Message: fmt.Sprintf("it has more than %d outputs", maxTracks)}
}

func noEncoder(pad *gst.Pad, kind media.Kind, raw *wire.RawEncoder) *wire.Fault {
	message := "it gives raw " + string(kind) + ", and there is no encoder for it"
	if raw != nil && raw.Absent != "" {
		message += ": " + raw.Absent
	}
	return &wire.Fault{Code: wire.FaultElement, Element: pad.Name(), Permanent: true, Message: message}
}

func noForm(pad *gst.Pad, caps []gst.Caps) *wire.Fault {
	what := "nothing that is known yet"
	if len(caps) > 0 {
		what = caps[0].Name
	}
	return &wire.Fault{
		Code: wire.FaultElement, Element: pad.Name(), Permanent: true,
		Message: "it gives " + what + ", which can't be carried: end the pipeline in an encoder, a parser or a decoder",
	}
}

// join makes one text of elements, leaving out those that are empty.
func join(elements ...string) string {
	return strings.Join(slices.DeleteFunc(elements, func(e string) bool { return e == "" }), " ! ")
}

func filter(caps string) string { return `capsfilter caps="` + caps + `"` }

// expectOutput gives up a source that has given nothing by now, with what it has complained of.
func (w *worker) expectOutput() {
	if w.counts.out.Load() > 0 {
		return
	}
	w.mu.Lock()
	complaint := w.complaint
	w.mu.Unlock()
	message := "nothing came out of it for " + w.stateLimit().String()
	if complaint != "" {
		message += ": " + media.RedactURL(complaint)
	}
	w.fail(&wire.Fault{Code: wire.FaultState, Message: message})
}
