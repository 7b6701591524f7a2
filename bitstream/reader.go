package bitstream

// bitReader reads the bits of an RBSP. The first read past the end sets bad, and from then on all reads
// give zero, so that a parser needs to ask only once.
type bitReader struct {
	buf []byte
	pos int
	bad bool
}

// u reads n bits, n ≤ 32 (descriptor u(n) of ITU-T H.264 7.2).
func (r *bitReader) u(n int) uint32 {
	if r.bad || n > len(r.buf)*8-r.pos {
		r.bad = true
		return 0
	}
	v := uint32(0)
	for range n {
		v = v<<1 | uint32(r.buf[r.pos>>3]>>(7-r.pos&7)&1)
		r.pos++
	}
	return v
}

func (r *bitReader) flag() bool { return r.u(1) == 1 }

func (r *bitReader) skip(n int) {
	if r.bad || n > len(r.buf)*8-r.pos {
		r.bad = true
		return
	}
	r.pos += n
}

// ue reads an unsigned Exp-Golomb number (ITU-T H.264 9.1); more than 31 leading zeros are an error.
func (r *bitReader) ue() uint32 {
	zeros := 0
	for !r.bad && !r.flag() {
		if zeros++; zeros > 31 {
			r.bad = true
		}
	}
	return 1<<min(zeros, 31) - 1 + r.u(zeros)
}

// unescape appends to dst the bytes of src without emulation prevention (ITU-T H.264 7.4.1), and stops when
// the capacity of dst is used up.
func unescape(dst, src []byte) []byte {
	zeros := 0
	for _, b := range src {
		if len(dst) == cap(dst) {
			break
		}
		if zeros >= 2 && b == 3 {
			zeros = 0
			continue
		}
		if b == 0 {
			zeros++
		} else {
			zeros = 0
		}
		dst = append(dst, b)
	}
	return dst
}
