//go:build race

package fanout

// racing: the race detector is on, which has pools of its own mind and larger stacks.
const racing = true
