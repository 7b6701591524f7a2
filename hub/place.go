package hub

// Place is where a unit stands in its ring. It does not keep the unit from being freed.
type Place struct {
	ring  *ring
	index uint64
}

// Place is where the unit stands; of a unit that was never written, one that finds nothing.
func (u *Unit) Place() Place { return Place{u.ring, u.Index} }

// Unit is the unit that stands there, or nil once it has left the ring.
func (p Place) Unit() *Unit {
	if p.ring == nil {
		return nil
	}
	return p.ring.at(p.index)
}
