package simd

import (
	"fmt"
	"unsafe"

	"gonum.org/v1/gonum/mat"
)

// Matrix is a matrix whose columns are padded to whole panels of a cache line pair: 32 float32 or 16
// float64. A matrix of states has a row per sample, one after the other; a matrix of synapses is held panel
// by panel, so that a product reads it from end to end. Kernels compute in the padding too; no element depends on it.
type Matrix[T Float] struct {
	Rows, Cols int
	data       []T // from the first row on
	row        int // elements from a row to the next
	panel      int // elements from a panel to the next
}

// lineBytes is that of a cache line.
const lineBytes = 64

// panelColumns is the number of columns of a panel.
func panelColumns[T Float]() int {
	var zero T
	return 2 * lineBytes / int(unsafe.Sizeof(zero))
}

// panels is the number of panels that hold some columns.
func panels[T Float](cols int) int { return (cols + panelColumns[T]() - 1) / panelColumns[T]() }

// NewStates is a zero matrix with a row per sample.
func NewStates[T Float](samples, neurons int) Matrix[T] {
	// One line more than the neurons take: rows whose distance is a power of 2 would fall into one set of the cache.
	row := panels[T](neurons)*panelColumns[T]() + panelColumns[T]()/2
	return Matrix[T]{Rows: samples, Cols: neurons, data: aligned[T](samples * row), row: row, panel: panelColumns[T]()}
}

// NewSynapses is a zero matrix with a row per presynaptic and a column per postsynaptic neuron.
func NewSynapses[T Float](pre, post int) Matrix[T] {
	row := panelColumns[T]()
	return Matrix[T]{Rows: pre, Cols: post, data: aligned[T](panels[T](post) * pre * row), row: row, panel: pre * row}
}

// aligned is a slice that starts with a cache line.
func aligned[T Float](n int) []T {
	var zero T
	line := lineBytes / int(unsafe.Sizeof(zero))
	data := make([]T, n+line)
	skip := 0
	if past := int(uintptr(unsafe.Pointer(&data[0])) % lineBytes); past != 0 {
		skip = (lineBytes - past) / int(unsafe.Sizeof(zero))
	}
	return data[skip : skip+n : skip+n]
}

// Slice is a view of the rows from <= i < to. It panics where the matrix has not all of them.
func (m Matrix[T]) Slice(from, to int) Matrix[T] {
	if from < 0 || to < from || to > m.Rows { // the kernels don't look at lengths
		panic(fmt.Sprintf("simd: rows %d to %d of %d", from, to, m.Rows))
	}
	m.data, m.Rows = m.data[from*m.row:], to-from
	return m
}

// Row is row i of a matrix of states, without padding.
func (m Matrix[T]) Row(i int) []T {
	m.wantStates()
	return m.data[i*m.row:][:m.Cols]
}

func (m Matrix[T]) wantStates() {
	if m.panel != panelColumns[T]() {
		panic("simd: a matrix of synapses in the place of one of states")
	}
}

// Clear sets all elements of a matrix of states to 0.
func (m Matrix[T]) Clear() {
	for i := range m.Rows {
		clear(m.Row(i))
	}
}

// PanelColumns is the number of columns of a panel.
func PanelColumns[T Float]() int { return panelColumns[T]() }

// Panels is the number of panels of a matrix.
func (m Matrix[T]) Panels() int { return panels[T](m.Cols) }

// Panel is a view of the rows from <= i < to of a panel, as a matrix of states. It panics where the matrix has not all of them.
func (m Matrix[T]) Panel(p, from, to int) Matrix[T] {
	width := panelColumns[T]()
	if p < 0 || p >= m.Panels() {
		panic(fmt.Sprintf("simd: panel %d of %d", p, m.Panels()))
	}
	v := m.Slice(from, to)
	return Matrix[T]{Rows: v.Rows, Cols: min(width, m.Cols-p*width), data: v.data[p*m.panel:], row: m.row, panel: width}
}

// Narrow is a view of the first columns of a matrix of states, of all where it has not more.
func (m Matrix[T]) Narrow(cols int) Matrix[T] {
	m.wantStates()
	m.Cols = min(cols, m.Cols)
	return m
}

// Columns is a view of the columns from <= j < to of a matrix of states that only products may read, as their left factor.
func (m Matrix[T]) Columns(from, to int) Matrix[T] {
	m.wantStates()
	if from < 0 || to < from || to > m.Cols {
		panic(fmt.Sprintf("simd: columns %d to %d of %d", from, to, m.Cols))
	}
	m.data, m.Cols = m.data[from:], to-from
	return m
}

// Transpose sets synapses to the transpose of others. It panics on shapes that don't fit.
func Transpose[T Float](to, from Matrix[T]) {
	if to.Rows != from.Cols || to.Cols != from.Rows {
		panic(fmt.Sprintf("simd: %d x %d into %d x %d transposed", from.Rows, from.Cols, to.Rows, to.Cols))
	}
	width := panelColumns[T]()
	for p := range panels[T](to.Cols) {
		for q := range panels[T](from.Cols) { // a block of panel p of to is one of panel q of from
			rows, cols := min(width, from.Cols-q*width), min(width, to.Cols-p*width)
			for i := range rows {
				line := to.data[p*to.panel+(q*width+i)*to.row:][:cols]
				column := from.data[q*from.panel+p*width*from.row+i:]
				for j := range line {
					line[j] = column[j*from.row]
				}
			}
		}
	}
}

// At is the element of row i and column j.
func (m Matrix[T]) At(i, j int) T { return m.data[m.index(i, j)] }

// Set sets the element of row i and column j.
func (m Matrix[T]) Set(i, j int, v T) { m.data[m.index(i, j)] = v }

func (m Matrix[T]) index(i, j int) int {
	if uint(i) >= uint(m.Rows) || uint(j) >= uint(m.Cols) {
		panic(fmt.Sprintf("simd: element %d, %d of a matrix of %d x %d", i, j, m.Rows, m.Cols))
	}
	return i*m.row + j/panelColumns[T]()*m.panel + j%panelColumns[T]()
}

// Fill sets synapses to weights, which have a row per postsynaptic neuron.
func (m Matrix[T]) Fill(weights mat.Matrix) {
	for i := range m.Cols {
		for j := range m.Rows {
			m.Set(j, i, T(weights.At(i, j)))
		}
	}
}

// Copy copies the elements of a matrix of states into another of its shape.
func Copy[T Float](to, from Matrix[T]) {
	for i := range from.Rows {
		copy(to.Row(i), from.Row(i))
	}
}

// Multiply sets c = keep c + a b; where keep is 0, c may hold anything, NaN too. a is a matrix of states; c is none of
// the others. It panics on shapes that don't fit.
func Multiply[T Float](keep T, c, a, b Matrix[T]) {
	a.wantStates()
	if a.Rows != c.Rows || a.Cols != b.Rows {
		panic(fmt.Sprintf("simd: %d x %d times %d x %d into %d x %d", a.Rows, a.Cols, b.Rows, b.Cols, c.Rows, c.Cols))
	}
	product(keep, c, a.data, a.row, 1, b)
}

// MultiplyTransposed sets the rows from <= i < to of c = keep c + a' b: with a row per sample in a and b, the sum over
// the samples of their outer products; where keep is 0, c may hold anything. a is a matrix of states; c is none of
// the others. It panics on shapes that don't fit and on rows that are not there.
func MultiplyTransposed[T Float](keep T, c, a, b Matrix[T], from, to int) {
	a.wantStates()
	if a.Cols != c.Rows || a.Rows != b.Rows {
		panic(fmt.Sprintf("simd: %d x %d transposed times %d x %d into %d x %d", a.Rows, a.Cols, b.Rows, b.Cols, c.Rows, c.Cols))
	}
	if from < to {
		product(keep, c.Slice(from, to), a.data[from:], 1, a.row, b)
	}
}

// product sets c = keep c + a b, a with the given distances between rows and between terms.
func product[T Float](keep T, c Matrix[T], a []T, aRow, aTerm int, b Matrix[T]) {
	if b.Cols != c.Cols {
		panic(fmt.Sprintf("simd: a product of %d columns into %d", b.Cols, c.Cols))
	}
	k := inUse[T]()
	bytes := int(unsafe.Sizeof(keep))
	for p := range panels[T](c.Cols) {
		for row := 0; row < c.Rows && keep == 0; row++ { // 0 times infinity is no 0
			clear(c.data[row*c.row+p*c.panel:][:panelColumns[T]()])
		}
		for column := 0; column < panelColumns[T](); column += 2 * k.lanes {
			size := 0 // of the tile: the largest that is not too large
			for row := 0; row < c.Rows; {
				for k.tiles[size].rows > c.Rows-row {
					size++
				}
				t := k.tiles[size]
				t.run(b.Rows, &a[row*aRow], aRow*bytes, aTerm*bytes, &b.data[p*b.panel+column], b.row*bytes,
					&c.data[row*c.row+p*c.panel+column], c.row*bytes, keep)
				row += t.rows
			}
		}
	}
}
