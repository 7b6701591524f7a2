package config

import (
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/pelletier/go-toml/v2/unstable"
)

// decoder puts a document into a Config; what it finds wrong it adds to the document's faults and leaves out.
type decoder struct {
	doc *document
	env *environment
	// secrets are the keys whose text holds a password that does not come from elsewhere.
	secrets []*node
}

// table sets the fields of the struct into from the table n; it returns false if n is none.
func (d *decoder) table(n *node, into reflect.Value) bool {
	if n.kind != unstable.Table && n.kind != unstable.InlineTable {
		d.doc.fault(n, "must be a table, not %s", kindTitle(n.kind))
		return false
	}
	known := make(map[string]reflect.Value)
	var names []string
	for i := range into.NumField() {
		name := into.Type().Field(i).Tag.Get("toml")
		known[name] = into.Field(i)
		names = append(names, name)
	}
	for _, name := range n.order {
		if field, ok := known[name]; ok {
			d.value(n.fields[name], field)
		} else {
			d.doc.fault(n.fields[name], "%s", unknownKey(name, names))
		}
	}
	return true
}

func unknownKey(name string, known []string) string {
	if meant := nearest(name, known); meant != "" {
		return fmt.Sprintf("unknown key; did you mean %s?", meant)
	}
	return "unknown key; known here are " + strings.Join(slices.Sorted(slices.Values(known)), ", ")
}

func (d *decoder) value(n *node, into reflect.Value) {
	switch into.Kind() {
	case reflect.Struct:
		d.table(n, into)
	case reflect.Map:
		d.streams(n, into)
	case reflect.Slice:
		d.list(n, into)
	default:
		d.scalar(n, into)
	}
}

func (d *decoder) streams(n *node, into reflect.Value) {
	if n.kind != unstable.Table && n.kind != unstable.InlineTable {
		d.doc.fault(n, "must be one table for each stream, such as [streams.door], not %s", kindTitle(n.kind))
		return
	}
	streams := make(map[string]Stream, len(n.order))
	for _, name := range n.order {
		s := DefaultStream()
		if d.table(n.fields[name], reflect.ValueOf(&s).Elem()) {
			streams[name] = s
		}
	}
	into.Set(reflect.ValueOf(streams))
}

func (d *decoder) list(n *node, into reflect.Value) {
	if n.kind != unstable.Array {
		d.doc.fault(n, `must be a list, such as ["a", "b"], not %s`, kindTitle(n.kind))
		return
	}
	into.Set(reflect.MakeSlice(into.Type(), len(n.items), len(n.items)))
	for i, item := range n.items {
		d.scalar(item, into.Index(i))
	}
}

func (d *decoder) scalar(n *node, into reflect.Value) {
	want := wantedKind(into.Type())
	if n.kind != want {
		d.doc.fault(n, "must be %s, not %s", typeTitle(into.Type()), wrongValue(n, into.Type()))
		return
	}
	text := n.text
	if want == unstable.String {
		expanded, err := d.env.expand(text)
		if err != nil {
			d.doc.fault(n, "%s", strings.ReplaceAll(err.Error(), "\n", "; "))
			return
		}
		if holdsSecret(text) {
			d.secrets = append(d.secrets, n)
		}
		text = expanded
	}
	if message := setScalar(into, text); message != "" {
		d.doc.fault(n, "%s", message)
	}
}
