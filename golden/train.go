package golden

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"
)

// EpochMetrics are the figures of one epoch of training. Times are not among them: a checkpoint is a function
// of the network file, the seed and the data.
type EpochMetrics struct {
	Epoch        int     `json:"epoch"` // counted from 1
	TestAccuracy float64 `json:"test_accuracy"`
	Samples      int     `json:"samples"` // learned
}

// TrainOptions say how far to train and whom to tell.
type TrainOptions struct {
	Dir       string         // folder of the checkpoint
	SaveEvery time.Duration  // between checkpoints within an epoch; 0: half a minute
	Progress  func(Progress) // called after every mini-batch and now and then while testing; may be nil
}

// Progress is how far training has come.
type Progress struct {
	Epoch, Epochs int // the epoch under way, counted from 1, of how many
	Testing       bool
	Done, Total   int           // samples of the epoch, or of the test
	TestAccuracy  float64       // after the last epoch; 0 before the first
	Learned       int           // samples learned by this call of Train
	Learning      time.Duration // time that they took
}

// SamplesPerSecond is the pace of learning.
func (p Progress) SamplesPerSecond() float64 {
	if p.Learning <= 0 {
		return 0
	}
	return float64(p.Learned) / p.Learning.Seconds()
}

// ErrInterrupted marks a training that was cancelled; its checkpoint continues it.
var ErrInterrupted = errors.New("interrupted")

// Streams of the generator, apart from those of InitialWeights: one for the order of every epoch, one for the
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
func Negative(l *Learning, seed uint32, step int) bool {
	return l.RandomSign && rand.New(rand.NewPCG(uint64(seed), signStream+uint64(step))).Uint64()>>63 == 1
}

// Train continues a run to its network's last epoch. It learns mini-batches in the order of (seed, epoch), tests after
// each epoch, and writes a checkpoint then, every SaveEvery in between, and when ctx is cancelled, which
// gives ErrInterrupted. From c, or from the checkpoint written last, Train continues to the same bits as without
// the interruption. Results do not depend on SaveEvery or Progress. It returns the model that it trained.
//
// Samples that do not fill a mini-batch at the end of an epoch are left out: the hardware, too, applies updates
// of exactly Learning.Batch samples only. Another order leaves others out in each epoch.
func Train(ctx context.Context, c *Checkpoint, data *Data, o TrainOptions) (Learner, error) {
	t, err := newTrainer(c, data, o)
	if err != nil {
		return nil, err
	}
	return t.l, t.run(ctx)
}

// trainer is a training under way. Checkpoint c is changed only by mini-batches that have been learned.
type trainer struct {
	c       *Checkpoint
	data    *Data
	o       TrainOptions
	l       Learner
	batches int // per epoch
	saved   time.Time
	samples [][]uint8
	labels  []int

	learned  int           // samples, by this call of Train
	learning time.Duration // time that they took
}

func newTrainer(c *Checkpoint, data *Data, o TrainOptions) (*trainer, error) {
	n := c.Network
	if err := data.Check(n); err != nil {
		return nil, err
	}
	if c.Data != "" && c.Data != data.Checksum {
		return nil, usagef("dataset %s: its content is not that which the run has learned; give the same data or start another run", data.Name)
	}
	use := data.Train.Len()
	if c.Limit > 0 {
		use = min(use, c.Limit)
	}
	if use < n.Learning.Batch {
		return nil, usagef("%d training samples; a mini-batch takes %d: raise the limit or lower learning.batch", use, n.Learning.Batch)
	}
	t := &trainer{c: c, data: data, o: o, batches: use / n.Learning.Batch, saved: time.Now(),
		samples: make([][]uint8, n.Learning.Batch), labels: make([]int, n.Learning.Batch)}
	if t.o.SaveEvery == 0 {
		t.o.SaveEvery = 30 * time.Second
	}
	if c.Batch > t.batches || c.Step != c.Epoch*t.batches+c.Batch {
		return nil, fmt.Errorf("%w: checkpoint: mini-batch %d of epoch %d is no step %d of %d mini-batches an epoch; train again",
			ErrDamaged, c.Batch, c.Epoch+1, c.Step, t.batches)
	}
	var err error
	if t.l, err = NewLearner(c); err != nil {
		return nil, err
	}
	c.Data = data.Checksum
	return t, nil
}

func (t *trainer) run(ctx context.Context) error {
	for t.c.Epoch < t.c.Network.Learning.Epochs {
		if err := t.epoch(ctx); err != nil {
			return err
		}
	}
	return nil
}

// epoch learns and tests to the end of the epoch under way.
func (t *trainer) epoch(ctx context.Context) error {
	c, size := t.c, len(t.samples)
	t.l.SetEpoch(c.Epoch)
	order := Order(c.Seed, c.Epoch, t.used())
	for c.Batch < t.batches {
		if ctx.Err() != nil {
			return t.interrupted()
		}
		for i, sample := range order[c.Batch*size : (c.Batch+1)*size] {
			t.samples[i], t.labels[i] = t.data.Train.Sample(sample), int(t.data.Train.Labels[sample])
		}
		start := time.Now()
		t.l.LearnBatch(t.samples, t.labels, Negative(&c.Network.Learning, c.Seed, c.Step))
		t.learning += time.Since(start)
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
	e, err := Evaluate(ctx, t.l, &t.data.Test, c.Network.Layers[c.Network.K()], func(done, total int) { t.progress(true, done, total) })
	if ctx.Err() != nil {
		return t.interrupted()
	}
	if err != nil {
		return err
	}
	c.History = append(c.History, EpochMetrics{Epoch: c.Epoch + 1, TestAccuracy: e.Accuracy, Samples: t.batches * size})
	c.Epoch, c.Batch = c.Epoch+1, 0
	return t.save()
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
		if errors.Is(err, ErrDamaged) {
			return fmt.Errorf("learning diverged by mini-batch %d of the run: %w; lower its rates and train again", t.c.Step, err)
		}
		return err
	}
	t.saved = time.Now()
	return nil
}

func (t *trainer) progress(testing bool, done, total int) {
	if t.o.Progress == nil {
		return
	}
	p := Progress{Epoch: t.c.Epoch + 1, Epochs: t.c.Network.Learning.Epochs, Testing: testing, Done: done, Total: total,
		Learned: t.learned, Learning: t.learning}
	if last := len(t.c.History) - 1; last >= 0 {
		p.TestAccuracy = t.c.History[last].TestAccuracy
	}
	t.o.Progress(p)
}
