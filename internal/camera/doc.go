// Package camera is an RTSP camera made of a file: it serves a short clip in an endless loop, paced in real
// time, over UDP, TCP, multicast or TLS, with the passwords that cameras know. It stands behind
// `gateway camera` and the source `demo:`, and is the camera that the tests pull from.
package camera
