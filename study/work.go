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
	"corinfo/hdlgen"
)

// Samples of a trial besides those of its training and test.
const (
	estimateSamples = 20 // test samples whose events are counted for the estimate, as `corinfo estimate` does
	learnedBatches  = 10 // mini-batches of learning over which a learning trial's overflows and lost updates are counted
)

// datasets reads every data set once.
type datasets struct {
	lock sync.Mutex
	read map[golden.Dataset]*golden.Data
}

func (d *datasets) of(n *golden.Network) (*golden.Data, error) {
	d.lock.Lock()
	defer d.lock.Unlock()
	if data := d.read[n.Dataset]; data != nil {
		return data, data.Check(n)
	}
	data, err := golden.LoadData(n.Dataset)
	if err != nil {
		return nil, err
	}
	if d.read == nil {
		d.read = map[golden.Dataset]*golden.Data{}
	}
	d.read[n.Dataset] = data
	return data, data.Check(n)
}

// first are the first samples of a set; 0: all.
func first(set golden.Set, count int) golden.Set {
	if count == 0 || count >= set.Len() {
		return set
	}
	return golden.Set{Pixels: set.Pixels[:count*set.Size], Labels: set.Labels[:count], Size: set.Size}
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
	n, err := golden.ParseNetwork("trial", []byte(t.Network))
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
	data.Test = first(all.Test, t.Test)
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
		run, r, err := l.train(ctx, t, n, &data, golden.Float32)
		if err != nil || !r.Good() {
			return r, nil, err
		}
		return l.float(ctx, t, run, &data, r)
	case t.Kind == Inference:
		file, err := l.weights(ctx, t.Float)
		if err != nil {
			return nil, nil, err
		}
		run, err := golden.DecodeCheckpoint("run", file)
		if err != nil {
			return nil, nil, err
		}
		r, err := l.quantized(ctx, n, run, &data)
		return r, nil, err
	}
	run, r, err := l.train(ctx, t, n, &data, golden.Fixed)
	if err != nil || !r.Good() {
		return r, nil, err
	}
	r, err = l.learned(ctx, t, run, &data, r)
	return r, nil, err
}

// given is the float run that the study names.
func (l *laboratory) given(ctx context.Context, t *Trial, n *golden.Network, data *golden.Data) (*Result, []byte, error) {
	file, err := golden.ReadCheckpoint(t.Run)
	if err != nil {
		return nil, nil, usagef("run: %v", err)
	}
	if fmt.Sprintf("%x", sha256.Sum256(file)) != t.RunSum {
		return nil, nil, usagef("run %s: it has changed since the study was planned; start the study again", t.Run)
	}
	run, err := golden.DecodeCheckpoint("run", file)
	if err != nil {
		return nil, nil, err
	}
	if run.Arithmetic == golden.Fixed {
		return nil, nil, usagef("run %s: a %s run; want a float run", t.Run, run.Arithmetic)
	}
	run.Network = n // formats and hardware aside it must be the same
	learner, err := golden.NewLearner(run)
	if err != nil {
		return nil, nil, usagef("run %s: %v; want a run of the study's network", t.Run, err)
	}
	e, err := golden.Evaluate(ctx, learner, &data.Test, n.Layers[n.K()], nil)
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
func (l *laboratory) train(ctx context.Context, t *Trial, n *golden.Network, data *golden.Data, arithmetic string) (*golden.Checkpoint, *Result, error) {
	dir, err := l.folder(t)
	if err != nil {
		return nil, nil, err
	}
	run, err := golden.LoadCheckpoint(dir)
	if err == nil {
		err = run.Resume(n, data, arithmetic, n.Seed, t.Samples)
	}
	if err != nil || run.Epoch > n.Learning.Epochs || run.Epoch == n.Learning.Epochs && run.Batch > 0 {
		// None, damaged, or of a training that went further.
		if err := clearTraining(dir); err != nil {
			return nil, nil, err
		}
		if run, _, err = golden.NewCheckpoint(n, arithmetic, n.Seed); errors.Is(err, golden.ErrUsage) {
			return nil, &Result{Refused: err.Error()}, nil
		} else if err != nil {
			return nil, nil, err
		}
		run.Limit = t.Samples
	}
	switch _, err = golden.Train(ctx, run, data, golden.TrainOptions{Dir: dir}); {
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
	n, err := golden.ParseNetwork("trial", []byte(t.Network))
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
func (l *laboratory) float(ctx context.Context, t *Trial, run *golden.Checkpoint, data *golden.Data, r *Result) (*Result, []byte, error) {
	var err error
	if r.Ranges, err = ranges(ctx, t, run, data); err != nil {
		return nil, nil, err
	}
	dir, err := l.folder(t)
	if err != nil {
		return nil, nil, err
	}
	file, err := golden.ReadCheckpoint(dir)
	return r, file, err
}

// ranges are those of a run over the trial's calibration samples.
func ranges(ctx context.Context, t *Trial, run *golden.Checkpoint, data *golden.Data) ([]golden.TensorRange, error) {
	w, err := run.Weights()
	if err != nil {
		return nil, err
	}
	return Distributions(ctx, run.Network, w, data, t.Calibrate)
}

// Distributions are golden's over the first training samples of a data set.
func Distributions(ctx context.Context, n *golden.Network, w *golden.Weights, data *golden.Data, count int) ([]golden.TensorRange, error) {
	set := first(data.Train, count)
	samples, labels := make([][]uint8, set.Len()), make([]int, set.Len())
	for i := range samples {
		samples[i], labels[i] = set.Sample(i), int(set.Labels[i])
	}
	return golden.Distributions(ctx, n, w, samples, labels)
}

// quantized evaluates a float run in the formats of a network.
func (l *laboratory) quantized(ctx context.Context, n *golden.Network, run *golden.Checkpoint, data *golden.Data) (*Result, error) {
	m, _, err := golden.StartMachine(n, run)
	if errors.Is(err, golden.ErrUsage) {
		return &Result{Refused: err.Error()}, nil
	}
	if err != nil {
		return nil, err
	}
	r := &Result{}
	e, err := golden.Evaluate(ctx, m, &data.Test, n.Layers[n.K()], nil)
	if err != nil {
		return nil, err
	}
	r.Accuracy, r.Correct, r.Tested = e.Accuracy, e.Correct, e.Samples
	counts := m.Counts()
	r.Overflows = overflows(m.A, counts, 0)
	return r, estimate(ctx, m, data, r)
}

// learned completes the result of a bit-true training: what overflows and what is lost when it goes on learning, from its
// last weights and at its last rates. Counters of the training itself would depend on its interruptions.
func (l *laboratory) learned(ctx context.Context, t *Trial, run *golden.Checkpoint, data *golden.Data, r *Result) (*Result, error) {
	var err error
	if r.Ranges, err = ranges(ctx, t, run, data); err != nil {
		return nil, err
	}
	n := run.Network
	learner, err := golden.NewLearner(run)
	if err != nil {
		return nil, err
	}
	m := learner.(*golden.Machine)
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
		m.LearnBatch(samples, labels, golden.Negative(&n.Learning, n.Seed, run.Step+step))
	}
	counts := m.Counts()
	r.Overflows = overflows(m.A, counts, learnedBatches)
	r.Lost = map[string]Rate{}
	for _, x := range m.A.Matrices {
		r.Lost[x.Name()] = Rate{counts.Lost[x.Name()], int64(learnedBatches * x.Rows * x.Cols)}
	}
	return r, estimate(ctx, m, data, r)
}

// overflows are the counts beside the numbers of roundings, after so many mini-batches of learning.
func overflows(a *golden.Arithmetic, counts golden.Counts, batches int) map[string]Rate {
	n := a.Network
	of := map[string]int64{}
	iterations := counts.Steps / int64(n.K())
	learned := int64(batches * n.Learning.Batch)
	for k := 1; k <= n.K(); k++ {
		neurons := int64(n.Layers[k])
		for _, kind := range []string{"current", "lateral", "drive", "u", "r"} {
			of[fmt.Sprint(kind, k)] = iterations * neurons
		}
		of[fmt.Sprint("e", k)], of[fmt.Sprint("d", k)], of[fmt.Sprint("c", k)] = 2*learned*neurons, 2*learned*neurons, learned*neurons
	}
	of["e1"] /= 2 // once per sample: the difference of the states of two phases
	for _, x := range a.Matrices {
		of[x.Name()] = int64(batches * x.Rows * x.Cols)
		of["d"+x.Name()] = of[x.Name()]
	}
	rates := map[string]Rate{}
	for tensor, count := range counts.Overflows {
		if of[tensor] > 0 {
			rates[tensor] = Rate{count, of[tensor]}
		}
	}
	return rates
}

// estimate adds what the design takes, its cycles being those of some samples.
func estimate(ctx context.Context, m *golden.Machine, data *golden.Data, r *Result) error {
	a, n := m.A, m.A.Network
	activity, trace := &hdlgen.Activity{}, &golden.Trace{}
	x := make([]int64, n.Layers[0])
	run := func(set *golden.Set, count int, learn bool) error {
		for i := range count {
			if err := ctx.Err(); err != nil {
				return err
			}
			a.QuantizeInput(set.Sample(i%set.Len()), x)
			m.Run(x, golden.Command{Learn: learn, Label: int(set.Labels[i%set.Len()])}, trace)
			activity.Add(a, x, learn, trace)
		}
		return nil
	}
	if err := run(&data.Test, min(estimateSamples, data.Test.Len()), false); err != nil {
		return err
	}
	if err := run(&data.Train, n.Learning.Batch, true); err != nil {
		return err
	}
	e, err := hdlgen.Estimate(a, n.Hardware.Lanes, hdlgen.FastTarget, activity)
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
