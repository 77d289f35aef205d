package dataset

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"image/jpeg"
	"image/png"
)

// imageSize is the shape of an image's sample: planes are 1 of grey or 3 of red, green and blue.
type imageSize struct{ width, height, planes int }

func (s imageSize) bytes() int { return s.width * s.height * s.planes }

const (
	pngStart  = "\x89PNG\r\n\x1a\n"
	jpegStart = "\xff\xd8"
)

// errNoImage: only these two are read, whatever other decoders the program has.
var errNoImage = errors.New("at byte 0: neither PNG nor JPEG")

// imageHeader reads the size of a PNG or JPEG file and whether it is grey, by its kind of pixels or its palette.
func imageHeader(text []byte) (imageSize, error) {
	var c image.Config
	var err error
	grey := false
	switch {
	case bytes.HasPrefix(text, []byte(pngStart)):
		c, err = png.DecodeConfig(bytes.NewReader(text))
		grey = err == nil && text[25] == 4 // grey with alpha, which Go reads as colours
	case bytes.HasPrefix(text, []byte(jpegStart)):
		c, err = jpeg.DecodeConfig(bytes.NewReader(text))
	default:
		err = errNoImage
	}
	if err == nil && (c.Width < 1 || c.Height < 1) {
		err = fmt.Errorf("%d x %d pixels", c.Width, c.Height)
	}
	if err != nil {
		return imageSize{}, err
	}
	if grey || greyModel(c.ColorModel) {
		return imageSize{c.Width, c.Height, 1}, nil
	}
	return imageSize{c.Width, c.Height, 3}, nil
}

func greyModel(m color.Model) bool {
	if palette, ok := m.(color.Palette); ok {
		for _, c := range palette {
			if r, g, b, _ := c.RGBA(); r != g || g != b {
				return false
			}
		}
		return true
	}
	return m == color.GrayModel || m == color.Gray16Model
}

// imagePlanes decodes a file of a size that its caller can take into planes, row by row, of to. Grey images have three equal
// planes where three are wanted.
func imagePlanes(text []byte, size imageSize, to []uint8) error {
	// A file that has changed may say any size, for which the decoder would make room.
	if now, err := imageHeader(text); err != nil {
		return err
	} else if now.width != size.width || now.height != size.height || now.planes > size.planes {
		return errors.New("changed while it was read")
	}
	decode := jpeg.Decode
	if bytes.HasPrefix(text, []byte(pngStart)) {
		decode = png.Decode
	}
	m, err := decode(bytes.NewReader(text))
	if err != nil {
		return err
	}
	pixels := image.NewRGBA(image.Rect(0, 0, size.width, size.height))
	draw.Draw(pixels, pixels.Rect, m, m.Bounds().Min, draw.Src)
	area := size.width * size.height
	for i := range area {
		for plane := range size.planes {
			to[plane*area+i] = pixels.Pix[4*i+plane]
		}
	}
	return nil
}
