package config

import "reflect"

// Reloaded is what a gateway that runs with c goes on with when its file says to: to itself, but for the keys that
// can't change while it runs. restart has those that differ.
func (c Config) Reloaded(to Config) (next Config, restart []string) {
	next = to
	old, wanted := c.globals(), next.globals()
	for i, l := range wanted {
		if l.tag.Get("apply") == "restart" && !reflect.DeepEqual(old[i].value.Interface(), l.value.Interface()) {
			restart = append(restart, l.key)
			l.value.Set(old[i].value)
		}
	}
	return next, restart
}

// Changed lists the keys outside [streams] in which c and to differ.
func (c Config) Changed(to Config) []string {
	var all []string
	old, wanted := c.globals(), to.globals()
	for i, l := range wanted {
		if !reflect.DeepEqual(old[i].value.Interface(), l.value.Interface()) {
			all = append(all, l.key)
		}
	}
	return all
}
