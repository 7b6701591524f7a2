package pipeline

import (
	"slices"
	"strings"
)

// refused are the elements of which most mistakes are made: those that reach files, descriptors or shared memory, or
// serve the network or send to it. A "*" stands for the rest of a name. The worker's own list is longer.
const refused = `
	filesrc filesink multifile* splitmux* imagesequencesrc hlssink* dashsink
	fdsrc fdsink multifdsink shm* gio* unixfd*
	tcpclientsink tcpserver* multisocketsink souphttpclientsink curl*
	gdkpixbufoverlay rsvgoverlay
`

// isRefused reports whether an element may only be used if transcode.allow_elements names it.
func isRefused(element string) bool {
	return slices.ContainsFunc(strings.Fields(refused), func(pattern string) bool {
		prefix, wild := strings.CutSuffix(pattern, "*")
		return element == prefix || wild && strings.HasPrefix(element, prefix)
	})
}
