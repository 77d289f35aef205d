package lockstep

import (
	"context"
	"os"
	"sync"
	"time"

	"corinfo/golden/machine"
	"corinfo/golden/training"
	"corinfo/hdlgen/design"
	"corinfo/sim"
)

// part is a stretch of a run's commands with a simulator of its own. It begins with a mini-batch, where all of the
// design's state that matters is in the host's reach: synapses, the words beside them, constants, the number of the mini-batch.
type part struct {
	From, To int // commands
	Done     totals
	Over     bool // with all memory words compared
}

// begin is the command with which it goes on.
func (p *part) begin() int { return p.From + p.Done.Commands }

// totals are what a part, or a run, has done.
type totals struct {
	Commands, Samples, Learned, Correct int
	AgainModel, AgainRTL                int              // answers of the inference again that were right
	States, Synapses, Words             int64            // compared
	InferenceTime, LearningTime         int64            // cycles
	Products, DenseProducts             int64            // of the model
	Overflows, Lost                     map[string]int64 // likewise
	Counters                            []int64          // of the design
	Exercised                           exercised
}

// add adds what another part has done.
func (t *totals) add(u *totals) {
	t.Commands, t.Samples, t.Learned, t.Correct = t.Commands+u.Commands, t.Samples+u.Samples, t.Learned+u.Learned, t.Correct+u.Correct
	t.AgainModel, t.AgainRTL = t.AgainModel+u.AgainModel, t.AgainRTL+u.AgainRTL
	t.States, t.Synapses, t.Words = t.States+u.States, t.Synapses+u.Synapses, t.Words+u.Words
	t.InferenceTime, t.LearningTime = t.InferenceTime+u.InferenceTime, t.LearningTime+u.LearningTime
	t.Products, t.DenseProducts = t.Products+u.Products, t.DenseProducts+u.DenseProducts
	t.Overflows, t.Lost = addByName(t.Overflows, u.Overflows), addByName(t.Lost, u.Lost)
	t.Counters, t.Exercised = addCounters(t.Counters, u.Counters), addByName(t.Exercised, u.Exercised)
}

// addByName adds two lists of counts; one may be nil.
func addByName[T ~map[string]int64](a, b T) T {
	all := T{}
	for _, list := range []T{a, b} {
		for name, n := range list {
			all[name] += n
		}
	}
	return all
}

// addCounters adds two lists of counters; one may be empty.
func addCounters(a, b []int64) []int64 {
	all := make([]int64, max(len(a), len(b)))
	for _, list := range [][]int64{a, b} {
		for i, n := range list {
			all[i] += n
		}
	}
	return all
}

// cosimulation is what the parts of a run share.
type cosimulation struct {
	d        *design.Design
	o        sim.Options
	commands []command
	how      sim.Recipe
	model    []string // the command that runs it
	quiet    int      // cycles without a sign of life that end a simulator's run
	closing  *sim.Closing
	design   string // fingerprints, for checkpoints
	data     string

	lock     sync.Mutex // of what follows
	parts    []part     // as they were when they had completed a mini-batch, or in the end
	cancel   []context.CancelFunc
	last     int   // the last part that is worth while: the first with a mismatch, or -1 after an error
	err      error // the first
	done     int   // commands
	saved    bool
	lastSave time.Time
}

// begin finds the parts of the run, or those of the run that it continues.
func (c *cosimulation) begin() (err error) {
	if c.o.SaveEvery > 0 {
		if c.design, err = designSum(c.d, &c.o); err != nil {
			return err
		}
		c.data = dataSum(&c.o)
	}
	switch {
	case c.o.Resume:
		err = c.load()
	case c.o.SaveEvery > 0:
		err = os.RemoveAll(checkpointFile(c.d)) // an older run's
	}
	if err != nil {
		return err
	}
	if !c.o.Resume {
		// Every part reads all memory words back: not more parts than that pays for.
		c.divide(min(c.o.Workers, c.commandCycles()/c.readBackCycles()))
	}
	return nil
}

// divide makes parts of about as many commands each. They begin with mini-batches, for which a design waits anyway:
// where it does not, a part would add cycles to the run.
func (c *cosimulation) divide(parts int) {
	from, first, batch := 0, len(c.o.Inference), c.d.Plan.Network.Learning.Batch
	for i := 1; i < parts; i++ {
		at := first + min(max(0, len(c.commands)*i/parts-first), len(c.o.Learning))/batch*batch
		if at > from && at < len(c.commands) {
			c.parts = append(c.parts, part{From: from, To: at})
			from = at
		}
	}
	c.parts = append(c.parts, part{From: from, To: len(c.commands)})
}

// learned is how many of the commands before one learn.
func (c *cosimulation) learned(before int) int {
	return min(max(0, before-len(c.o.Inference)), len(c.o.Learning))
}

// updates are those that the commands before one make.
func (c *cosimulation) updates(before int) int {
	return c.learned(before) / c.d.Plan.Network.Learning.Batch
}

// mayStop tells whether a checkpoint may be taken after a command: it completes a mini-batch.
func (c *cosimulation) mayStop(i int) bool {
	return c.o.SaveEvery > 0 && c.commands[i].kind == learning && c.learned(i+1)%c.d.Plan.Network.Learning.Batch == 0
}

// copyOf is a model of its own with the synapses of another.
func (c *cosimulation) copyOf(l *training.FixedLearner) (*training.FixedLearner, error) {
	p := c.d.Plan
	own := &training.FixedLearner{Machine: machine.New(p.A, p.Network.Seed)}
	own.Dense = p.Network.Hardware.Mode == "dense" // counts events as the design does
	return own, own.SetTensors(l.Tensors())
}

// simulate runs all parts that are not over, as many at a time as there are workers; the runs that it returns have
// stopped. A mismatch stops the parts after it: those before it go on, and may find an earlier one. An error stops all.
func (c *cosimulation) simulate(ctx context.Context, folder string) (runs []*run, err error) {
	ahead, err := c.copyOf(c.d.Learner) // is where the next part begins
	if err != nil {
		return nil, err
	}
	for i := range c.parts {
		c.done += c.parts[i].Done.Commands
	}
	c.cancel, c.last = make([]context.CancelFunc, len(c.parts)), len(c.parts)-1
	c.progress(0)
	workers := make(chan struct{}, max(1, c.o.Workers))
	var wait sync.WaitGroup
	at := 0
	for i := range c.parts {
		own, cancel := context.WithCancel(ctx)
		defer cancel()
		before, ok := c.start(i, cancel)
		if !ok {
			continue
		}
		for ; at < before.begin() && own.Err() == nil; at++ {
			if x := &c.commands[at]; x.kind == learning {
				ahead.Run(x.X, machine.Command{Learn: true, Label: x.Label, Negative: x.Negative}, nil)
			}
		}
		r := &run{cosimulation: c, index: i, part: before}
		runs = append(runs, r)
		if err := r.open(folder, ahead); err != nil {
			c.stop(i, err)
			break
		}
		workers <- struct{}{}
		wait.Go(func() {
			defer func() { <-workers }()
			err := r.simulate(own)
			if own.Err() == nil && (r.c.mismatch != nil || err != nil) {
				r.mismatch = r.c.mismatch
				c.stop(i, err)
			}
		})
	}
	wait.Wait()
	if ctx.Err() != nil {
		return runs, ctx.Err()
	}
	return runs, c.err
}

// start gives the part that is to be run; false: it is over, or the run has failed before it.
func (c *cosimulation) start(i int, cancel context.CancelFunc) (part, bool) {
	c.lock.Lock()
	defer c.lock.Unlock()
	c.cancel[i] = cancel
	return c.parts[i], !c.parts[i].Over && i <= c.last
}

// stop ends the parts after one with a mismatch, or all because of an error.
func (c *cosimulation) stop(i int, err error) {
	c.lock.Lock()
	defer c.lock.Unlock()
	if err != nil {
		i = -1
		if c.err == nil {
			c.err = err
		}
	}
	c.last = min(c.last, i)
	for _, cancel := range c.cancel[i+1:] {
		if cancel != nil {
			cancel()
		}
	}
}

// book keeps what a part has done when a mini-batch is complete and its counters are read, or at its end, and saves the run
// if that is due.
func (c *cosimulation) book(i int, done totals, over bool) error {
	c.lock.Lock()
	defer c.lock.Unlock()
	c.parts[i].Done, c.parts[i].Over = done, over
	if c.o.SaveEvery == 0 || over && len(c.parts) == 1 || !over && time.Since(c.lastSave) < c.o.SaveEvery {
		return nil
	}
	c.saved, c.lastSave = true, time.Now()
	return c.save()
}

// totals are those of all parts, when these runs have stopped.
func (c *cosimulation) totals(runs []*run) (all totals) {
	for i := range c.parts {
		done := c.parts[i].Done
		for _, r := range runs {
			if r.index == i && !c.parts[i].Over {
				done = r.compared()
			}
		}
		all.add(&done)
	}
	return all
}

// progress tells of commands that are done.
func (c *cosimulation) progress(commands int) {
	c.lock.Lock()
	defer c.lock.Unlock()
	c.done += commands
	if c.o.Progress != nil {
		total := len(c.commands)
		if c.closing != nil {
			total += c.closing.Samples
		}
		c.o.Progress(c.done, total)
	}
}
