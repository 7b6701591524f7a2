package config

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
)

const variablePrefix = "SLUICE_"

// override sets the values that environment variables have for global keys. It returns which variable set
// which key, and a warning for each variable that sets nothing.
func (d *decoder) override(c *Config) (set map[string]string, warnings []Warning) {
	set = make(map[string]string)
	byVariable := make(map[string]leaf)
	for _, l := range c.globals() {
		byVariable[l.variable()] = l
	}
	for _, name := range slices.Sorted(maps.Keys(d.env.values)) {
		if !strings.HasPrefix(name, variablePrefix) || d.env.used[name] {
			continue
		}
		l, known := byVariable[name]
		if !known || l.value.Kind() == reflect.Slice {
			warnings = append(warnings, ignoredVariable(name, l, known, byVariable))
			continue
		}
		set[l.key] = name
		if message := setScalar(l.value, d.env.values[name]); message != "" {
			d.doc.faults = append(d.doc.faults, Fault{Key: name, Message: message})
		}
	}
	return set, warnings
}

func ignoredVariable(name string, l leaf, known bool, byVariable map[string]leaf) Warning {
	w := Warning{Key: name, Message: "no key of the configuration has this variable, so it does nothing"}
	if known {
		w.Message = fmt.Sprintf("does nothing: %s is a list, which only the file can set", l.key)
	} else if meant := nearest(name, slices.Sorted(maps.Keys(byVariable))); meant != "" {
		w.Message += fmt.Sprintf("; did you mean %s?", meant)
	}
	return w
}
