//go:build !linux

package capture

import "errors"

// askNode knows nothing: there is no V4L2.
func askNode(string) (node, error) { return node{}, errors.ErrUnsupported }
