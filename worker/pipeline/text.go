package pipeline

import (
	"strings"

	"sluice/media"
	"sluice/worker/wire"
)

// Names of elements in the texts, by which the worker finds them.
const (
	inName      = "in"
	outName     = "out"
	encoderName = "encoder"
)

// maxQueued bounds what an appsrc holds, in bytes: two large keyframes. The worker's own queue is before it.
const maxQueued = "8388608"

// limits hold for every pipeline: a picture may have at most the pixels of 8K, and a file a descriptor of its own.
func limits() wire.Limits {
	const eightK = 8192 * 4352
	return wire.Limits{MaxPixels: eightK, Files: 256, StateSeconds: 10}
}

// chain joins elements, leaving out those that are empty.
func chain(elements ...string) string {
	var used []string
	for _, e := range elements {
		if e != "" {
			used = append(used, e)
		}
	}
	return strings.Join(used, " ! ")
}

// capsfilter is caps as an element, which may stand at the end of a text.
func capsfilter(caps string) string { return `capsfilter caps="` + caps + `"` }

// port is the appsrc of a track's units; more is added to its caps.
func port(name string, t media.Track, more string) wire.Port {
	return wire.Port{Name: name, Kind: t.Kind, Codec: t.Codec, Caps: inputCaps(t) + more}
}

// appsrc is the element of a port.
func appsrc(p wire.Port) string {
	return "appsrc name=" + p.Name + " is-live=true format=time max-bytes=" + maxQueued + ` caps="` + p.Caps + `"`
}

// sink is an appsink that gives frames as soon as they are there, and holds back its pipeline rather than drop one.
func sink(name string) string {
	return "appsink name=" + name + " sync=false max-buffers=16 enable-last-sample=false wait-on-eos=false"
}

func output(kind media.Kind, codec media.Codec) []wire.Port {
	return []wire.Port{{Name: outName, Kind: kind, Codec: codec}}
}
