//go:build gstreamer

// Package gst is what the worker needs of GStreamer, and the only user of go-gst. What go-gst v1.4.0 does well it
// does here (init, state, properties, the bus); the rest is a shim in C: buffers, running times, errors with their
// domain, pads. A Go object of go-gst drops its reference when the garbage collector pleases, so a pipeline holds one
// more that is never dropped: it ends with the process.
package gst

/*
#cgo pkg-config: gstreamer-1.0 gstreamer-app-1.0
#cgo CFLAGS: -Wall -Wno-unused-function
#include <stdlib.h>
#include "shim.h"
*/
import "C"

import (
	"fmt"
	"slices"
	"strings"
	"unsafe"

	gogst "github.com/go-gst/go-gst/gst"
)

// Init loads the registry of plugins; everything else comes after it. It returns the library's name and version,
// such as "GStreamer 1.22.0".
func Init() string {
	gogst.Init(nil)
	var major, minor, micro, nano C.guint
	C.gst_version(&major, &minor, &micro, &nano)
	return fmt.Sprintf("GStreamer %d.%d.%d", major, minor, micro)
}

// Exists reports whether an element is installed, by the registry: its plugin is not loaded.
func Exists(factory string) bool { return gogst.Find(factory) != nil }

// Load makes an element and drops it again, so that its plugin and its tables are in memory; false if there is none.
func Load(factory string) bool {
	e, err := gogst.NewElement(factory)
	return err == nil && e != nil
}

// ParseError is a text that makes no pipeline. Missing are the elements in it that are not installed.
type ParseError struct {
	Message string
	Missing []string
}

func (e *ParseError) Error() string { return e.Message }

// takeParseError frees what the shim has said.
func takeParseError(why *C.GError, missing **C.gchar) error {
	defer C.g_strfreev(missing)
	e := &ParseError{Message: "nothing is in it"}
	if why != nil {
		e.Message = C.GoString(why.message)
		C.g_error_free(why)
	}
	if missing != nil {
		for _, p := range unsafe.Slice(missing, C.g_strv_length(missing)) {
			if name := C.GoString(p); !Exists(name) { // one that lacks a property is said to be missing, too
				e.Missing = append(e.Missing, name)
			}
		}
	}
	slices.Sort(e.Missing)
	return e
}

// text is a C string for the time of a call. What follows a zero byte would be lost, so it must hold none.
func text(s string) (*C.char, error) {
	if strings.ContainsRune(s, 0) {
		return nil, &ParseError{Message: "a zero byte is in it"}
	}
	return C.CString(s), nil
}
