// Package hub keeps the streams by name. Each rendition of a stream has one Publisher that appends access
// units to a bounded ring, and any number of Subscribers, each a cursor over that ring: no queue and no copy
// of its own. The hub starts no goroutine, blocks nobody and knows no codec: all it asks of a unit is whether
// decoding can start there.
package hub
