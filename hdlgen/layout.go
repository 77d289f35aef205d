package hdlgen

import (
	"corinfo/hdlgen/settling"
)

// Layout says where every neuron and synapse of a network lives in L lanes: neuron i of a layer in lane
// i mod L; the synapses of one presynaptic neuron, its column, in consecutive words of every lane, the
// targets of W first, then of F, then of C. Padding rows, where L does not divide a layer, hold zeros.
type Layout struct {
	Lanes        int
	Slots        int          // words of the lanes' neuron memories
	SlotBase     []int        // by layer: first slot; layer 0 has none
	SlotCount    []int        // by layer: ceil(n / L)
	ColumnBase   []int        // by presynaptic layer: address of column 0
	Stride       []int        // by presynaptic layer: words of a column
	Segments     [][3]Segment // by presynaptic layer and settling.Kind
	MatrixOffset []int        // by matrix: of its segment in a column
	Depth        int          // words of a lane's synapse memory
	matrices     []settling.Matrix
	layers       []int
}

// Segment is one matrix's part of a column.
type Segment struct {
	Matrix int // -1: none
	Slot   int // first slot of the targets
	Count  int // slots of the targets; 0: none
	Shift  int // of the broadcast value, so that products have their sum's binary point
}

// NewLayout lays a network out on L lanes.
func NewLayout(a *settling.Arithmetic, lanes int) *Layout {
	n := a.Network.Layers
	l := &Layout{Lanes: lanes, matrices: a.Matrices, layers: n,
		SlotBase: make([]int, len(n)), SlotCount: make([]int, len(n)),
		ColumnBase: make([]int, len(n)), Stride: make([]int, len(n)),
		Segments: make([][3]Segment, len(n)), MatrixOffset: make([]int, len(a.Matrices))}
	for k := 1; k < len(n); k++ {
		l.SlotBase[k] = l.Slots
		l.SlotCount[k] = ceilDiv(n[k], lanes)
		l.Slots += l.SlotCount[k]
	}
	for k := range n {
		for kind := range l.Segments[k] {
			l.Segments[k][kind].Matrix = -1
		}
	}
	for i, m := range a.Matrices {
		l.Segments[m.Pre][m.Kind] = Segment{Matrix: i, Slot: l.SlotBase[m.Post], Count: l.SlotCount[m.Post], Shift: m.Shift}
	}
	for k := range n {
		l.ColumnBase[k] = l.Depth
		for _, s := range l.Segments[k] {
			if s.Matrix >= 0 {
				l.MatrixOffset[s.Matrix] = l.Stride[k]
				l.Stride[k] += s.Count
			}
		}
		l.Depth += n[k] * l.Stride[k]
	}
	return l
}

func ceilDiv(a, b int) int { return (a + b - 1) / b }

// Address is where a synapse lives.
func (l *Layout) Address(matrix, column, row int) (lane, address int) {
	m := &l.matrices[matrix]
	return row % l.Lanes, l.ColumnBase[m.Pre] + column*l.Stride[m.Pre] + l.MatrixOffset[matrix] + row/l.Lanes
}

// Place is the synapse at an address of a lane; ok is false for padding.
func (l *Layout) Place(lane, address int) (matrix, column, row int, ok bool) {
	matrix, column, slot, ok := l.Column(address)
	if !ok {
		return 0, 0, 0, false
	}
	row = slot*l.Lanes + lane
	return matrix, column, row, row < l.matrices[matrix].Rows
}

// Column is the matrix and the presynaptic neuron that an address belongs to in every lane, and its
// slot: lane i holds row slot x L + i. ok is false beyond the last word.
func (l *Layout) Column(address int) (matrix, column, slot int, ok bool) {
	if address < 0 || address >= l.Depth {
		return 0, 0, 0, false
	}
	k := 0
	for k+1 < len(l.ColumnBase) && address >= l.ColumnBase[k+1] {
		k++
	}
	within := address - l.ColumnBase[k]
	column, offset := within/l.Stride[k], within%l.Stride[k]
	for _, s := range l.Segments[k] {
		if s.Matrix < 0 {
			continue
		}
		if offset < s.Count {
			return s.Matrix, column, offset, true
		}
		offset -= s.Count
	}
	return 0, 0, 0, false
}
