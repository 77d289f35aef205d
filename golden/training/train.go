package training

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"

	"corinfo/golden"
	"corinfo/golden/dataset"
	"corinfo/golden/rule"
)

// TrainOptions say how far to train and whom to tell.
type TrainOptions struct {
	Dir       string         // folder of the checkpoint
	SaveEvery time.Duration  // between checkpoints within an epoch; 0: half a minute
	Progress  func(Progress) // called after every mini-batch and now and then while testing; may be nil
	Warn      func(error)    // hears of what is amiss and doesn't stop training; may be nil
}

// Progress is how far training has come.
type Progress struct {
	Epoch, Epochs int // the epoch under way, counted from 1, of how many
	Testing       bool
	Done, Total   int           // samples of the epoch, or of the test
	Answers       Score         // of the epoch's learning samples so far, each before its update
	TestAccuracy  float64       // after the last epoch; 0 before the first
	Learned       int           // samples learned by this call of Train
	Learning      time.Duration // time that they took
	Left          time.Duration // estimate for all epochs; 0: none yet
}

// TrainAccuracy is the share of the epoch's learning samples that were answered right; 0 of none.
func (p Progress) TrainAccuracy() float64 { return share(p.Answers.Correct, p.Answers.Of) }

// SamplesPerSecond is the pace of learning.
func (p Progress) SamplesPerSecond() float64 {
	if p.Learning <= 0 {
		return 0
	}
	return float64(p.Learned) / p.Learning.Seconds()
}

// ErrInterrupted marks a training that was cancelled; its checkpoint continues it.
var ErrInterrupted = errors.New("interrupted")

// Streams of the generator, apart from those of weights.Initial: one for the order of every epoch, one for the
// sign of every mini-batch.
const (
	orderStream = 1 << 32
	signStream  = 2 << 32
)

// Order is the order in which an epoch, counted from 0, goes through n samples.
func Order(seed uint32, epoch, n int) []int {
	return rand.New(rand.NewPCG(uint64(seed), orderStream+uint64(epoch))).Perm(n)
}

// Negative tells whether a mini-batch, counted from 0 over the whole run, learns with beta < 0.
func Negative(l *rule.Learning, seed uint32, step int) bool {
	return l.RandomSign && rand.New(rand.NewPCG(uint64(seed), signStream+uint64(step))).Uint64()>>63 == 1
}

// Train continues a run to its network's last epoch. It learns mini-batches in the order of (seed, epoch), tests after
// each epoch, and writes a checkpoint then, every SaveEvery in between, and when ctx is cancelled, which
// gives ErrInterrupted. From c, or from the checkpoint written last, Train continues to the same bits as without
// the interruption. Results do not depend on SaveEvery or Progress. It returns the model that it trained.
//
// The checkpoint's figures are also in the folder's MetricsTable and MetricsLines, with the times of epochs: Train
// writes both anew when it begins and after each epoch's checkpoint, and takes the times of earlier epochs from what
// is there. A run whose process was killed between the two has its rows again when it is resumed.
//
// Samples that do not fill a mini-batch at the end of an epoch are left out: the hardware, too, applies updates
// of exactly Learning.Batch samples only. Another order leaves others out in each epoch.
func Train(ctx context.Context, c *Checkpoint, data *dataset.Data, o TrainOptions) (Learner, error) {
	t, err := newTrainer(c, data, o)
	if err != nil {
		return nil, err
	}
	return t.l, t.run(ctx)
}

// trainer is a training under way. Checkpoint c is changed only by mini-batches that have been learned.
type trainer struct {
	c       *Checkpoint
	data    *dataset.Data
	o       TrainOptions
	l       Learner
	batches int // per epoch
	// answering is the share of a learning sample's iterations that a test has.
	answering float64
	saved     time.Time
	samples   [][]uint8
	labels    []int

	learned, tested   int           // samples, by this call of Train
	learning, testing time.Duration // time that they took; measuring counts as testing
	times             map[int]EpochTime
}

func newTrainer(c *Checkpoint, data *dataset.Data, o TrainOptions) (*trainer, error) {
	n := c.Network
	if err := data.Check(n.Layers); err != nil {
		return nil, err
	}
	if c.Data != "" && c.Data != data.Checksum {
		return nil, golden.Usagef("dataset %s: its content is not that which the run has learned; give the same data or start another run", data.Name)
	}
	use := data.Train.Len()
	if c.Limit > 0 {
		use = min(use, c.Limit)
	}
	if use < n.Learning.Batch {
		return nil, golden.Usagef("%d training samples; a mini-batch takes %d: raise the limit or lower learning.batch", use,
			n.Learning.Batch)
	}
	t := &trainer{c: c, data: data, o: o, batches: use / n.Learning.Batch, saved: time.Now(),
		samples: make([][]uint8, n.Learning.Batch), labels: make([]int, n.Learning.Batch)}
	if t.o.SaveEvery == 0 {
		t.o.SaveEvery = 30 * time.Second
	}
	if c.Batch > t.batches || c.Step != c.Epoch*t.batches+c.Batch {
		return nil, fmt.Errorf("%w: checkpoint: mini-batch %d of epoch %d is no step %d of %d mini-batches an epoch; train again",
			golden.ErrDamaged, c.Batch, c.Epoch+1, c.Step, t.batches)
	}
	var err error
	if t.l, err = NewLearner(c); err != nil {
		return nil, err
	}
	answering, all := 0, 0
	for _, p := range n.Describe().Phases {
		all += p.Iterations
		if !p.Learning {
			answering += p.Iterations
		}
	}
	t.answering = float64(answering) / float64(all)
	c.Data = data.Checksum
	return t, nil
}

func (t *trainer) run(ctx context.Context) error {
	if err := t.begin(ctx); err != nil {
		return err
	}
	for t.c.Epoch < t.c.Network.Learning.Epochs {
		if err := t.epoch(ctx); err != nil {
			return err
		}
	}
	return nil
}

// begin brings the folder in order: what a killed process left behind goes, and the files of metrics become those
// of the checkpoint, which has the figures of the network before learning.
func (t *trainer) begin(ctx context.Context) error {
	c := t.c
	golden.RemoveLeftovers(t.o.Dir)
	t.times = map[int]EpochTime{}
	if len(c.History) > 0 {
		times, err := ReadTimes(t.o.Dir)
		switch {
		case err == nil:
			t.times = times
		case t.o.Warn != nil:
			t.o.Warn(fmt.Errorf("times of the epochs before are left empty: %w", err))
		}
	}
	if c.Start == nil && c.Step == 0 {
		_, m, err := t.test(ctx, t.data.Test.First(MeasuredSamples), nil)
		if ctx.Err() != nil {
			return t.interrupted()
		}
		if err != nil {
			return err
		}
		c.Start = m
		if err := t.save(); err != nil {
			return err
		}
	}
	return t.writeMetrics()
}

func (t *trainer) writeMetrics() error {
	if err := t.c.WriteMetrics(t.o.Dir, t.times); err != nil {
		return fmt.Errorf("%w; the checkpoint is whole: make room or rights, then resume", err)
	}
	return nil
}

// test classifies a set and takes the figures of the network, its states being those of the first samples.
func (t *trainer) test(ctx context.Context, set *dataset.Set, progress func(done, total int)) (*Evaluation, *NetworkMetrics, error) {
	n, d := t.c.Network, t.c.Network.Describe()
	states := newStates(d, min(MeasuredSamples, set.Len()))
	w := &watcher{Learner: t.l, wanted: min(MeasuredSamples, set.Len()),
		see: func(first int, block []*mat.Dense) { copyStates(states, first, block) }}
	e, err := Evaluate(ctx, w, set, n.Layers[n.K()], progress)
	if err != nil {
		return nil, nil, err
	}
	now := Checkpoint{Network: n, Arithmetic: t.c.Arithmetic, Tensors: t.l.Tensors()}
	weights, err := now.Weights()
	if err != nil {
		return nil, nil, t.diverged(err)
	}
	m, err := measure(d, weights, states)
	return e, m, t.diverged(err)
}

// watcher answers as its learner does, and shows the states of the first samples that it is asked for, block by block of
// Evaluate; wanted samples end with a block, or are all.
type watcher struct {
	Learner
	wanted, seen int
	see          func(first int, block []*mat.Dense) // states indexed by layer, a row per sample
}

func (w *watcher) Classify(samples [][]uint8, classes []int) {
	if w.seen >= w.wanted {
		w.Learner.Classify(samples, classes)
		return
	}
	states := w.Learner.States(samples)
	for i := range samples {
		classes[i] = floats.MaxIdx(states[len(states)-1].RawRowView(i))
	}
	w.see(w.seen, states)
	w.seen += len(samples)
}

// copyStates puts the states of a block into those of all samples, from the row of its first one on; nil: a layer not wanted.
func copyStates(all []*mat.Dense, first int, block []*mat.Dense) {
	for k, layer := range block {
		if all[k] != nil {
			rows, cols := layer.Dims()
			all[k].Slice(first, first+rows, 0, cols).(*mat.Dense).Copy(layer)
		}
	}
}

// epoch learns and tests to the end of the epoch under way.
func (t *trainer) epoch(ctx context.Context) error {
	c, size := t.c, len(t.samples)
	start, learned, learning, whole := time.Now(), t.learned, t.learning, c.Batch == 0
	t.l.SetEpoch(c.Epoch)
	order := Order(c.Seed, c.Epoch, t.used())
	for c.Batch < t.batches {
		if ctx.Err() != nil {
			return t.interrupted()
		}
		for i, sample := range order[c.Batch*size : (c.Batch+1)*size] {
			t.samples[i], t.labels[i] = t.data.Train.Sample(sample), int(t.data.Train.Labels[sample])
		}
		batch := time.Now()
		c.Answers.Correct += t.l.Learn(t.samples, t.labels, Negative(&c.Network.Learning, c.Seed, c.Step))
		c.Answers.Of += size
		t.learning += time.Since(batch)
		t.learned += size
		c.Batch++
		c.Step++
		t.progress(false, c.Batch*size, t.batches*size)
		if time.Since(t.saved) >= t.o.SaveEvery {
			if err := t.save(); err != nil {
				return err
			}
		}
	}
	testing := time.Now()
	e, m, err := t.test(ctx, &t.data.Test, func(done, total int) { t.progress(true, done, total) })
	if ctx.Err() != nil {
		return t.interrupted()
	}
	if err != nil {
		return err
	}
	metrics := EpochMetrics{Epoch: c.Epoch + 1, TestAccuracy: e.Accuracy, Samples: t.batches * size, NetworkMetrics: *m}
	if c.Answers.Of == metrics.Samples {
		accuracy := share(c.Answers.Correct, c.Answers.Of)
		metrics.TrainAccuracy = &accuracy
	}
	c.History = append(c.History, metrics)
	c.Epoch, c.Batch, c.Answers = c.Epoch+1, 0, Score{}
	t.testing += time.Since(testing)
	t.tested += e.Samples
	took := EpochTime{SamplesPerSecond: Progress{Learned: t.learned - learned, Learning: t.learning - learning}.SamplesPerSecond()}
	if whole {
		took.Whole = time.Since(start)
	}
	t.times[c.Epoch] = took
	if err := t.save(); err != nil {
		return err
	}
	return t.writeMetrics()
}

// used is the number of training samples in use.
func (t *trainer) used() int {
	if t.c.Limit > 0 {
		return min(t.c.Limit, t.data.Train.Len())
	}
	return t.data.Train.Len()
}

func (t *trainer) interrupted() error {
	if err := t.save(); err != nil {
		return err
	}
	return fmt.Errorf("%w in epoch %d after mini-batch %d of %d; resume to continue", ErrInterrupted, t.c.Epoch+1, t.c.Batch, t.batches)
}

func (t *trainer) save() error {
	t.c.Tensors = t.l.Tensors()
	if err := t.c.Save(t.o.Dir); err != nil {
		return t.diverged(err)
	}
	t.saved = time.Now()
	return nil
}

// diverged is the error of a step that may have met numbers that are not finite.
func (t *trainer) diverged(err error) error {
	if errors.Is(err, golden.ErrDamaged) && t.c.Step == 0 {
		return fmt.Errorf("before learning: %w; start the run with other weights or settings", err)
	}
	if errors.Is(err, golden.ErrDamaged) {
		return fmt.Errorf("learning diverged by mini-batch %d of the run: %w; lower its rates and train again", t.c.Step, err)
	}
	return err
}

func (t *trainer) progress(testing bool, done, total int) {
	if t.o.Progress == nil {
		return
	}
	p := Progress{Epoch: t.c.Epoch + 1, Epochs: t.c.Network.Learning.Epochs, Testing: testing, Done: done, Total: total,
		Answers: t.c.Answers, Learned: t.learned, Learning: t.learning, Left: t.left(testing, done)}
	if last := len(t.c.History) - 1; last >= 0 {
		p.TestAccuracy = t.c.History[last].TestAccuracy
	}
	t.o.Progress(p)
}

// left estimates the time to the end of the last epoch, done samples of this epoch's learning or test being done.
func (t *trainer) left(testing bool, done int) time.Duration {
	if t.learned == 0 {
		return 0
	}
	epochs := t.c.Network.Learning.Epochs - t.c.Epoch
	learn, test := epochs*t.batches*len(t.samples), epochs*t.data.Test.Len()
	each := t.learning.Seconds() / float64(t.learned)
	eachTest := each * t.answering // until there is a measurement
	if t.tested > 0 {
		eachTest = t.testing.Seconds() / float64(t.tested)
	}
	if testing {
		learn -= t.batches * len(t.samples)
		test -= done
	} else {
		learn -= done
	}
	return time.Duration((each*float64(learn) + eachTest*float64(test)) * float64(time.Second))
}
