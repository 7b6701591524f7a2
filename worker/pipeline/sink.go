package pipeline

import (
	"strings"
	"time"

	"sluice/media"
	"sluice/worker/wire"
)

// Sink is the job that gives a stream to the user's own text. A text that refers to "video." or "audio." gets the
// tracks that it names so; any other begins with the first picture, or the first sound where there is no picture.
// Inputs names the tracks in order: Port.Name is "video" or "audio", Port.Kind tells which. allow is
// transcode.allow_elements. The error is a *wire.Fault.
func Sink(text string, tracks []media.Track, allow []string) (wire.Job, error) {
	if err := check(text, allow, string(media.Video), string(media.Audio)); err != nil {
		return wire.Job{}, err
	}
	j := wire.Job{Role: wire.RoleSink, Allow: allow, Limits: limits(), Sandboxed: true, Waits: isListener(text, "srtsink")}
	var sources []string
	referred := references(text)
	for _, kind := range []media.Kind{media.Video, media.Audio} {
		t, there := media.First(tracks, kind)
		switch {
		case referred[kind] && !there:
			return wire.Job{}, mistake("the stream has no " + string(kind) + " that \"" + string(kind) + ".\" could stand for")
		case there && (referred[kind] || len(referred) == 0 && len(sources) == 0):
			in := port(string(kind), t, "")
			sources, j.Inputs = append(sources, appsrc(in)), append(j.Inputs, in)
		}
	}
	if len(sources) == 0 {
		return wire.Job{}, mistake("the stream has neither picture nor sound")
	}
	join := " ! "
	if len(referred) > 0 {
		join = "  "
	}
	j.Pipeline = strings.Join(sources, "  ") + join + text
	return j, nil
}

// Stamp puts a moment in place of "{time}" in a sink's text: letters, digits and a dot, in UTC. A sink that starts again
// so writes a file of its own.
func Stamp(text string, now time.Time) string {
	return strings.ReplaceAll(text, "{time}", now.UTC().Format("20060102T150405.000Z"))
}

// references are the kinds of track that a text refers to by name, as in "audio. ! opusparse".
func references(text string) map[media.Kind]bool {
	kinds := make(map[media.Kind]bool)
	s := newScan(text)
	for s.next() {
		for _, k := range []media.Kind{media.Video, media.Audio} {
			if strings.HasPrefix(s.word, string(k)+".") {
				kinds[k] = true
			}
		}
	}
	return kinds
}
