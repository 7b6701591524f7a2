//go:build !linux

package worker

// monotonic is 0: no worker shares a clock with us.
func monotonic() int64 { return 0 }
