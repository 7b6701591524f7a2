// Package e2e proves the whole gateway against real peers: it starts the released program as a process, gives it
// cameras (its own, GStreamer's, VLC's) and publishers (OBS's stack, webrtcbin, aiortc, Chromium, Firefox, pion, another
// gateway), and watches with browsers, webrtcbin, aiortc, libdatachannel, a viewer made of pion and crowds of light ones.
//
// Nothing but the outside of the gateway is looked at: pages, HTTP, packets, log, exit code. Screenshots, logs and
// received streams are left in artefacts/. See scripts/install-test-deps for the programs that it needs.
package e2e
