// Package transcode makes renditions of a stream for viewers who cannot take what its source sends, and those that the
// configuration adds. The hub says which are wanted; each is put together of tracks that are passed on by reference and
// of tracks that a worker process encodes. One process encodes one track for all renditions that need it, starts with
// the first of them and stops some time after the last. The gateway itself never decodes anything.
//
// The same workers make snapshots, and feed the pipeline that a stream ends in.
package transcode
