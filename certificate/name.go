package certificate

import (
	"net/netip"
	"slices"
	"strings"
)

// maxName is the longest name that DNS knows, as text.
const maxName = 253

// hostName brings a DNS name into the form that certificates have: lower case, without the dot at the end. It is false
// for what is no such name; names in other scripts have to be in their ASCII form, xn--….
func hostName(n string) (string, bool) {
	n = strings.ToLower(strings.TrimSuffix(n, "."))
	if n == "" || len(n) > maxName || strings.Trim(n, "abcdefghijklmnopqrstuvwxyz0123456789-_.") != "" {
		return "", false
	}
	for label := range strings.SplitSeq(n, ".") {
		if label == "" || len(label) > 63 || label[0] == '-' || label[len(label)-1] == '-' {
			return "", false
		}
	}
	return n, true
}

// clean brings names and addresses into the form that certificates have. It leaves out what is no name, addresses that
// mean nobody, and what occurs twice.
func clean(names []string) []string {
	var out []string
	for _, n := range names {
		if a, err := netip.ParseAddr(strings.Trim(n, "[]")); err == nil {
			if !a.IsUnspecified() && !a.IsMulticast() {
				out = append(out, a.Unmap().WithZone("").String())
			}
		} else if name, ok := hostName(n); ok {
			out = append(out, name)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}
