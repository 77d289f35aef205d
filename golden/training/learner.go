package training

import (
	"fmt"

	"gonum.org/v1/gonum/mat"

	fx "corinfo/fixedpoint"
	"corinfo/golden"
	"corinfo/golden/arithmetic"
	"corinfo/golden/calibrate"
	"corinfo/golden/float"
	"corinfo/golden/machine"
	"corinfo/golden/network"
	"corinfo/golden/rule"
	"corinfo/golden/simd"
	"corinfo/golden/weights"
)

// Learner is a model that a run trains: a float model or the bit-true machine. Samples are pixels, 0..255, Layers[0] bytes
// each. Results don't depend on the number of processors.
type Learner interface {
	// SetEpoch sets the rates to those of an epoch, counted from 0.
	SetEpoch(epoch int)
	// SetStep sets the number of mini-batches applied so far, to continue an interrupted run.
	SetStep(step uint32)
	// Learn learns one mini-batch of exactly Learning.Batch samples; negative: beta < 0. It returns how many of
	// them had their label for their class when the answer was due, before the update.
	Learn(samples [][]uint8, labels []int, negative bool) (correct int)
	// Classify gives the class of every sample.
	Classify(samples [][]uint8, classes []int)
	// States gives the activity of the neurons when the answer is due, indexed by layer, one row per sample: the values
	// that the model computes with, as float64. nil without samples.
	States(samples [][]uint8) []*mat.Dense
	// Tensors are the synapses for a checkpoint, then the words beside them, an optimizer's, named as W0.m; SetTensors takes
	// them back. Without the latter they stay as they are.
	Tensors() []Tensor
	SetTensors(list []Tensor) error
}

// floatLearner is a float model as a Learner.
type floatLearner[T simd.Float] struct {
	*float.Model[T]
	d *rule.Description
}

func newFloatLearner[T simd.Float](n *network.Network, w weights.Weights) (*floatLearner[T], error) {
	d := n.Describe()
	m, err := float.New[T](d, n.Learning.Batch, n.Dataset.Normalize.Inputs(), w)
	if err != nil {
		return nil, err
	}
	return &floatLearner[T]{m, d}, nil
}

// floatLearnerOf is the model of a checkpoint, whose weights are w.
func floatLearnerOf[T simd.Float](c *Checkpoint, w weights.Weights) (*floatLearner[T], error) {
	l, err := newFloatLearner[T](c.Network, w)
	if err != nil {
		return nil, err
	}
	return l, l.takeBeside(c.Tensors)
}

func (l *floatLearner[T]) Tensors() []Tensor { return tensorsOf(append(l.Weights(), l.Beside()...)) }

func (l *floatLearner[T]) SetTensors(list []Tensor) error {
	w, err := weightsOf(l.d, list)
	if err != nil {
		return err
	}
	if err := l.SetWeights(w); err != nil {
		return err
	}
	return l.takeBeside(list)
}

// takeBeside takes the words beside the synapses among tensors, if they are there.
func (l *floatLearner[T]) takeBeside(list []Tensor) error {
	beside, err := valuesOf(list[min(len(list), len(l.d.Stored())):])
	if err != nil || beside == nil {
		return err
	}
	return l.SetBeside(beside)
}

// FixedLearner is the bit-true machine as a Learner.
type FixedLearner struct {
	*machine.Machine
}

// States are what the raw words of the activity stand for.
func (l *FixedLearner) States(samples [][]uint8) []*mat.Dense {
	d := l.A.D
	states := newStates(d, len(samples))
	l.Answer(samples, func(i int, s *machine.Sample) {
		for k, w := range d.States {
			row, t := states[k].RawRowView(i), l.A.Word(w)
			for j, word := range s.Words(w) {
				row[j] = t.Float(word)
			}
		}
	})
	return states
}

// newStates are zero matrices for the states of some samples, indexed by layer; nil without samples.
func newStates(d *rule.Description, samples int) []*mat.Dense {
	if samples == 0 {
		return nil
	}
	states := make([]*mat.Dense, len(d.Layers))
	for k, neurons := range d.Layers {
		states[k] = mat.NewDense(samples, neurons, nil)
	}
	return states
}

// Tensors are the machine's synapses for a checkpoint.
func (l *FixedLearner) Tensors() []Tensor {
	var list []Tensor
	for _, at := range l.A.D.Stored() {
		p := &l.A.D.Projections[at]
		t := Tensor{Name: p.Name, Rows: p.Rows, Cols: p.Cols, Type: l.A.Types[p.Tensor].String(), Words: make([]int64, p.Rows*p.Cols)}
		for row := range p.Rows {
			for col := range p.Cols {
				t.Words[row*p.Cols+col] = l.Synapse(at, row, col)
			}
		}
		list = append(list, t)
	}
	l.eachBeside(func(t Tensor, at, word int) {
		for i := range t.Words {
			t.Words[i] = l.Beside(at, word, i/t.Cols, i%t.Cols)
		}
		list = append(list, t)
	})
	return list
}

// eachBeside visits the words beside the synapses: a tensor of zeros for them, their projection and place.
func (l *FixedLearner) eachBeside(visit func(t Tensor, projection, word int)) {
	for _, at := range l.A.D.Stored() {
		p := &l.A.D.Projections[at]
		for k, word := range p.Words {
			visit(Tensor{Name: p.Name + "." + word.Name, Rows: p.Rows, Cols: p.Cols, Type: l.A.Types[word.Tensor].String(),
				Words: make([]int64, p.Rows*p.Cols)}, at, k)
		}
	}
}

// SetTensors takes the synapses of a checkpoint, which must have the machine's names, shapes and types.
func (l *FixedLearner) SetTensors(list []Tensor) error {
	stored := l.A.D.Stored()
	if len(list) < len(stored) {
		return golden.Usagef("checkpoint: %d matrices; the network has %d", len(list), len(stored))
	}
	for i, at := range stored {
		p := &l.A.D.Projections[at]
		x := l.A.Types[p.Tensor]
		if err := take(&list[i], p.Name, p, x, func(row, col int, word int64) { l.SetSynapse(at, row, col, word) }); err != nil {
			return err
		}
	}
	beside, err := list[len(stored):], error(nil)
	if len(beside) == 0 {
		return nil
	}
	l.eachBeside(func(want Tensor, at, word int) {
		switch {
		case err != nil:
			return
		case len(beside) == 0:
			err = golden.Usagef("checkpoint: %s is missing", want.Name)
			return
		}
		p := &l.A.D.Projections[at]
		err = take(&beside[0], want.Name, p, l.A.Types[p.Words[word].Tensor],
			func(row, col int, x int64) { l.SetBeside(at, word, row, col, x) })
		beside = beside[1:]
	})
	if err == nil && len(beside) > 0 {
		err = golden.Usagef("checkpoint: %s is none of the network's", beside[0].Name)
	}
	return err
}

// take hands the words of a tensor on, if it is what a projection wants under a name.
func take(t *Tensor, name string, p *rule.Projection, x fx.Type, set func(row, col int, word int64)) error {
	if t.Name != name || t.Rows != p.Rows || t.Cols != p.Cols || t.Type != x.String() || len(t.Words) != p.Rows*p.Cols {
		return golden.Usagef("checkpoint: %s %d x %d of %s; the network wants %s %d x %d of %v", t.Name, t.Rows, t.Cols,
			t.Type, name, p.Rows, p.Cols, x)
	}
	for j, word := range t.Words {
		if !x.Contains(x.Int(word)) {
			return fmt.Errorf("%w: %s row %d column %d: word %d is outside %v", golden.ErrDamaged, t.Name, j/p.Cols, j%p.Cols, word, x)
		}
		set(j/p.Cols, j%p.Cols, word)
	}
	return nil
}

// SetWeights converts float64 weights to the stored types, STOCHASTIC ones to nearest, and reports what did
// not fit. NaN and infinity are errors.
func (l *FixedLearner) SetWeights(w weights.Weights) ([]calibrate.Misfit, error) {
	d := l.A.D
	if err := w.Check(d); err != nil {
		return nil, err
	}
	var misfits []calibrate.Misfit
	for i, at := range d.Stored() {
		p, t := &d.Projections[at], l.A.Types[d.Projections[at].Tensor]
		miss := calibrate.Misfit{Tensor: d.Tensors[p.Tensor].String(), Type: t.String(), Of: p.Rows * p.Cols}
		for row := range p.Rows {
			for col, v := range w[i].RawRowView(row) {
				word, overflow, err := t.FromFloat(v)
				if err != nil {
					return nil, fmt.Errorf("%s row %d column %d: %w", p.Name, row, col, err)
				}
				if overflow {
					miss.Add(v, t.Signed)
				}
				l.SetSynapse(at, row, col, word)
			}
		}
		if miss.Count > 0 {
			misfits = append(misfits, miss)
		}
	}
	return misfits, nil
}

// NewCheckpoint is the start of a run: initial weights drawn by the seed, which takes the place of the
// network's, in float64 or rounded to float32 or the stored types. What did not fit its stored type is reported.
func NewCheckpoint(n *network.Network, arithmetic string, seed uint32) (*Checkpoint, []calibrate.Misfit, error) {
	return NewCheckpointOf(n, arithmetic, seed, nil)
}

// NewCheckpointOf is the start of a run with weights of one's own, or with those that the seed draws where w is nil.
// Its errors are those of Weights.Check, values beyond float32 and settings that arithmetic.New refuses.
func NewCheckpointOf(n *network.Network, arithmetic string, seed uint32, w weights.Weights) (*Checkpoint, []calibrate.Misfit, error) {
	own := *n
	own.Seed = seed
	c := &Checkpoint{Network: &own, Arithmetic: arithmetic, Seed: seed}
	d := own.Describe()
	if w == nil {
		w = weights.Initial(d, seed)
	}
	if err := w.Check(d); err != nil {
		return nil, nil, err
	}
	switch arithmetic {
	case Float:
		l, err := newFloatLearner[float64](&own, w)
		if err != nil {
			return nil, nil, err
		}
		c.Tensors = l.Tensors()
		return c, nil, nil
	case Float32: // of the values that it computes with
		l, err := newFloatLearner[float32](&own, w)
		if err != nil {
			return nil, nil, err
		}
		c.Tensors = l.Tensors()
		return c, nil, nil
	case Fixed:
		l, misfits, err := StartMachine(&own, &Checkpoint{Network: &own, Arithmetic: Float, Tensors: tensorsOf(w)})
		if err != nil {
			return nil, nil, err
		}
		c.Tensors = l.Tensors()
		return c, misfits, nil
	}
	return nil, nil, golden.Usagef("arithmetic %q; want %s, %s or %s", arithmetic, Float, Float32, Fixed)
}

// Arithmetic is the network in words. Its errors are ErrUsage.
func Arithmetic(n *network.Network) (*arithmetic.Arithmetic, error) {
	a, err := arithmetic.New(n.Describe(), n.Learning.Batch, n.Formats, n.Dataset.Normalize.Inputs())
	if err != nil {
		return nil, fmt.Errorf("%w: %w", golden.ErrUsage, err)
	}
	return a, nil
}

// NewLearner makes the model of a checkpoint's arithmetic with its synapses, step and epoch.
func NewLearner(c *Checkpoint) (Learner, error) {
	var l Learner
	if c.Arithmetic == Fixed {
		a, err := Arithmetic(c.Network)
		if err != nil {
			return nil, err
		}
		m := &FixedLearner{machine.New(a, c.Seed)}
		if err := m.SetTensors(c.Tensors); err != nil {
			return nil, err
		}
		l = m
	} else {
		w, err := c.Weights()
		if err != nil {
			return nil, err
		}
		if c.Arithmetic == Float32 {
			l, err = floatLearnerOf[float32](c, w)
		} else {
			l, err = floatLearnerOf[float64](c, w)
		}
		if err != nil {
			return nil, err
		}
	}
	l.SetStep(uint32(c.Step))
	l.SetEpoch(c.Epoch)
	return l, nil
}

// Weights are the synapses as float64 values: those of a float run, or what the words of a fixed run
// stand for.
func (c *Checkpoint) Weights() (weights.Weights, error) {
	return weightsOf(c.Network.Describe(), c.Tensors)
}

// weightsOf are the values of the synapses among tensors, which must be those of a network.
func weightsOf(d *rule.Description, list []Tensor) (weights.Weights, error) {
	w, err := valuesOf(list[:min(len(list), len(d.Stored()))])
	if err != nil {
		return nil, err
	}
	return w, w.Check(d)
}

// valuesOf are the values of tensors.
func valuesOf(list []Tensor) (weights.Weights, error) {
	var w weights.Weights
	for i := range list {
		t := &list[i]
		arithmetic := Float
		if t.Words != nil {
			arithmetic = Fixed
		}
		if err := t.check(arithmetic); err != nil {
			return nil, err
		}
		values := append([]float64(nil), t.Values...)
		if t.Words != nil {
			stored, err := fx.ParseType(t.Type)
			if err != nil {
				return nil, fmt.Errorf("%w: checkpoint: %s: %w", golden.ErrDamaged, t.Name, err)
			}
			for _, word := range t.Words {
				values = append(values, stored.Float(word))
			}
		}
		w = append(w, weights.Matrix{Name: t.Name, Dense: mat.NewDense(t.Rows, t.Cols, values)})
	}
	return w, nil
}

// tensorsOf are the weights for a checkpoint of a float run.
func tensorsOf(w weights.Weights) []Tensor {
	var list []Tensor
	for _, x := range w {
		rows, cols := x.Dims()
		t := Tensor{Name: x.Name, Rows: rows, Cols: cols}
		for row := range rows {
			t.Values = append(t.Values, x.RawRowView(row)...)
		}
		list = append(list, t)
	}
	return list
}
