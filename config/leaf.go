package config

import (
	"reflect"
	"strings"
	"time"
)

var durationType = reflect.TypeFor[time.Duration]()

// leaf is one key that holds a value, and where it is kept.
type leaf struct {
	key   string
	tag   reflect.StructTag
	value reflect.Value
}

// leaves lists the keys under prefix that the struct v holds, in the struct's order. The tables of [streams]
// are no part of it.
func leaves(prefix string, v reflect.Value) []leaf {
	var all []leaf
	for i := range v.NumField() {
		field, value := v.Type().Field(i), v.Field(i)
		key := joinKey(prefix, field.Tag.Get("toml"))
		switch value.Kind() {
		case reflect.Struct:
			all = append(all, leaves(key, value)...)
		case reflect.Map:
		default:
			all = append(all, leaf{key: key, tag: field.Tag, value: value})
		}
	}
	return all
}

// globals are the leaves of c outside [streams].
func (c *Config) globals() []leaf { return leaves("", reflect.ValueOf(c).Elem()) }

// variable is the environment variable that overrides the key.
func (l leaf) variable() string {
	return "SLUICE_" + strings.ToUpper(strings.ReplaceAll(l.key, ".", "_"))
}
