package fanout

import (
	"runtime"
	"strings"

	"golang.org/x/sys/cpu"
)

// hasAES reports whether the CPU has the instructions that make Go's AES-GCM fast.
func hasAES() bool {
	switch runtime.GOARCH {
	case "amd64":
		return cpu.X86.HasAES && cpu.X86.HasPCLMULQDQ && cpu.X86.HasSSE41
	case "arm64":
		return cpu.ARM64.HasAES && cpu.ARM64.HasPMULL
	case "s390x":
		return cpu.S390X.HasAES && cpu.S390X.HasAESCTR && cpu.S390X.HasGHASH
	default:
		return strings.HasPrefix(runtime.GOARCH, "ppc64") // all that Go runs on have them
	}
}
