package hdlgen

import (
	"bytes"
	"fmt"
	"math/big"

	"corinfo/hdlgen/settling"
)

// imageFolder is the folder of the memory images in a design's folder.
const imageFolder = "images"

// Memory images, by what follows the design's name in theirs: images of several designs can lie in one folder.
const (
	programImage   = "program.hex"
	constantsImage = "constants.hex"
	ratesImage     = "rates.hex"
)

func laneImage(lane int) string { return fmt.Sprintf("lane_%03d.hex", lane) }

// imagePath is the path of an image within the folder of the design of that name.
func imagePath(design, image string) string { return imageFolder + "/" + design + "_" + image }

// image is the text of a memory image: one word a line, hexadecimal, as many as the memory has.
type image struct {
	width int
	text  bytes.Buffer
}

// word appends fields, the first lowest.
func (m *image) word(fields ...field) {
	all := new(big.Int)
	at := uint(0)
	for _, f := range fields {
		mask := new(big.Int).Sub(new(big.Int).Lsh(big.NewInt(1), uint(f.width)), big.NewInt(1))
		all.Or(all, mask.And(mask, big.NewInt(f.value)).Lsh(mask, at))
		at += uint(f.width)
	}
	m.width = int(at)
	fmt.Fprintf(&m.text, "%0*x\n", (m.width+3)/4, all)
}

type field struct {
	value int64
	width int
}

// instructionBits are those of an instruction without its step size.
const instructionBits = 44

// programWords encodes the program as corinfo_sequencer reads it.
func programWords(a *settling.Arithmetic, s *shape) *image {
	bit := func(b bool) field {
		if b {
			return field{1, 1}
		}
		return field{0, 1}
	}
	m := &image{}
	for _, i := range a.Program {
		m.word(field{int64(i.Op), 4}, field{int64(i.Layer), 8}, field{int64(i.Phase), 2}, bit(i.Restart), bit(i.Last), bit(i.Exit > 0),
			field{int64(i.Role), 1}, bit(i.Second), bit(i.Negate), field{int64(i.Matrix), 8}, field{int64(i.Exit), 16}, field{i.Eta, s.Eta})
	}
	return m
}

// constantWords holds the soma's constants, three words a layer: no beta, positive, negative.
func constantWords(a *settling.Arithmetic) *image {
	w := a.Formats.Coefficient.Width
	m := &image{}
	for _, layer := range a.Coefficients[1:] {
		for _, c := range layer {
			m.word(field{c.Current, w}, field{c.R, w}, field{c.Y, w}, field{c.U, w}, field{c.Lateral, lateralFactorWidth})
		}
	}
	return m
}

// rateWords holds the learning rates of the first epoch.
func rateWords(a *settling.Arithmetic, s *shape) *image {
	m := &image{}
	for _, r := range a.Rates(0) {
		m.word(field{r, s.Rate})
	}
	return m
}

// laneWords is the synapse memory of one lane; synapse gives a word by matrix, row and column.
func laneWords(l *Layout, s *shape, lane int, synapse func(matrix, row, column int) int64) *image {
	m := &image{}
	for address := range s.synapseDepth {
		var word int64
		if matrix, column, row, ok := l.Place(lane, address); ok {
			word = synapse(matrix, row, column)
		}
		m.word(field{word, s.Word})
	}
	return m
}

// LaneImages are the images of the design's synapse memories, by their file, with other synapses.
func (d *Design) LaneImages(synapse func(matrix, row, column int) int64) (map[string][]byte, error) {
	s, err := newShape(d.Arithmetic, d.Layout)
	if err != nil {
		return nil, err
	}
	files := map[string][]byte{}
	for lane := range d.Manifest.Lanes {
		files[imagePath(d.Manifest.Name, laneImage(lane))] = laneWords(d.Layout, s, lane, synapse).text.Bytes()
	}
	return files, nil
}
