package hdlgen

import (
	"bytes"
	"fmt"
	"math/big"
)

// imageFolder is the folder of the memory images in a design's folder.
const imageFolder = "images"

// ImagePath is the path of an image within the folder of the design of that name: images of several designs can lie in one folder.
func ImagePath(design, image string) string { return imageFolder + "/" + design + "_" + image }

// MemoryImage is the text of a memory image: one word a line, hexadecimal, as many as the memory has.
type MemoryImage struct {
	width int
	text  bytes.Buffer
}

// Field is a part of a memory's word: the lowest Width bits of Value.
type Field struct {
	Value int64
	Width int
}

// Word appends a word of fields, the first lowest.
func (m *MemoryImage) Word(fields ...Field) {
	all := new(big.Int)
	at := uint(0)
	for _, f := range fields {
		mask := new(big.Int).Sub(new(big.Int).Lsh(big.NewInt(1), uint(f.Width)), big.NewInt(1))
		all.Or(all, mask.And(mask, big.NewInt(f.Value)).Lsh(mask, at))
		at += uint(f.Width)
	}
	m.width = int(at)
	fmt.Fprintf(&m.text, "%0*x\n", (m.width+3)/4, all)
}

// Pad appends words of zero up to a number of words.
func (m *MemoryImage) Pad(words int) {
	for n := bytes.Count(m.text.Bytes(), []byte("\n")); n < words; n++ {
		m.text.WriteString("0\n")
	}
}

// Text is the whole image.
func (m *MemoryImage) Text() []byte { return m.text.Bytes() }
