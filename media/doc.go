// Package media holds the words that all other packages speak: codecs, tracks, access units and the
// clocks that put them on one timeline. It starts no goroutine and does no I/O.
package media
