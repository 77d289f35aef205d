package main

import (
	"errors"
	"fmt"
	"io"
	"math"
	"path/filepath"
	"time"

	"github.com/urfave/cli/v2"

	"corinfo/golden/calibrate"
	"corinfo/golden/dataset"
	"corinfo/golden/network"
	"corinfo/golden/plots"
	"corinfo/golden/training"
	"corinfo/hdlgen"
)

func trainCommand() *cli.Command {
	return &cli.Command{
		Name:  "train",
		Usage: "train a network, in float64, float32 or bit-true; --resume continues an interrupted run to the same bits",
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "c", Usage: "network `FILE`; with --resume, the run's own by default"},
			&cli.StringFlag{Name: "o", Usage: "`FOLDER` of the run"},
			&cli.StringFlag{Name: "arithmetic", Value: training.Float, Usage: "float (64 bits), float32 or fixed"},
			&cli.IntFlag{Name: "epochs", DefaultText: "the network file's", Usage: "epochs in all"},
			&cli.Uint64Flag{Name: "seed", DefaultText: "the network file's", Usage: "of weights, order and stochastic rounding"},
			&cli.IntFlag{Name: "limit", DefaultText: "all", Usage: "use only the first `N` training samples"},
			&cli.BoolFlag{Name: "resume", Usage: "continue the run in FOLDER"},
			&cli.DurationFlag{Name: "save-every", Value: 30 * time.Second, Usage: "`TIME` between checkpoints within an epoch, above 0"},
			dataFlag(), jsonFlag(),
		},
		Action: train,
	}
}

func train(c *cli.Context) error {
	if err := noArguments(c); err != nil {
		return err
	}
	dir, err := required(c, "o")
	if err != nil {
		return err
	}
	if err := noDesign(dir); err != nil {
		return err
	}
	for _, flag := range []string{"epochs", "limit"} {
		if c.IsSet(flag) {
			if err := atLeast(c, flag, 1); err != nil {
				return err
			}
		}
	}
	if epochs := c.Int("epochs"); epochs > network.MaxEpochs {
		return usagef("train: --epochs %d; want at most %d", epochs, network.MaxEpochs)
	}
	if every := c.Duration("save-every"); every <= 0 {
		return usagef("train: --save-every %v; want a time above 0, as 30s or 5m", every)
	}
	// Held from before its checkpoint is read: what another process trains meanwhile would be lost.
	hold := training.LockNewRun
	if c.Bool("resume") {
		hold = training.LockRun
	}
	lock, err := hold(dir)
	if err != nil {
		return err
	}
	defer lock.Unlock()
	var run *training.Checkpoint
	var data *dataset.Data
	var misfits []calibrate.Misfit
	if c.Bool("resume") {
		run, data, err = continuedRun(c, dir)
	} else {
		run, data, misfits, err = newRun(c, dir)
	}
	if err != nil {
		return err
	}
	printMisfits(c.App.ErrWriter, misfits)
	printFewBatches(c.App.ErrWriter, run, data)
	if err := printSlow(c.App.ErrWriter, run); err != nil {
		return err
	}
	bar := newTrainingProgress(c.App.ErrWriter)
	warn := func(err error) { fmt.Fprintf(c.App.ErrWriter, "corinfo: %v\n", err) }
	learner, trained := training.Train(c.Context, run, data,
		training.TrainOptions{Dir: dir, SaveEvery: c.Duration("save-every"), Progress: bar.show, Warn: warn})
	bar.close()
	interrupted := errors.Is(trained, training.ErrInterrupted)
	if trained != nil && !interrupted {
		return trained
	}
	var drawn []string
	if len(run.History) > 0 {
		if drawn, err = drawPlots(dir, run); err != nil {
			return err
		}
	}
	if interrupted {
		return fmt.Errorf("%w: corinfo train -o %s --resume", trained, dir)
	}
	ranges, _, err := recordRanges(c, dir, run, data, warn)
	if err != nil {
		return fmt.Errorf("ranges: %w; the run is whole: `corinfo eval %s` records them", err, dir)
	}
	figures := struct {
		Run              string                   `json:"run"`
		Arithmetic       string                   `json:"arithmetic"`
		Seed             uint32                   `json:"seed"`
		Epochs           int                      `json:"epochs"`
		TrainAccuracy    *float64                 `json:"train_accuracy"` // of the last epoch; null where it was not counted
		TestAccuracy     float64                  `json:"test_accuracy"`
		SamplesPerSecond float64                  `json:"samples_per_second"`
		Start            *training.NetworkMetrics `json:"start"` // before learning
		History          []training.EpochMetrics  `json:"history"`
		Plots            []string                 `json:"plots"` // files
		Misfits          []calibrate.Misfit       `json:"misfits"`
		Overflows        map[string]int64         `json:"overflows"` // by tensor: values outside their format, by this command
		Lost             map[string]int64         `json:"lost"`      // by matrix: updates lost to rounding
		Ranges           []calibrate.TensorRange  `json:"ranges"`    // of the run at its end
	}{Run: dir, Arithmetic: run.Arithmetic, Seed: run.Seed, Epochs: run.Epoch, SamplesPerSecond: bar.last.SamplesPerSecond(),
		Start: run.Start, History: run.History, Plots: listed(drawn), Misfits: listed(misfits), Ranges: ranges}
	if last := len(run.History) - 1; last >= 0 {
		figures.TrainAccuracy, figures.TestAccuracy = run.History[last].TrainAccuracy, run.History[last].TestAccuracy
	}
	if machine, ok := learner.(*training.FixedLearner); ok {
		counts := machine.Counts()
		figures.Overflows, figures.Lost = counts.Overflows, counts.Lost
	}
	return report(c, figures, func(w io.Writer) {
		printCounts(w, "outside their format", figures.Overflows)
		printCounts(w, "updates lost to rounding", figures.Lost)
		for _, e := range run.History {
			fmt.Fprintf(w, "epoch %d: test accuracy %.2f %%", e.Epoch, 100*e.TestAccuracy)
			if e.TrainAccuracy != nil {
				fmt.Fprintf(w, ", train accuracy %.2f %%", 100**e.TrainAccuracy)
			}
			fmt.Fprintf(w, ", %d samples learned\n", e.Samples)
		}
		fmt.Fprintf(w, "%s: %s run, %d of %d epochs; %d samples learned now in %.1f s (%.0f/s)\n", dir, run.Arithmetic,
			run.Epoch, max(run.Epoch, bar.last.Epochs),
			bar.last.Learned, bar.last.Learning.Seconds(), bar.last.SamplesPerSecond())
	})
}

// newRun makes a run in a folder that holds none.
func newRun(c *cli.Context, dir string) (*training.Checkpoint, *dataset.Data, []calibrate.Misfit, error) {
	fail := func(err error) (*training.Checkpoint, *dataset.Data, []calibrate.Misfit, error) {
		return nil, nil, nil, err
	}
	file, err := required(c, "c")
	if err != nil {
		return fail(err)
	}
	n, err := network.Load(file)
	if err != nil {
		return fail(err)
	}
	if err := hdlgen.CheckName(n.Name); err != nil { // sooner than generate would
		return fail(err)
	}
	if c.IsSet("epochs") {
		n.Learning.Epochs = c.Int("epochs")
	}
	seed := n.Seed
	if c.IsSet("seed") {
		if seed, err = seedFlag(c); err != nil {
			return fail(err)
		}
	}
	run, misfits, err := training.NewCheckpoint(n, c.String("arithmetic"), seed)
	if err != nil {
		return fail(err)
	}
	run.Limit = c.Int("limit")
	data, err := dataOf(c, run.Network)
	if err != nil {
		return fail(err)
	}
	return run, data, misfits, nil
}

// continuedRun loads the run in a folder; flags that are given must be those that it was started with.
func continuedRun(c *cli.Context, dir string) (*training.Checkpoint, *dataset.Data, error) {
	run, err := training.LoadCheckpoint(dir)
	if err != nil {
		return nil, nil, err
	}
	n, arithmetic, seed, limit := run.Network, run.Arithmetic, run.Seed, run.Limit
	if file := c.String("c"); file != "" {
		if n, err = network.Load(file); err != nil {
			return nil, nil, err
		}
	}
	if c.IsSet("epochs") {
		own := *n
		own.Learning.Epochs = c.Int("epochs")
		n = &own
	}
	if c.IsSet("arithmetic") {
		arithmetic = c.String("arithmetic")
	}
	if c.IsSet("seed") {
		if seed, err = seedFlag(c); err != nil {
			return nil, nil, err
		}
	}
	if c.IsSet("limit") {
		limit = c.Int("limit")
	}
	data, err := dataOf(c, n)
	if err != nil {
		return nil, nil, err
	}
	return run, data, run.Resume(n, data, arithmetic, seed, limit)
}

// fewBatches is how many updates an epoch should have at least before a smaller mini-batch is worth a thought.
const fewBatches = 10

// printFewBatches hints at a mini-batch that is large for the samples: the network changes once per mini-batch.
func printFewBatches(w io.Writer, run *training.Checkpoint, data *dataset.Data) {
	batch, use := run.Network.Learning.Batch, data.Train.Len()
	if run.Limit > 0 {
		use = min(use, run.Limit)
	}
	if batches := use / batch; batch > 1 && batches > 0 && batches < fewBatches {
		fmt.Fprintf(w, "hint: %d training samples are %d mini-batches of %d an epoch, each of which changes the synapses once, and %d samples are left over; "+
			"a smaller learning.batch, with smaller learning rates, changes them more often\n", use, batches, batch, use%batch)
	}
}

// printSlow hints at formats that make a fixed run slow: a formula has a value that is longer than the words of this machine.
func printSlow(w io.Writer, run *training.Checkpoint) error {
	if run.Arithmetic != training.Fixed {
		return nil
	}
	a, err := training.Arithmetic(run.Network)
	if err != nil {
		return err
	}
	if slow := a.Slow(); len(slow) > 0 {
		fmt.Fprintf(w, "hint: %d of the formulas take some hundred times as long as with shorter formats: %s\n",
			len(slow), slow[0])
	}
	return nil
}

// seedFlag is --seed, 32 bits.
func seedFlag(c *cli.Context) (uint32, error) {
	seed := c.Uint64("seed")
	if seed > math.MaxUint32 {
		return 0, usagef("train: --seed %d; want at most %d", seed, uint32(math.MaxUint32))
	}
	return uint32(seed), nil
}

// plotsFolder is where a run's plots are, within its folder.
const plotsFolder = "plots"

// drawPlots draws a run's plots into its folder and names their files.
func drawPlots(dir string, run *training.Checkpoint) ([]string, error) {
	files, err := plots.Write(filepath.Join(dir, plotsFolder), run)
	if err != nil {
		return nil, fmt.Errorf("plots: %w; the run is whole: draw them with `corinfo eval %s --plots`", err, dir)
	}
	return files, nil
}
