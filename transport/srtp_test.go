package transport

import (
	"slices"
	"testing"

	"golang.org/x/sys/cpu"
)

// I10: which of the two profiles comes first.
func TestSRTPProfiles(t *testing.T) {
	for aes, want := range map[bool][]uint16{true: {7, 1}, false: {1, 7}} {
		if got := srtpProfiles[uint16](aes); !slices.Equal(got, want) {
			t.Errorf("with AES instructions %v: %v, want %v", aes, got, want)
		}
	}
}

func TestInstructionsForAES(t *testing.T) {
	x86, arm, arm64 := cpu.X86, cpu.ARM, cpu.ARM64
	t.Cleanup(func() { cpu.X86, cpu.ARM, cpu.ARM64 = x86, arm, arm64 })

	for name, c := range map[string]struct {
		arch string
		set  func()
		want bool
	}{
		"PC":                       {"amd64", func() { cpu.X86.HasAES, cpu.X86.HasPCLMULQDQ, cpu.X86.HasSSE41 = true, true, true }, true},
		"PC without CLMUL":         {"amd64", func() { cpu.X86.HasAES, cpu.X86.HasSSE41 = true, true }, false},
		"PC without":               {"amd64", func() {}, false},
		"Pi 5":                     {"arm64", func() { cpu.ARM64.HasAES, cpu.ARM64.HasPMULL = true, true }, true},
		"Pi 3, 4, Zero 2":          {"arm64", func() {}, false},
		"64-bit ARM without PMULL": {"arm64", func() { cpu.ARM64.HasAES = true }, false},
		"Pi 5 with a 32-bit system": {"arm", func() {
			cpu.ARM.HasAES, cpu.ARM.HasPMULL, cpu.ARM64.HasAES, cpu.ARM64.HasPMULL = true, true, true, true
		}, false},
		"32-bit PC": {"386", func() { cpu.X86.HasAES, cpu.X86.HasPCLMULQDQ = true, true }, false},
		"POWER":     {"ppc64le", func() {}, true},
	} {
		t.Run(name, func(t *testing.T) {
			cpu.X86.HasAES, cpu.X86.HasPCLMULQDQ, cpu.X86.HasSSE41 = false, false, false
			cpu.ARM.HasAES, cpu.ARM.HasPMULL, cpu.ARM64.HasAES, cpu.ARM64.HasPMULL = false, false, false, false
			c.set()
			if got := hasAES(c.arch); got != c.want {
				t.Errorf("%v, want %v", got, c.want)
			}
		})
	}
}
