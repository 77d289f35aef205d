package study

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"math"
	"path/filepath"
	"sync"

	"corinfo/golden"
	"corinfo/golden/calibrate"
	"corinfo/golden/dataset"
	"corinfo/golden/machine"
	"corinfo/golden/network"
	"corinfo/golden/training"
	"corinfo/golden/weights"
	"corinfo/hdlgen"
	"corinfo/hdlgen/design"
)

// Samples of a trial besides those of its training and test.
const (
	estimateSamples = 20 // test samples whose events are counted for the estimate,
	learnedBatches  = 10 // mini-batches of learning over which a learning trial's overflows and lost updates are counted
)

// datasets reads every data set once.
type datasets struct {
	lock sync.Mutex
	read map[[2]string]*dataset.Data // by name and folder
}

func (d *datasets) of(n *network.Network) (*dataset.Data, error) {
	d.lock.Lock()
	defer d.lock.Unlock()
	key := [2]string{n.Dataset.Name, n.Dataset.Path}
	if data := d.read[key]; data != nil {
		return data, data.Check(n.Layers)
	}
	data, err := dataset.Load(n.Dataset)
	if err != nil {
		return nil, err
	}
	if d.read == nil {
		d.read = map[[2]string]*dataset.Data{}
	}
	d.read[key] = data
	return data, data.Check(n.Layers)
}

// laboratory does trials. A training's checkpoints are in a folder of its own under dir: a training that was interrupted
// continues from there, and so does one that a later trial wants for more epochs.
type laboratory struct {
	dir     string
	data    *datasets
	weights func(ctx context.Context, key string) ([]byte, error) // checkpoint of a float trial that is done
}

// do gives the result of a trial, and the checkpoint of a float one. Errors are those of the machine that it runs on and
// of its files, not of the trial: what the trial itself leads to is a result.
func (l *laboratory) do(ctx context.Context, t *Trial, key string) (*Result, []byte, error) {
	n, err := network.Parse("trial", []byte(t.Network))
	if err != nil {
		return nil, nil, err
	}
	all, err := l.data.of(n)
	if err != nil {
		return nil, nil, err
	}
	if all.Checksum != t.Data {
		return nil, nil, usagef("dataset %s: its content is not that which the study was planned with; give every worker the same data", all.Name)
	}
	data := *all
	if t.Test > 0 { // else all
		data.Test = *all.Test.First(t.Test)
	}
	if trains := t.Kind == Learning || t.Kind == Float && t.RunSum == ""; trains {
		dir, err := l.folder(t)
		if err != nil {
			return nil, nil, err
		}
		lock, err := golden.LockFolder(dir)
		if err != nil {
			return nil, nil, err
		}
		defer lock.Unlock()
	}
	switch {
	case t.Kind == Float && t.RunSum != "":
		return l.given(ctx, t, n, &data)
	case t.Kind == Float:
		run, r, err := l.train(ctx, t, n, &data, training.Float32)
		if err != nil || !r.Good() {
			return r, nil, err
		}
		return l.float(ctx, t, run, &data, r)
	case t.Kind == Inference:
		file, err := l.weights(ctx, t.Float)
		if err != nil {
			return nil, nil, err
		}
		run, err := training.DecodeCheckpoint("run", file)
		if err != nil {
			return nil, nil, err
		}
		r, err := l.quantized(ctx, n, run, &data)
		return r, nil, err
	}
	run, r, err := l.train(ctx, t, n, &data, training.Fixed)
	if err != nil || !r.Good() {
		return r, nil, err
	}
	r, err = l.learned(ctx, t, run, &data, r)
	return r, nil, err
}

// given is the float run that the study names.
func (l *laboratory) given(ctx context.Context, t *Trial, n *network.Network, data *dataset.Data) (*Result, []byte, error) {
	file, err := training.ReadCheckpoint(t.Run)
	if err != nil {
		return nil, nil, usagef("run: %v", err)
	}
	if fmt.Sprintf("%x", sha256.Sum256(file)) != t.RunSum {
		return nil, nil, usagef("run %s: it has changed since the study was planned; start the study again", t.Run)
	}
	run, err := training.DecodeCheckpoint("run", file)
	if err != nil {
		return nil, nil, err
	}
	if run.Arithmetic == training.Fixed {
		return nil, nil, usagef("run %s: a %s run; want a float run", t.Run, run.Arithmetic)
	}
	run.Network = n // formats and hardware aside it must be the same
	learner, err := training.NewLearner(run)
	if err != nil {
		return nil, nil, usagef("run %s: %v; want a run of the study's network", t.Run, err)
	}
	e, err := training.Evaluate(ctx, learner, &data.Test, n.Layers[n.K()], nil)
	if err != nil {
		return nil, nil, err
	}
	r := &Result{Accuracy: e.Accuracy, Correct: e.Correct, Tested: e.Samples}
	if r.Ranges, err = ranges(ctx, t, run, data); err != nil {
		return nil, nil, err
	}
	return r, file, nil
}

// train trains a network to its last epoch, from where an earlier attempt stopped.
func (l *laboratory) train(ctx context.Context, t *Trial, n *network.Network, data *dataset.Data, arithmetic string) (*training.Checkpoint, *Result, error) {
	dir, err := l.folder(t)
	if err != nil {
		return nil, nil, err
	}
	run, err := training.LoadCheckpoint(dir)
	if err == nil {
		err = run.Resume(n, data, arithmetic, n.Seed, t.Samples)
	}
	if err != nil || run.Epoch > n.Learning.Epochs || run.Epoch == n.Learning.Epochs && run.Batch > 0 {
		// None, damaged, or of a training that went further.
		if err := clearTraining(dir); err != nil {
			return nil, nil, err
		}
		if run, _, err = training.NewCheckpoint(n, arithmetic, n.Seed); errors.Is(err, golden.ErrUsage) {
			return nil, &Result{Refused: err.Error()}, nil
		} else if err != nil {
			return nil, nil, err
		}
		run.Limit = t.Samples
	}
	switch _, err = training.Train(ctx, run, data, training.TrainOptions{Dir: dir}); {
	case errors.Is(err, golden.ErrDamaged): // of its own doing: the checkpoint that it began with was whole
		return nil, &Result{Diverged: true}, clearTraining(dir)
	case err != nil:
		return nil, nil, err
	}
	r := &Result{}
	for _, e := range run.History {
		r.History = append(r.History, e.TestAccuracy)
	}
	r.Tested = data.Test.Len()
	r.Accuracy = r.History[len(r.History)-1]
	r.Correct = int(math.Round(r.Accuracy * float64(r.Tested)))
	return run, r, nil
}

// folder is that of a training: of the trial's key at one epoch, whatever its number of epochs.
func (l *laboratory) folder(t *Trial) (string, error) {
	n, err := network.Parse("trial", []byte(t.Network))
	if err != nil {
		return "", err
	}
	n.Learning.Epochs = 1
	own := *t
	own.Network = string(n.YAML())
	key, err := own.Key()
	return filepath.Join(l.dir, trainingsFolder, key), err
}

// float completes the result of a float training by its ranges, and gives its checkpoint.
func (l *laboratory) float(ctx context.Context, t *Trial, run *training.Checkpoint, data *dataset.Data, r *Result) (*Result, []byte, error) {
	var err error
	if r.Ranges, err = ranges(ctx, t, run, data); err != nil {
		return nil, nil, err
	}
	dir, err := l.folder(t)
	if err != nil {
		return nil, nil, err
	}
	file, err := training.ReadCheckpoint(dir)
	return r, file, err
}

// ranges are those of a run over the trial's calibration samples.
func ranges(ctx context.Context, t *Trial, run *training.Checkpoint, data *dataset.Data) ([]calibrate.TensorRange, error) {
	w, err := run.Weights()
	if err != nil {
		return nil, err
	}
	return Distributions(ctx, run.Network, w, data, t.Calibrate)
}

// Distributions are golden's over the first training samples of a data set.
func Distributions(ctx context.Context, n *network.Network, w weights.Weights, data *dataset.Data, count int) ([]calibrate.TensorRange, error) {
	samples, labels := data.Train.First(count).Samples()
	return calibrate.Distributions(ctx, n, w, samples, labels)
}

// quantized evaluates a float run in the formats of a network.
func (l *laboratory) quantized(ctx context.Context, n *network.Network, run *training.Checkpoint, data *dataset.Data) (*Result, error) {
	m, _, err := training.StartMachine(n, run)
	if errors.Is(err, golden.ErrUsage) {
		return &Result{Refused: err.Error()}, nil
	}
	if err != nil {
		return nil, err
	}
	r := &Result{}
	e, err := training.Evaluate(ctx, m, &data.Test, n.Layers[n.K()], nil)
	if err != nil {
		return nil, err
	}
	r.Accuracy, r.Correct, r.Tested = e.Accuracy, e.Correct, e.Samples
	r.SynapseBits = bitsOfSynapses(m)
	r.Overflows = overflows(m.Counts())
	return r, estimate(ctx, n, m, data, r)
}

// learned completes the result of a bit-true training: what overflows and what is lost when it goes on learning, from its
// last weights and at its last rates. Counters of the training itself would depend on its interruptions.
func (l *laboratory) learned(ctx context.Context, t *Trial, run *training.Checkpoint, data *dataset.Data, r *Result) (*Result, error) {
	var err error
	if r.Ranges, err = ranges(ctx, t, run, data); err != nil {
		return nil, err
	}
	n := run.Network
	learner, err := training.NewLearner(run)
	if err != nil {
		return nil, err
	}
	m := learner.(*training.FixedLearner)
	m.SetEpoch(max(0, run.Epoch-1))
	size := n.Learning.Batch
	samples, labels := make([][]uint8, size), make([]int, size)
	for step := range learnedBatches {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		for i := range samples {
			at := (step*size + i) % data.Train.Len()
			samples[i], labels[i] = data.Train.Sample(at), int(data.Train.Labels[at])
		}
		m.Learn(samples, labels, training.Negative(&n.Learning, n.Seed, run.Step+step))
	}
	counts := m.Counts()
	r.SynapseBits = bitsOfSynapses(m)
	r.Overflows = overflows(counts)
	r.Lost = map[string]Rate{}
	for _, at := range m.A.D.Stored() {
		p := &m.A.D.Projections[at]
		r.Lost[p.Name] = Rate{counts.Lost[p.Name], int64(learnedBatches * p.Rows * p.Cols)}
	}
	return r, estimate(ctx, n, m, data, r)
}

// overflows are the counts beside the numbers of roundings.
func overflows(counts machine.Counts) map[string]Rate {
	rates := map[string]Rate{}
	for tensor, of := range counts.Roundings {
		if of > 0 {
			rates[tensor] = Rate{counts.Overflows[tensor], of}
		}
	}
	return rates
}

// bitsOfSynapses are those of the synapses that are stored.
func bitsOfSynapses(m *training.FixedLearner) (bits int) {
	for _, at := range m.A.D.Stored() {
		p := &m.A.D.Projections[at]
		bits += p.Rows * p.Cols * m.A.Types[p.Tensor].Width
	}
	return bits
}

// estimate adds what the design takes, its cycles being those of some samples.
func estimate(ctx context.Context, n *network.Network, learner *training.FixedLearner, data *dataset.Data, r *Result) error {
	p, err := design.New(n, n.Hardware.Lanes, design.Units(n.Hardware.Lanes), hdlgen.FastTarget)
	if errors.Is(err, golden.ErrUsage) { // not of the formats: the learner has them
		return nil
	}
	if err != nil {
		return err
	}
	activity := &design.Activity{}
	s := hdlgen.Sample{X: make([]int64, n.Layers[0])}
	list := func(set *dataset.Set, count int, learn bool) error {
		for i := range count {
			if err := ctx.Err(); err != nil {
				return err
			}
			learner.A.Input(set.Sample(i%set.Len()), s.X)
			s.Label = int(set.Labels[i%set.Len()])
			activity.Run(p, learner.Machine, s, learn)
		}
		return nil
	}
	if err := list(&data.Test, min(estimateSamples, data.Test.Len()), false); err != nil {
		return err
	}
	if err := list(&data.Train, n.Learning.Batch, true); err != nil {
		return err
	}
	e, err := design.Estimate(p, activity)
	if errors.Is(err, golden.ErrUsage) {
		r.Refused = err.Error()
		return nil
	}
	if err != nil {
		return err
	}
	r.MemoryBits, r.Multipliers, r.Cycles, r.Learning = e.MemoryBits, e.Multipliers, e.CyclesPerInference, e.CyclesPerLearning
	return nil
}
