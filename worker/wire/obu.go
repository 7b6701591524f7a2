package wire

// Bits of an OBU header (AV1 5.3.2).
const (
	obuHasSize       = 0x02
	obuHasExtension  = 0x04
	obuTypeMask      = 0x78
	obuTypeDelimiter = 2 << 3
)

// delimiter is a temporal delimiter with its size field. Nobody changes it.
var delimiter = []byte{obuTypeDelimiter | obuHasSize, 0}

func joinOBUs(data [][]byte) [][]byte {
	parts := make([][]byte, 0, 1+2*len(data))
	parts = append(parts, delimiter)
	for _, obu := range data {
		head := obuHead(obu)
		if head == 0 {
			continue
		}
		if obu[0]&obuHasSize != 0 { // as it should not be, but nothing is missing
			parts = append(parts, obu)
			continue
		}
		size := make([]byte, 0, 10)
		size = append(size, obu[:head]...)
		size[0] |= obuHasSize
		parts = append(parts, appendLEB128(size, len(obu)-head), obu[head:])
	}
	return parts
}

// splitOBUs copies: the size field stands amid what belongs together.
func splitOBUs(b []byte) [][]byte {
	var obus [][]byte
	memory := make([]byte, 0, len(b))
	for {
		obu, rest, ok := cutOBU(memory, b)
		if !ok {
			return obus
		}
		if obu[0]&obuTypeMask != obuTypeDelimiter {
			obus = append(obus, obu)
			memory = memory[len(obu):len(obu)]
		}
		b = rest
	}
}

// cutOBU takes the first OBU off b and writes it to memory, which has room, without its size field. One that has none
// takes all of b.
func cutOBU(memory, b []byte) (obu, rest []byte, ok bool) {
	head := obuHead(b)
	if head == 0 {
		return nil, nil, false
	}
	body := b[head:]
	if b[0]&obuHasSize != 0 {
		size, n := leb128(body)
		if n == 0 || size > uint64(len(body)-n) {
			return nil, nil, false
		}
		body, rest = body[n:n+int(size)], body[n+int(size):]
	}
	obu = append(append(memory[:0], b[:head]...), body...)
	obu[0] &^= obuHasSize
	return obu[:len(obu):len(obu)], rest, true
}

// obuHead is the length of the header with its extension; 0 if b does not hold it.
func obuHead(b []byte) int {
	switch {
	case len(b) >= 1 && b[0]&obuHasExtension == 0:
		return 1
	case len(b) >= 2:
		return 2
	}
	return 0
}

func appendLEB128(b []byte, v int) []byte {
	for ; v >= 0x80; v >>= 7 {
		b = append(b, byte(v)|0x80)
	}
	return append(b, byte(v))
}

// leb128 reads a size of at most 8 bytes (AV1 4.10.5) and tells how long it is; 0 if it is not whole.
func leb128(b []byte) (v uint64, n int) {
	for i := 0; i < 8 && i < len(b); i++ {
		v |= uint64(b[i]&0x7f) << (7 * i)
		if b[i] < 0x80 {
			return v, i + 1
		}
	}
	return 0, 0
}
