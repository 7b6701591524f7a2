//go:build linux

package load

import (
	"fmt"
	"os"
	"strconv"
	"strings"
)

// Drops is how many datagrams the kernel has thrown away because the sockets of these viewers were full: the
// generator's own slowness, or a burst that no receive buffer of the usual size holds.
func Drops(viewers []*Viewer) (uint64, error) {
	text, err := os.ReadFile("/proc/net/udp")
	if err != nil {
		return 0, fmt.Errorf("count what sockets have dropped: %w", err)
	}
	ours := map[uint16]bool{}
	for _, v := range viewers {
		ours[v.Port()] = true
	}
	sum := uint64(0)
	for line := range strings.Lines(string(text)) {
		f := strings.Fields(line)
		if len(f) < 13 {
			continue
		}
		_, port, _ := strings.Cut(f[1], ":")
		if p, err := strconv.ParseUint(port, 16, 16); err == nil && ours[uint16(p)] {
			n, _ := strconv.ParseUint(f[len(f)-1], 10, 64) // the heading is no number
			sum += n
		}
	}
	return sum, nil
}
