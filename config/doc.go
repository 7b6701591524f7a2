// Package config is config.toml as Go structs: what the keys are, what they are when nobody sets them, and
// every fault of a file at once, each with its line and its key.
//
// Values come from three places, the later over the earlier: Default, the file, and environment variables
// (SLUICE_HTTP_LISTEN for http.listen). Load and Parse return a Config only if Validate finds no fault in it.
package config
