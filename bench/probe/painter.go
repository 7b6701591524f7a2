package main

import (
	"math"
	"math/rand/v2"
)

const (
	bands = 6 // that move at speeds of their own
	grain = 10
)

// painter draws a scene that moves and has some noise, as cameras have, so that the encoder has something to do.
// Drawing costs no more than copying, as the machine is to be measured at other things.
type painter struct {
	width, height int
	scene         [][]byte // one for each line, two rounds of it
	noise         []byte
	frame         []byte // I420
	random        *rand.Rand
}

func newPainter(width, height int) *painter {
	p := &painter{
		width: width, height: height, random: rand.New(rand.NewPCG(1, 2)),
		frame: make([]byte, width*height*3/2), noise: make([]byte, width*height/2),
	}
	for i := range p.noise {
		p.noise[i] = byte(96 + p.random.IntN(64))
	}
	for i := width * height; i < len(p.frame); i++ {
		p.frame[i] = byte(118 + i*20/len(p.frame))
	}
	for y := range height {
		p.scene = append(p.scene, p.line(y))
	}
	return p
}

// line is a line of the scene: waves that meet themselves at the end of a round, and grain.
func (p *painter) line(y int) []byte {
	line := make([]byte, 2*p.width)
	for x := range p.width {
		turn := 2 * math.Pi * float64(x) / float64(p.width)
		wave := 45*math.Sin(6*turn+float64(y)/40) + 30*math.Sin(17*turn-float64(y)/15)
		line[x] = byte(126 + int(wave) + p.random.IntN(grain))
	}
	copy(line[p.width:], line)
	return line
}

// paint draws the picture of a number, with a stamp. The picture is valid until the next.
func (p *painter) paint(number int, bits uint32) []byte {
	for y := range p.height {
		speed := 1 + y*bands/p.height
		copy(p.frame[y*p.width:(y+1)*p.width], p.scene[y][number*speed%p.width:])
	}
	p.flicker()
	paintStamp(p.frame, p.width, p.height, bits)
	return p.frame
}

// flicker covers a patch in the middle with noise that is new in every picture.
func (p *painter) flicker() {
	w, h := p.width/8, p.height/8
	for y := p.height / 2; y < p.height/2+h; y++ {
		at := p.random.IntN(len(p.noise) - w)
		copy(p.frame[y*p.width+p.width/2:], p.noise[at:at+w])
	}
}
