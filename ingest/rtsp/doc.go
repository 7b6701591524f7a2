// Package rtsp pulls the streams of RTSP cameras. It is the only user of gortsplib besides the built-in test
// camera: the library does the requests, the keepalives and SRTP, and sees the camera through a connection that
// repairs what cameras get wrong (docs/decisions/0003).
package rtsp
