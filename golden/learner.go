package golden

import (
	"fmt"

	"gonum.org/v1/gonum/mat"

	fx "corinfo/fixedpoint"
)

// Learner is a model that a run trains: a float model or the bit-true machine. Samples are pixels,
// 0..255 for 0..1, Layers[0] bytes each. Results don't depend on the number of processors.
type Learner interface {
	// SetEpoch sets the learning rates to those of an epoch, counted from 0.
	SetEpoch(epoch int)
	// SetStep sets the number of mini-batches applied so far, to continue an interrupted run.
	SetStep(step uint32)
	// LearnBatch learns one mini-batch of exactly Learning.Batch samples; negative: beta < 0. It returns how many of
	// them had their label for their class after the free phase, before the update.
	LearnBatch(samples [][]uint8, labels []int, negative bool) (correct int)
	// ClassifyBatch gives the class of every sample.
	ClassifyBatch(samples [][]uint8, classes []int)
	// States gives the states r_0..r_K after the free phase, indexed by layer, one row per sample: the values
	// that the model computes with, as float64. nil without samples.
	States(samples [][]uint8) []*mat.Dense
	// Tensors are the synapses for a checkpoint, SetTensors takes them back.
	Tensors() []Tensor
	SetTensors(list []Tensor) error
}

var _ Learner = (*Machine)(nil)

// NewCheckpoint is the start of a run: initial weights drawn by the seed, which takes the place of the
// network's, in float64 or rounded to float32 or the stored types. What did not fit its stored type is reported.
func NewCheckpoint(n *Network, arithmetic string, seed uint32) (*Checkpoint, []Misfit, error) {
	return NewCheckpointOf(n, arithmetic, seed, nil)
}

// NewCheckpointOf is the start of a run with weights of one's own, or with those that the seed draws where w is nil.
// Its errors are those of Weights.Check, values beyond float32 and settings that NewArithmetic refuses.
func NewCheckpointOf(n *Network, arithmetic string, seed uint32, w *Weights) (*Checkpoint, []Misfit, error) {
	own := *n
	own.Seed = seed
	c := &Checkpoint{Network: &own, Arithmetic: arithmetic, Seed: seed}
	if w != nil {
		if err := w.Check(n); err != nil {
			return nil, nil, err
		}
	}
	switch arithmetic {
	case Float, Float32:
		if w == nil {
			w = InitialWeights(&own, seed)
		}
		c.Tensors = w.tensors()
		if arithmetic == Float32 { // of the values that it computes with
			m, err := NewFloatModel[float32](&own, w)
			if err != nil {
				return nil, nil, err
			}
			c.Tensors = m.Tensors()
		}
		return c, nil, nil
	case Fixed:
		var from *Checkpoint // nil: the machine draws
		if w != nil {
			from = &Checkpoint{Network: &own, Arithmetic: Float, Tensors: w.tensors()}
		}
		m, misfits, err := StartMachine(&own, from)
		if err != nil {
			return nil, nil, err
		}
		c.Tensors = m.Tensors()
		return c, misfits, nil
	}
	return nil, nil, usagef("arithmetic %q; want %s, %s or %s", arithmetic, Float, Float32, Fixed)
}

// NewLearner makes the model of a checkpoint's arithmetic with its synapses, step and epoch.
func NewLearner(c *Checkpoint) (Learner, error) {
	var l Learner
	if c.Arithmetic == Fixed {
		a, err := NewArithmetic(c.Network)
		if err != nil {
			return nil, err
		}
		m := NewMachine(a)
		m.SetSeed(c.Seed)
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
			l, err = NewFloatModel[float32](c.Network, w)
		} else {
			l, err = NewFloatModel[float64](c.Network, w)
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
func (c *Checkpoint) Weights() (*Weights, error) {
	w, named := newWeights(c.Network), map[string]**mat.Dense{}
	_ = w.matrices(c.Network, func(name string, _, _ int, place **mat.Dense) error { // the visitor gives no error
		named[name] = place
		return nil
	})
	for i := range c.Tensors {
		t := &c.Tensors[i]
		place := named[t.Name]
		if place == nil {
			return nil, fmt.Errorf("%w: checkpoint: the network has no %s", ErrDamaged, t.Name)
		}
		if err := t.check(c.Arithmetic); err != nil {
			return nil, err
		}
		values := append([]float64(nil), t.Values...)
		if c.Arithmetic == Fixed {
			stored, err := fx.ParseType(t.Type)
			if err != nil {
				return nil, fmt.Errorf("%w: checkpoint: %s: %w", ErrDamaged, t.Name, err)
			}
			for _, word := range t.Words {
				values = append(values, stored.Float(word))
			}
		}
		*place = mat.NewDense(t.Rows, t.Cols, values)
	}
	if err := w.Check(c.Network); err != nil {
		return nil, err
	}
	return w, nil
}

// tensors are the weights for a checkpoint of a float run, in the order of Arithmetic.Matrices.
func (w *Weights) tensors() []Tensor {
	var list []Tensor
	for _, kind := range []struct {
		name     string
		matrices []*mat.Dense
	}{{"W", w.W}, {"F", w.F}, {"C", w.C}} {
		for i, m := range kind.matrices {
			if m == nil {
				continue
			}
			rows, cols := m.Dims()
			t := Tensor{Name: fmt.Sprint(kind.name, i), Rows: rows, Cols: cols}
			for row := range rows {
				t.Values = append(t.Values, mat.Row(nil, row, m)...)
			}
			list = append(list, t)
		}
	}
	return list
}

// Tensors are the machine's synapses for a checkpoint.
func (m *Machine) Tensors() []Tensor {
	var list []Tensor
	for i, x := range m.A.Matrices {
		t := Tensor{Name: x.Name(), Rows: x.Rows, Cols: x.Cols, Type: x.Type.String(), Words: make([]int64, x.Rows*x.Cols)}
		for row := range x.Rows {
			for col := range x.Cols {
				t.Words[row*x.Cols+col] = m.Synapse(i, row, col)
			}
		}
		list = append(list, t)
	}
	return list
}

// SetTensors takes the synapses of a checkpoint, which must have the machine's names, shapes and types.
func (m *Machine) SetTensors(list []Tensor) error {
	if len(list) != len(m.A.Matrices) {
		return usagef("checkpoint: %d matrices; the network has %d", len(list), len(m.A.Matrices))
	}
	for i, x := range m.A.Matrices {
		t := list[i]
		if t.Name != x.Name() || t.Rows != x.Rows || t.Cols != x.Cols || t.Type != x.Type.String() || len(t.Words) != x.Rows*x.Cols {
			return usagef("checkpoint: %s %d x %d of %s; the network wants %s %d x %d of %v", t.Name, t.Rows, t.Cols, t.Type, x.Name(), x.Rows, x.Cols, x.Type)
		}
		for j, word := range t.Words {
			if !x.Type.Contains(x.Type.Int(word)) {
				return fmt.Errorf("%w: %s row %d column %d: word %d is outside %v", ErrDamaged, t.Name, j/x.Cols, j%x.Cols, word, x.Type)
			}
			m.SetSynapse(i, j/x.Cols, j%x.Cols, word)
		}
	}
	return nil
}
