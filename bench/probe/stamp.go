package main

import "fmt"

// A stamp is a moment of the wall clock in a picture: 32 blocks across its top, white for 1 and black for 0. The
// first 24 bits are the milliseconds since 1970, as far as they go (4 hours and 39 minutes), the other 8 their check.
const (
	stampBits  = 32
	clockBits  = 24
	stampSlice = 22 // the stamp's height is the picture's through this, rounded to whole macroblocks
)

// stamp puts a moment in milliseconds into 32 bits.
func stamp(ms int64) uint32 {
	clock := uint32(ms) & (1<<clockBits - 1)
	return clock<<8 | uint32(check(clock))
}

// unstamp is stamp's other way; false for bits that no stamp has.
func unstamp(bits uint32) (clock uint32, ok bool) {
	clock = bits >> 8
	return clock, check(clock) == uint8(bits)
}

// check is a CRC-8 of the 24 bits (polynomial x^8+x^2+x+1, from 0xFF on, so that black is no stamp).
func check(clock uint32) uint8 {
	crc := uint8(0xFF)
	for shift := 16; shift >= 0; shift -= 8 {
		crc ^= uint8(clock >> shift)
		for range 8 {
			carry := crc & 0x80
			crc <<= 1
			if carry != 0 {
				crc ^= 0x07
			}
		}
	}
	return crc
}

// stampHeight is how many lines of a picture the stamp takes.
func stampHeight(height int) int { return max(16, height/stampSlice/16*16) }

// Luma of black and white (ITU-R BT.601, studio range).
const (
	black = 16
	white = 235
)

// paintStamp paints a stamp over the first lines of a picture's luma.
func paintStamp(luma []byte, width, height int, bits uint32) {
	row := luma[:width]
	for x := range row {
		row[x] = black
		if bits>>(stampBits-1-x*stampBits/width)&1 == 1 {
			row[x] = white
		}
	}
	for y := 1; y < stampHeight(height); y++ {
		copy(luma[y*width:], row)
	}
}

// readStamp reads the stamp of a picture's luma at the middle of its blocks; false if there is none.
func readStamp(luma []byte, width, height int) (clock uint32, ok bool) {
	line := luma[stampHeight(height)/2*width:]
	var bits uint32
	for i := range stampBits {
		bits <<= 1
		if line[(2*i+1)*width/(2*stampBits)] > (black+white)/2 {
			bits |= 1
		}
	}
	return unstamp(bits)
}

// checkSize says why pictures of a size can't be stamped, or encoded.
func checkSize(width, height int) error {
	if width%stampBits != 0 || height%2 != 0 || width < 2*stampBits || height < 64 {
		return fmt.Errorf("a picture of %dx%d: the width is a multiple of 32 from 64 on, the height is even and 64 at least", width, height)
	}
	return nil
}
