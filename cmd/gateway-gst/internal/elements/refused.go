package elements

import (
	"slices"
	"strings"
)

// reaching are elements that read or write files, descriptors or shared memory, run other programs, serve the
// network or send to it. An element that only fetches (rtspsrc, srtsrc, souphttpsrc) is none of them, nor one whose
// file does not come out of it: a font, a model, a colour profile.
const reaching = `
	filesrc filesink pushfilesrc multifile* splitfilesrc splitmux* imagesequencesrc pnmsrc sdpsrc
	gdkpixbufoverlay rsvgoverlay faceoverlay gloverlay gldifferencematte openni2src dvdreadsrc rsndvdbin
	camerabin qtmoovrecover
	fdsrc fdsink multifdsink gio* shm* unixfd* ipcpipeline* ipcslave* downloadbuffer videocodectestsink
	hls*sink* dashsink avmux_dash avmux_hds avmux_hls avmux_smoothstreaming
	tcpclientsink tcpserver* multisocketsink udpsink multiudpsink dynudpsink avmux_rtsp avmux_sap festival
	soup*sink curl* rtmp*sink rtspclientsink rtpsink rist*sink srt*sink srtserver* shout2send nicesink
	webrtcsink whip*sink whep*sink whipserversrc ndisink mqttsink redissink aws* s3*
	v4l2sink decklink*sink pipewiresink a2dpsink avdtpsink
	exec* python* lua* javascript* qml* wpe*
`

// wrapping are elements that make others by an address, which may be that of a file.
const wrapping = `uridecodebin* urisourcebin uritranscodebin uriplaylistbin fallbacksrc playbin* parseuri*`

// Refuse reports whether an element that a pipeline's text names is refused, unless allow names it.
func Refuse(element string, allow []string) bool {
	return RefuseInside(element, allow) || listed(wrapping, element) && !slices.Contains(allow, element)
}

// RefuseInside is Refuse for an element that another one has made: what makes elements by an address has then been
// allowed already, but not the files that it may reach.
func RefuseInside(element string, allow []string) bool {
	return listed(reaching, element) && !slices.Contains(allow, element)
}

func listed(patterns, element string) bool {
	for p := range strings.FieldsSeq(patterns) {
		if matches(p, element) {
			return true
		}
	}
	return false
}
