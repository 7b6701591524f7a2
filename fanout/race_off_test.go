//go:build !race

package fanout

// racing: the race detector is off.
const racing = false
