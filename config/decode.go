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
	// secrets are the keys whose text holds a password or token that does not come from elsewhere.
	secrets []*node
	// inPattern is set while the table of a pattern is read, where ${stream} stays as it is.
	inPattern bool
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
		if into.Type().Elem() == renditionType {
			d.renditions(n, into)
		} else {
			d.streams(n, into)
		}
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
		d.inPattern = IsPattern(name)
		if d.table(n.fields[name], reflect.ValueOf(&s).Elem()) {
			streams[name] = s
		}
	}
	d.inPattern = false
	into.Set(reflect.ValueOf(streams))
}

func (d *decoder) renditions(n *node, into reflect.Value) {
	if n.kind != unstable.Table && n.kind != unstable.InlineTable {
		d.doc.fault(n, "must be one table for each rendition, such as [%s.low], not %s", n.key, kindTitle(n.kind))
		return
	}
	renditions := make(map[string]Rendition, len(n.order))
	for _, name := range n.order {
		if source, ok := n.fields[name].fields["source"]; ok {
			d.doc.fault(source, "%s", laterSubStream)
			continue
		}
		var r Rendition
		if d.table(n.fields[name], reflect.ValueOf(&r).Elem()) {
			renditions[name] = r
		}
	}
	into.Set(reflect.ValueOf(renditions))
}

// list reads a list of values, or one of tables: [{ a = 1 }], or [[...]] for each.
func (d *decoder) list(n *node, into reflect.Value) {
	tables := into.Type().Elem().Kind() == reflect.Struct
	if n.kind != unstable.Array && (n.kind != unstable.ArrayTable || !tables) {
		d.doc.fault(n, "must be a list, such as %s, not %s", listExample(into.Type().Elem()), kindTitle(n.kind))
		return
	}
	into.Set(reflect.MakeSlice(into.Type(), len(n.items), len(n.items)))
	for i, item := range n.items {
		d.value(item, into.Index(i))
	}
}

func listExample(item reflect.Type) string {
	if item.Kind() != reflect.Struct {
		return `["a", "b"]`
	}
	return fmt.Sprintf("[{ %s = ... }]", item.Field(0).Tag.Get("toml"))
}

func (d *decoder) scalar(n *node, into reflect.Value) {
	want := wantedKind(into.Type())
	if n.kind != want {
		d.doc.fault(n, "must be %s, not %s", typeTitle(into.Type()), wrongValue(n, into.Type()))
		return
	}
	text := n.text
	if want == unstable.String {
		expanded, err := d.env.expand(text, d.inPattern)
		if err != nil {
			d.doc.fault(n, "%s", strings.ReplaceAll(err.Error(), "\n", "; "))
			return
		}
		if holdsSecret(text) || into.Type() == secretType && standsInFile(text) {
			d.secrets = append(d.secrets, n)
		}
		text = expanded
	}
	if message := setScalar(into, text); message != "" {
		d.doc.fault(n, "%s", message)
	}
}
