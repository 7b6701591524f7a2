package gateway

import (
	"testing"

	"sluice/transcode"
)

// What has failed, perhaps for good, is listed but does not work.
func TestJobsThatCount(t *testing.T) {
	for state, want := range map[transcode.State]int{
		transcode.StateStarting: 1, transcode.StateRunning: 1, transcode.StateFailed: 0,
	} {
		if got := jobs(transcode.Status{State: state}); got != want {
			t.Errorf("%s counts as %d jobs, want %d", state, got, want)
		}
	}
}
