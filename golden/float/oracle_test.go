package float

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"gonum.org/v1/gonum/mat"

	"corinfo/golden/dataset"
	"corinfo/golden/goldentest"
	"corinfo/golden/network"
	"corinfo/golden/rule"
	"corinfo/golden/weights"
)

// The oracle: the equations of docs/NETWORKS.md one number at a time, with B and gamma as the paper writes them. It shares no
// arithmetic with the model, and no description.
type oracle struct {
	n      *network.Network
	m      map[string][][]float64 // W0, F1, B1, b1, M1 by row
	buffer map[string][][]float64 // of momentum; of Adam the mean of gradients
	square map[string][][]float64 // of Adam, the mean of their squares
	t      int                    // mini-batches learned

	settle func(r states, q, y []float64, beta float64, iterations int, inference bool)
	ends   func(x, y []float64, beta float64) sampleEnds // of a sample that is learned
	update func(x []sampleEnds, beta float64)

	inhibited int // steps of sparse layers that leave their interneuron active
}

// states are those of one sample by layer, the input included.
type states [][]float64

// sampleEnds are the two compared ends of a sample, or its activities and errors.
type sampleEnds struct{ minus, plus, errors states }

func newOracle(n *network.Network, w weights.Weights) *oracle {
	o := &oracle{n: n, m: map[string][][]float64{}, buffer: map[string][][]float64{}, square: map[string][][]float64{}}
	for _, x := range w {
		name, unit := o.name(x.Name)
		rows, _ := x.Dims()
		for i := range rows {
			row := slices.Clone(x.RawRowView(i))
			for j := range row {
				row[j] /= unit
			}
			o.m[name] = append(o.m[name], row)
		}
	}
	switch n.Own.(type) {
	case *rule.CorInfoMax:
		o.settle, o.ends, o.update = o.settleCorInfoMax, o.compared, o.updateCorInfoMax
	case *rule.PC, *rule.PCNudge:
		o.settle, o.ends, o.update = o.forward, o.predict, o.updateFromErrors
	case *rule.Backprop:
		o.settle, o.ends, o.update = o.forward, o.backward, o.updateFromErrors
	default:
		o.settle, o.ends, o.update = o.settleEquilibrium, o.compared, o.updateEquilibrium
	}
	return o
}

// name is what the oracle calls a matrix, and what its values are multiplied by in the model.
func (o *oracle) name(matrix string) (string, float64) {
	if matrix[0] == 'C' {
		return "B" + matrix[1:], o.gamma()
	}
	return matrix, 1
}

func (o *oracle) gamma() float64 {
	own := o.n.Own.(*rule.CorInfoMax)
	return (1 - own.Lambda) / own.Lambda
}

func (o *oracle) at(kind string, k int) [][]float64 { return o.m[fmt.Sprint(kind, k)] }

func dot(a, b []float64) float64 {
	sum := 0.0
	for i := range a {
		sum += a[i] * b[i]
	}
	return sum
}

// eta is the step size.
func (o *oracle) eta(s int, inference bool) float64 {
	t := o.n.Settling.Step
	switch {
	case inference && t.Inference > 0:
		return t.Inference
	case t.Rule == "divide_by_loop_index":
		return math.Max(t.Start/float64(s+1), t.Stop)
	case t.Rule == "divide_by_slow_loop_index":
		return math.Max(t.Start/(1+float64(s)*t.Decay), t.Stop)
	}
	return t.Start
}

// free is a sample after the free phase, with its interneurons.
func (o *oracle) free(x, y []float64, inference bool) (r states, q []float64) {
	r = states{x}
	for k := 1; k <= o.n.K(); k++ {
		r = append(r, make([]float64, o.n.Layers[k]))
	}
	q = make([]float64, o.n.K()+1)
	o.settle(r, q, y, 0, o.n.Settling.FreeIterations, inference)
	return r, q
}

// learn applies one mini-batch; beta is signed.
func (o *oracle) learn(x, y [][]float64, beta float64) {
	var ends []sampleEnds
	for i := range x {
		ends = append(ends, o.ends(x[i], y[i], beta))
	}
	o.update(ends, beta)
	o.t++
}

// compared are the ends of two phases.
func (o *oracle) compared(x, y []float64, beta float64) sampleEnds {
	nudged := o.n.Settling.NudgedIterations
	r, q := o.free(x, y, false)
	e := sampleEnds{minus: slices.Clone(r)}
	freeR, freeQ := slices.Clone(r), slices.Clone(q)
	o.settle(r, q, y, beta, nudged, false)
	e.plus = slices.Clone(r)
	switch o.n.Learning.Contrast {
	case "third":
		o.settle(r, q, y, -beta, nudged, false)
		e.minus = r
	case "centred":
		o.settle(freeR, freeQ, y, -beta, nudged, false)
		e.minus = freeR
	}
	return e
}

// contrast is 1 / (beta N), or half of it.
func (o *oracle) contrast(beta float64) float64 {
	if o.n.Learning.Contrast != "free" {
		beta *= 2
	}
	return 1 / (beta * float64(o.n.Learning.Batch))
}

// difference is what f makes of the plus end less what it makes of the minus end.
func difference(f func(m [][]float64, r states, i, j int) float64) func(m [][]float64, e sampleEnds, i, j int) float64 {
	return func(m [][]float64, e sampleEnds, i, j int) float64 { return f(m, e.plus, i, j) - f(m, e.minus, i, j) }
}

// mu is the learning rate of W_k, which may be one for all.
func (o *oracle) mu(k int) float64 {
	if rates := o.n.Learning.Feedforward; len(rates) > 1 {
		return rates[k]
	}
	return o.n.Learning.Feedforward[0]
}

// fallen is a rate in the mini-batch under way.
func (o *oracle) fallen(mu float64) float64 {
	if d := o.n.Learning.Decay; d.Batches > 0 {
		return mu * math.Pow(d.Factor, math.Floor(float64(o.t)/float64(d.Batches)))
	}
	return mu
}

// change is what a matrix becomes by the optimizer, which goes up the unit times the sum of f over the samples.
func (o *oracle) change(kind string, k int, mu, unit float64, ends []sampleEnds, f func(m [][]float64, e sampleEnds, i, j int) float64) [][]float64 {
	name, m, by := fmt.Sprint(kind, k), o.at(kind, k), o.n.Learning.Optimizer
	if o.buffer[name] == nil {
		for i := range m {
			o.buffer[name] = append(o.buffer[name], make([]float64, len(m[i])))
			o.square[name] = append(o.square[name], make([]float64, len(m[i])))
		}
	}
	mu = o.fallen(mu)
	next, t := make([][]float64, len(m)), float64(o.t+1)
	for i := range m {
		next[i] = slices.Clone(m[i])
		for j, w := range m[i] {
			up := 0.0
			for _, e := range ends {
				up += f(m, e, i, j)
			}
			up *= unit
			a, b := &o.buffer[name][i][j], &o.square[name][i][j]
			switch by.Kind {
			case "adam":
				*a = by.Beta1**a + (1-by.Beta1)*up
				*b = by.Beta2**b + (1-by.Beta2)*up*up
				c1, c2 := 1-math.Pow(by.Beta1, t), 1-math.Pow(by.Beta2, t)
				if by.PlainRoot {
					next[i][j] += mu * math.Sqrt(c2) / c1 * *a / (math.Sqrt(*b) + by.Epsilon)
				} else {
					next[i][j] += mu * (*a / c1) / (math.Sqrt(*b/c2) + by.Epsilon)
				}
			case "momentum":
				*a = by.Momentum**a + up - by.WeightDecay*w
				next[i][j] += mu * *a
			case "sgd":
				next[i][j] += mu * (up - by.WeightDecay*w)
			}
		}
	}
	return next
}

// settleCorInfoMax settles one sample in place; q are the states of the interneurons by layer.
func (o *oracle) settleCorInfoMax(r states, q, y []float64, beta float64, iterations int, inference bool) {
	own, K, g := o.n.Own.(*rule.CorInfoMax), o.n.K(), o.n.Own.(*rule.CorInfoMax).Leak
	gamma := o.gamma()
	u, qu := make([][]float64, K+1), slices.Clone(q)
	for k := range u {
		u[k] = slices.Clone(r[k])
	}
	for s := range iterations {
		eta := o.eta(s, inference)
		for k := 1; k <= K; k++ {
			next := slices.Clone(r[k])
			at := slices.Index(own.Sparse.Layers, k)
			sum := 0.0
			for i := range next {
				basal := dot(o.at("W", k-1)[i], r[k-1])
				br := 0.0
				if own.Lateral {
					br = dot(o.at("B", k)[i], r[k])
				}
				v := u[k][i]
				var du float64
				if k < K {
					apical := own.Epsilon*(2*gamma*br+g*r[k][i]) + dot(o.at("F", k)[i], r[k+1])
					if at >= 0 {
						apical -= own.Epsilon * q[k]
					}
					du = -g*v + (basal-v)/own.Epsilon + (apical-v)/own.Epsilon
				} else {
					apical := gamma*br + g*r[k][i] - beta*(r[k][i]-y[i])
					if at >= 0 {
						apical -= q[k]
					}
					du = -g*v + (basal-v)/own.Epsilon + (apical - v)
				}
				v += eta * du
				u[k][i] = v
				next[i] = math.Max(0, v)
				if at < 0 {
					next[i] = math.Min(1, next[i])
				}
				sum += next[i]
			}
			r[k] = next
			if at >= 0 {
				qu[k] += own.Sparse.Nu[at] * (-qu[k] + sum - 1 + q[k])
				q[k] = math.Max(qu[k], 0)
				if q[k] > 0 {
					o.inhibited++
				}
			}
		}
	}
}

func (o *oracle) updateCorInfoMax(ends []sampleEnds, beta float64) {
	own, next, unit := o.n.Own.(*rule.CorInfoMax), map[string][][]float64{}, o.contrast(beta)
	// error is (r_post - M r_pre) r_pre' at (i, j).
	error := func(post, pre int) func(m [][]float64, e sampleEnds, i, j int) float64 {
		return difference(func(m [][]float64, r states, i, j int) float64 { return (r[post][i] - dot(m[i], r[pre])) * r[pre][j] })
	}
	for k := range o.n.K() {
		next[fmt.Sprint("W", k)] = o.change("W", k, o.mu(k), unit, ends, error(k+1, k))
		if k > 0 {
			next[fmt.Sprint("F", k)] = o.change("F", k, o.n.Learning.Feedback[k-1], unit, ends, error(k, k+1))
		}
	}
	for k := 1; k <= o.n.K() && own.Lateral; k++ {
		b := o.at("B", k)
		list := make([][]float64, len(b))
		for i := range list {
			list[i] = slices.Clone(b[i])
			for j := range list[i] {
				sum := 0.0
				for _, e := range ends {
					sum += dot(b[i], e.plus[k]) * dot(b[j], e.plus[k])
				}
				list[i][j] = (list[i][j] - o.gamma()*sum/float64(len(ends))) / own.Lambda
			}
		}
		next[fmt.Sprint("B", k)] = list
	}
	o.m = next
}

// settleEquilibrium is that of equilibrium propagation, and with M that of contrastive similarity matching.
func (o *oracle) settleEquilibrium(r states, _, y []float64, beta float64, iterations int, inference bool) {
	K := o.n.K()
	for s := range iterations {
		old := slices.Clone(r)
		for k := 1; k <= K; k++ {
			r[k] = slices.Clone(old[k])
			for i := range r[k] {
				d := dot(o.at("W", k-1)[i], old[k-1]) + o.at("b", k)[i][0] - old[k][i]
				if k < K {
					for j, above := range old[k+1] {
						d += o.at("W", k)[j][i] * above
					}
					if m := o.at("M", k); m != nil {
						d -= dot(m[i], old[k])
					}
				} else {
					d += 2 * beta * (y[i] - old[k][i])
				}
				r[k][i] = math.Min(math.Max(old[k][i]+o.eta(s, inference)*d, 0), 1)
			}
		}
	}
}

func (o *oracle) updateEquilibrium(ends []sampleEnds, beta float64) {
	next, unit := map[string][][]float64{}, o.contrast(beta)
	for k := range o.n.K() {
		mu := o.mu(k)
		next[fmt.Sprint("W", k)] = o.change("W", k, mu, unit, ends, difference(func(_ [][]float64, r states, i, j int) float64 { return r[k+1][i] * r[k][j] }))
		next[fmt.Sprint("b", k+1)] = o.change("b", k+1, mu, unit, ends, difference(func(_ [][]float64, r states, i, _ int) float64 { return r[k+1][i] }))
	}
	own, _ := o.n.Own.(*rule.CSM)
	for k := 1; k < o.n.K() && own != nil; k++ {
		alpha, m := own.Lateral[k-1], o.at("M", k)
		list := make([][]float64, len(m))
		for i := range m {
			list[i] = slices.Clone(m[i])
			for j := range m[i] {
				sum := 0.0
				for _, e := range ends {
					sum += e.plus[k][i] * e.plus[k][j]
				}
				list[i][j] -= o.fallen(alpha) / (2 * beta * float64(len(ends))) * sum
				list[i][j] *= 1 + alpha/(2*math.Abs(beta))
			}
		}
		next[fmt.Sprint("M", k)] = list
	}
	o.m = next
}

// activation is that of the network's hidden neurons, and its derivative.
func (o *oracle) activation(v float64) (f, slope float64) {
	name := ""
	switch own := o.n.Own.(type) {
	case *rule.PC:
		name = own.Activation
	case *rule.PCNudge:
		name = own.Activation
	case *rule.Backprop:
		name = own.Activation
	}
	switch {
	case name == "linear", name == "relu" && v > 0, name == "hard_sigmoid" && v > 0 && v < 1:
		return v, 1
	case name == "hard_sigmoid" && v >= 1:
		return 1, 0
	case name == "sigmoid":
		f = 1 / (1 + math.Exp(-v))
		return f, f * (1 - f)
	}
	return 0, 0
}

// basal is W r of the layer below + b.
func (o *oracle) basal(k, i int, below []float64) float64 {
	return dot(o.at("W", k-1)[i], below) + o.at("b", k)[i][0]
}

// forward is one pass upwards: r are the activities.
func (o *oracle) forward(r states, _, _ []float64, _ float64, _ int, _ bool) {
	for k := 1; k <= o.n.K(); k++ {
		for i := range r[k] {
			r[k][i] = o.basal(k, i, r[k-1])
			if k < o.n.K() {
				r[k][i], _ = o.activation(r[k][i])
			}
		}
	}
}

// predict settles a sample of predictive coding on its errors. Nudged, the energy is that without 1/2.
func (o *oracle) predict(x, y []float64, beta float64) sampleEnds {
	K := o.n.K()
	r := states{x}
	for k := 1; k <= K; k++ {
		r = append(r, make([]float64, o.n.Layers[k]))
	}
	active := func() states {
		f := slices.Clone(r)
		for k := 1; k < K; k++ {
			f[k] = make([]float64, len(r[k]))
			for i, v := range r[k] {
				f[k][i], _ = o.activation(v)
			}
		}
		return f
	}
	for k := 1; k <= K; k++ {
		f := active()
		for i := range r[k] {
			r[k][i] = o.basal(k, i, f[k-1])
		}
	}
	held, _ := o.n.Own.(*rule.PC)
	if held != nil {
		for i := range y {
			r[K][i] = held.Target[int(y[i])]
		}
	}
	errors := func() states {
		f, e := active(), make(states, K+1)
		for k := 1; k <= K; k++ {
			for i, v := range r[k] {
				e[k] = append(e[k], v-o.basal(k, i, f[k-1]))
			}
		}
		return e
	}
	for s := range o.n.Settling.NudgedIterations {
		e, eta := errors(), o.eta(s, false)
		if held == nil {
			eta *= 2
		}
		for k := 1; k <= K; k++ {
			for i, v := range r[k] {
				switch {
				case k < K:
					_, slope := o.activation(v)
					r[k][i] += eta * (o.down("W", k, i, e[k+1])*slope - e[k][i])
				case held == nil:
					r[k][i] += eta * (beta*(y[i]-v) - e[k][i])
				}
			}
		}
	}
	return sampleEnds{plus: active(), errors: errors()}
}

// down is what comes from the errors of the layer above to neuron i of layer k, by W transposed or by feedback synapses B.
func (o *oracle) down(kind string, k, i int, e []float64) (sum float64) {
	if kind == "B" {
		return dot(o.at("B", k)[i], e)
	}
	for j := range e {
		sum += o.at("W", k)[j][i] * e[j]
	}
	return sum
}

// backward is one pass upwards and one downwards; errors have the units of the loss.
func (o *oracle) backward(x, y []float64, _ float64) sampleEnds {
	K, own := o.n.K(), o.n.Own.(*rule.Backprop)
	r, _ := o.free(x, y, false)
	e := make(states, K+1)
	sum := 0.0
	for _, v := range r[K] {
		sum += math.Exp(v)
	}
	for i, v := range r[K] {
		if own.Loss == "mse" {
			e[K] = append(e[K], 2*(v-y[i])/float64(len(y)))
		} else {
			e[K] = append(e[K], math.Exp(v)/sum-y[i])
		}
	}
	kind := map[string]string{"fa": "B", "bp": "W"}[o.n.Rule]
	for k := K - 1; k >= 1; k-- {
		for i := range r[k] {
			_, slope := o.activation(o.basal(k, i, r[k-1]))
			e[k] = append(e[k], o.down(kind, k, i, e[k+1])*slope)
		}
	}
	return sampleEnds{plus: r, errors: e}
}

// updateFromErrors learns from errors above and activities below.
func (o *oracle) updateFromErrors(ends []sampleEnds, beta float64) {
	unit := 1 / float64(len(ends)) // what is held too high is to rise
	switch o.n.Own.(type) {
	case *rule.PCNudge:
		unit = 2 / beta
	case *rule.Backprop: // a gradient is to be gone down
		unit = -unit
	}
	next := map[string][][]float64{}
	for name, m := range o.m {
		if name[0] == 'B' {
			next[name] = m
		}
	}
	for k := range o.n.K() {
		mu := o.mu(k)
		next[fmt.Sprint("W", k)] = o.change("W", k, mu, unit, ends, func(_ [][]float64, e sampleEnds, i, j int) float64 { return e.errors[k+1][i] * e.plus[k][j] })
		next[fmt.Sprint("b", k+1)] = o.change("b", k+1, mu, unit, ends, func(_ [][]float64, e sampleEnds, i, _ int) float64 { return e.errors[k+1][i] })
	}
	o.m = next
}

// randomOf is goldentest.Random under a rule, with any contrast, loss and activation that it has, with and without lateral
// synapses, and with any optimizer.
func randomOf(rng *rand.Rand, name string) *network.Network {
	n := goldentest.Random(rng)
	n.Learning.Contrast = []string{rule.WithFree, rule.WithThird, rule.WithCentred}[rng.IntN(3)]
	if rng.IntN(2) == 0 {
		n.Settling.Step.Inference = 0.1
	}
	if name == n.Rule {
		goldentest.CorInfoMax(n).Lateral = rng.IntN(4) > 0
		return n
	}
	n.Rule, n.Own, n.Learning.Feedback = name, rule.Named(name).Own(), nil
	n.Settling.Step.Start = 0.3
	activation := rule.Activations[rng.IntN(len(rule.Activations))]
	switch own := n.Own.(type) {
	case *rule.CSM:
		for range n.K() - 1 {
			own.Lateral = append(own.Lateral, -rng.Float64()*n.Learning.Beta)
		}
	case *rule.PC:
		own.Activation = activation
		own.Target = []float64{-rng.Float64(), rng.Float64()}
	case *rule.PCNudge:
		own.Activation = activation
	case *rule.Backprop:
		own.Activation = activation
		own.Loss = []string{rule.MSE, rule.CrossEntropy}[rng.IntN(2)]
	}
	if name == "csm" || rule.Named(name).Lacks("learning.contrast") {
		n.Learning.Contrast = rule.WithFree
	}
	if name != "ep" && name != "csm" { // nothing limits the values of the others
		n.Settling.Step.Start = 0.02
		for k := range n.Learning.Feedforward {
			n.Learning.Feedforward[k] *= 0.05
			if name == "pc-nudge" { // whose gradient is a sum divided by beta
				n.Learning.Feedforward[k] *= 0.2 * n.Learning.Beta
			}
		}
	}
	return n
}

// optimize draws an optimizer, whose rates are not those of plain descent, and whether one rate is for all W.
func optimize(rng *rand.Rand, n *network.Network) {
	l := &n.Learning
	if rng.IntN(4) == 0 {
		l.Feedforward = l.Feedforward[:1]
	}
	l.Decay = []rule.Decay{{Factor: 0.9}, {Factor: 0.9, Batches: 1 + rng.IntN(3)}}[rng.IntN(2)]
	l.Optimizer = rule.Optimizer{Kind: []string{rule.SGD, rule.Momentum, rule.Adam}[rng.IntN(3)], Momentum: rng.Float64(),
		Beta1: rng.Float64(), Beta2: 0.9 + 0.1*rng.Float64(), Epsilon: math.Pow(10, -2-4*rng.Float64()), PlainRoot: rng.IntN(2) == 0}
	switch {
	case l.Optimizer.Kind == rule.Adam:
		for _, rates := range [][]float64{l.Feedforward, l.Feedback} {
			for k := range rates {
				rates[k] = 0.02 * rng.Float64()
			}
		}
	case rng.IntN(2) == 0:
		l.Optimizer.WeightDecay = 0.1 * rng.Float64()
	}
}

func newFloat(t testing.TB, n *network.Network, w weights.Weights) *Model[float64] {
	t.Helper()
	m, err := New[float64](n.Describe(), n.Learning.Batch, n.Dataset.Normalize.Inputs(), w)
	require.NoError(t, err)
	return m
}

// numbers are samples as the oracle takes them.
func numbers(n *network.Network, samples [][]uint8, labels []int) (x, y [][]float64) {
	planes := n.Dataset.Normalize
	for i, pixels := range samples {
		values, hot := make([]float64, len(pixels)), make([]float64, n.Layers[n.K()])
		for j, p := range pixels {
			values[j] = float64(p) / 255
			if len(planes.Mean) > 0 {
				plane := j / (len(pixels) / len(planes.Mean))
				values[j] = (values[j] - planes.Mean[plane]) / planes.Deviation[plane]
			}
		}
		hot[labels[i]] = 1
		x, y = append(x, values), append(y, hot)
	}
	return x, y
}

// TestFloatAgainstOracle covers what the trajectories lack: states at both ends of their range, one to four layers above the
// input, beta of any size, every contrast, sparse layers whose interneuron is active, no lateral synapses, every activation and
// loss, and every optimizer under every rule, with rates that fall by mini-batches.
func TestFloatAgainstOracle(t *testing.T) {
	for _, r := range rule.Rules {
		t.Run(r.Name, func(t *testing.T) {
			seed := goldentest.Seed(t)
			atEnds, inhibited, diverged, contrasts, seen := [2]int{}, 0, 0, map[string]bool{}, map[string]bool{}
			for trial := range 60 {
				rng := rand.New(rand.NewPCG(seed, uint64(trial)))
				n := randomOf(rng, r.Name)
				optimize(rng, n)
				contrasts[n.Learning.Contrast] = true
				for _, x := range drawn(n) {
					seen[x] = true
				}
				if rng.IntN(3) == 0 { // inputs on both sides of zero
					n.Layers[0] *= 3
					n.Dataset.Normalize = dataset.Normalize{Mean: []float64{0.4, 0.5, 0.6}, Deviation: []float64{0.6, 0.5, 0.7}}
				}
				w := weights.Initial(n.Describe(), rng.Uint32())
				scaled := byte('W')
				if strings.HasPrefix(n.Rule, "pc") { // it would not settle
					scaled = 'b'
				}
				for _, x := range w {
					if x.Name[0] == scaled {
						x.Scale(3, x.Dense) // states reach 1 too
					}
				}
				m, o := newFloat(t, n, w), newOracle(n, w)
				for batch := range 3 {
					samples, labels := goldentest.Samples(rng, n, n.Learning.Batch)
					x, y := numbers(n, samples, labels)
					negative := rng.IntN(2) == 0
					m.Learn(samples, labels, negative)
					beta := n.Learning.Beta
					if negative {
						beta = -beta
					}
					o.learn(x, y, beta)
					if o.diverged() { // momentum with such weights may: roundings are all that is left
						diverged++
						break
					}
					got := m.Weights()
					require.Len(t, got, len(o.m))
					for _, x := range got {
						name, unit := o.name(x.Name)
						sameMatrix(t, fmt.Sprintf("trial %d %v %v batch %d: %s", trial, n.Layers, drawn(n), batch, name), x.Dense, o.m[name], unit)
					}
					for k := 1; k <= n.K(); k++ {
						for i := range samples {
							for _, v := range m.learning.words[m.d.States[k]].Row(i) {
								if v == 0 || v == 1 {
									atEnds[int(v)]++
								}
							}
						}
					}
				}
				inhibited += o.inhibited
			}
			t.Log(atEnds)
			require.Less(t, diverged, 10)
			if atEnds[0] == 0 || atEnds[1] == 0 {
				t.Errorf("%d states at 0, %d at 1; both ends are to be covered", atEnds[0], atEnds[1])
			}
			require.Equal(t, r.Name == "csm" || r.Lacks("learning.contrast"), len(contrasts) < 3)
			for _, x := range wanted(r.Own()) {
				require.True(t, seen[x], "%s was not drawn", x)
			}
			require.Equal(t, r.Name == "corinfomax", inhibited > 0)
		})
	}
}

// diverged tells of a synapse that is beyond all bounds.
func (o *oracle) diverged() bool {
	for _, m := range o.m {
		for _, row := range m {
			for _, v := range row {
				if math.IsNaN(v) || math.Abs(v) > 1e6 {
					return true
				}
			}
		}
	}
	return false
}

// drawn names what a network has of what is to be covered.
func drawn(n *network.Network) []string {
	list := []string{n.Learning.Optimizer.Kind, fmt.Sprint("layers ", n.K()), fmt.Sprint("by mini-batch ", n.Learning.Decay.Batches > 0),
		fmt.Sprint("weight decay ", n.Learning.Optimizer.WeightDecay > 0), fmt.Sprint("one rate ", n.K() > 1 && len(n.Learning.Feedforward) == 1)}
	if n.Learning.Optimizer.Kind == rule.Adam {
		list = append(list, fmt.Sprint("plain root ", n.Learning.Optimizer.PlainRoot))
	}
	switch own := n.Own.(type) {
	case *rule.PC:
		return append(list, own.Activation)
	case *rule.PCNudge:
		return append(list, own.Activation)
	case *rule.Backprop:
		return append(list, own.Activation, own.Loss)
	}
	return list
}

// wanted is what a rule is to be seen with.
func wanted(own any) []string {
	list := []string{rule.SGD, rule.Momentum, rule.Adam, "layers 1", "layers 2", "layers 3", "layers 4", "by mini-batch true", "by mini-batch false",
		"weight decay true", "weight decay false", "plain root true", "plain root false", "one rate true", "one rate false"}
	switch own.(type) {
	case *rule.PC, *rule.PCNudge:
		return append(list, rule.Activations...)
	case *rule.Backprop:
		return append(append(list, rule.Activations...), rule.MSE, rule.CrossEntropy)
	}
	return list
}

func sameMatrix(t *testing.T, what string, got *mat.Dense, want [][]float64, unit float64) {
	t.Helper()
	for i, row := range want {
		for j, w := range row {
			if v := got.At(i, j) / unit; !(math.Abs(v-w) <= 1e-9*(1+math.Abs(w))) {
				t.Fatalf("%s row %d column %d: got %v, want %v", what, i, j, v, w)
			}
		}
	}
}

// TestFloatStates holds the states of more samples than a block against the oracle's.
func TestFloatStates(t *testing.T) {
	for _, r := range rule.Rules {
		rng := rand.New(rand.NewPCG(goldentest.Seed(t), 0))
		n := randomOf(rng, r.Name)
		n.Settling.Step.Inference = 0.07
		samples, labels := goldentest.Samples(rng, n, classifyRows+5)
		w := weights.Initial(n.Describe(), 7)
		got, o := newFloat(t, n, w).States(samples), newOracle(n, w)
		x, y := numbers(n, samples, labels)
		for i := range samples {
			want, _ := o.free(x[i], y[i], true)
			for k := range want {
				require.InDeltaSlice(t, want[k], got[k].RawRowView(i), 1e-12, "%s sample %d, r%d", r.Name, i, k)
			}
		}
	}
}
