package golden

import (
	"fmt"

	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/blas64"
)

// floatBatch is the activity of some samples, a row each. Slices are indexed by layer.
type floatBatch struct {
	rows             int
	x, y             blas64.General
	input            blas64.General   // W_0 x, the same in all iterations
	r, u             []blas64.General // k = 1..K
	current, lateral []blas64.General // scratch of a step
}

func newFloatBatch(n *Network, rows int) *floatBatch {
	K := n.K()
	b := &floatBatch{rows: rows, x: general(rows, n.Layers[0]), y: general(rows, n.Layers[K]), input: general(rows, n.Layers[1])}
	for _, list := range []*[]blas64.General{&b.r, &b.u, &b.current, &b.lateral} {
		*list = layersOf(n, rows)
	}
	return b
}

// layersOf is a matrix of samples for every layer k = 1..K.
func layersOf(n *Network, rows int) []blas64.General {
	list := make([]blas64.General, n.K()+1)
	for k := 1; k <= n.K(); k++ {
		list[k] = general(rows, n.Layers[k])
	}
	return list
}

// load takes a sample of pixels.
func (b *floatBatch) load(i int, pixels []uint8) {
	x := rowsOf(b.x, span{i, i + 1}).Data
	if len(pixels) != len(x) {
		panic(fmt.Sprintf("golden: sample of %d pixels; the input has %d", len(pixels), len(x)))
	}
	for j, p := range pixels {
		x[j] = float64(p) / 255
	}
}

// begin starts samples whose x is loaded: r = 0, and W_0 x once and for all.
func (m *FloatModel) begin(b *floatBatch, s span) {
	for k := 1; k <= m.n.K(); k++ {
		clear(rowsOf(b.r[k], s).Data)
	}
	multiply(1, rowsOf(b.x, s), m.w[0], 0, rowsOf(b.input, s))
	if m.recorder != nil {
		m.recorder.note("x", 0, rowsOf(b.x, s).Data)
	}
}

// settle runs a phase, which begins with u := r and updates the layers from the input to the output,
// each with the newest states of the others. beta is signed, 0 in the free phase.
func (m *FloatModel) settle(b *floatBatch, s span, beta float64, iterations int) {
	for k := 1; k <= m.n.K(); k++ {
		copy(rowsOf(b.u[k], s).Data, rowsOf(b.r[k], s).Data)
	}
	for _, eta := range m.eta[:iterations] {
		for k := 1; k <= m.n.K(); k++ {
			m.step(b, s, k, eta, beta)
		}
	}
}

// step is one settling step of layer k.
func (m *FloatModel) step(b *floatBatch, s span, k int, eta, beta float64) {
	r, u := rowsOf(b.r[k], s), rowsOf(b.u[k], s)
	current, lateral := rowsOf(b.current[k], s), rowsOf(b.lateral[k], s)
	if k == 1 {
		copy(current.Data, rowsOf(b.input, s).Data)
	} else {
		multiply(1, rowsOf(b.r[k-1], s), m.w[k-1], 0, current)
	}
	output := k == m.n.K()
	if !output {
		multiply(1, rowsOf(b.r[k+1], s), m.f[k], 1, current)
	}
	multiply(1, r, m.c[k], 0, lateral)
	if m.recorder != nil {
		m.recorder.note("current", k, current.Data)
		m.recorder.note("lateral", k, lateral.Data)
	}
	if output {
		m.outputDrive(beta, current.Data, lateral.Data, r.Data, u.Data, rowsOf(b.y, s).Data)
	} else {
		m.hiddenDrive(current.Data, lateral.Data, r.Data, u.Data)
	}
	drive := current.Data
	for i, du := range drive {
		v := u.Data[i] + eta*du
		u.Data[i] = v
		r.Data[i] = min(max(v, 0), 1)
	}
	if m.recorder != nil {
		m.recorder.note("drive", k, drive)
		m.recorder.note("u", k, u.Data)
		m.recorder.note("r", k, r.Data)
	}
}

// hiddenDrive turns current = W r + F r into du = -g u + (basal - u)/epsilon + (apical - u)/epsilon with
// apical = epsilon (2 C r + g r) + F r.
func (m *FloatModel) hiddenDrive(current, lateral, r, u []float64) {
	g, conductance := m.n.Leak, 1/m.n.Epsilon
	lateral, r, u = lateral[:len(current)], r[:len(current)], u[:len(current)]
	for i, v := range current {
		current[i] = (v-2*u[i])*conductance + 2*lateral[i] + g*(r[i]-u[i])
	}
}

// outputDrive turns current = W r into du = -g u + (basal - u)/epsilon + apical - u with
// apical = C r + g r - beta (r - y).
func (m *FloatModel) outputDrive(beta float64, current, lateral, r, u, y []float64) {
	g, conductance := m.n.Leak, 1/m.n.Epsilon
	for i, v := range current {
		current[i] = (v-u[i])*conductance + lateral[i] + g*(r[i]-u[i]) - beta*(r[i]-y[i]) - u[i]
	}
}

// panel is how many targets multiply computes at a time: Gemm would spread more than three blocks of 64
// over goroutines of its own, but the samples are spread already.
const panel = 3 * 64

// multiply sets to = scale from synapses + keep to; synapses are transposed, a row per column of from.
func multiply(scale float64, from, synapses blas64.General, keep float64, to blas64.General) {
	for start := 0; start < to.Cols; start += panel {
		blas64.Gemm(blas.NoTrans, blas.NoTrans, scale, from, columnsOf(synapses, start, panel), keep, columnsOf(to, start, panel))
	}
}

// columnsOf is a view of up to count columns of a matrix.
func columnsOf(m blas64.General, start, count int) blas64.General {
	m.Cols = min(count, m.Cols-start)
	m.Data = m.Data[start : (m.Rows-1)*m.Stride+start+m.Cols]
	return m
}
