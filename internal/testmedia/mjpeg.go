package testmedia

import (
	"bytes"
	"image"
	"image/color"
	"image/draw"
	"image/jpeg"
)

// mjpeg returns JPEG pictures one behind the other: a bar that crosses a gradient in two seconds. RTP carries
// only sizes that are a multiple of 8, and the usual Huffman tables, which Go's encoder has (RFC 2435).
func mjpeg() []byte {
	const width, height, pictures = 320, 176, 50
	gradient := image.NewRGBA(image.Rect(0, 0, width, height))
	for at := range width * height {
		x, y := at%width, at/width
		copy(gradient.Pix[4*at:], []byte{uint8(x / 2), uint8(y), 96, 255})
	}
	picture, white := image.NewRGBA(gradient.Rect), image.NewUniform(color.White)
	var b bytes.Buffer
	for i := range pictures {
		copy(picture.Pix, gradient.Pix)
		bar := i * width / pictures
		draw.Draw(picture, image.Rect(bar, 0, bar+16, height), white, image.Point{}, draw.Src)
		if err := jpeg.Encode(&b, picture, &jpeg.Options{Quality: 50}); err != nil {
			panic(err) // a buffer takes everything
		}
	}
	return b.Bytes()
}
