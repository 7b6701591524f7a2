package config

// ValidStreamName reports whether a stream may have that name.
func ValidStreamName(name string) bool { return checkName(name) == "" }
