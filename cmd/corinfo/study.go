package main

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/urfave/cli/v2"

	"corinfo/golden"
	"corinfo/golden/calibrate"
	"corinfo/golden/training"
	"corinfo/sim/study"
	page "corinfo/sim/study/report"
)

func studyCommand() *cli.Command {
	flags := []cli.Flag{
		&cli.StringFlag{Name: "o", DefaultText: "the study file's name with .study", Usage: "`FOLDER` of the study"},
		&cli.StringFlag{Name: "database", DefaultText: "study.db in FOLDER",
			Usage: "`ADDRESS` of the queue and results: postgres://USER@HOST/NAME, for many machines"},
	}
	work := append(flags, &cli.IntFlag{Name: "workers", Value: 1, Usage: "trials at a time; each uses all processors"},
		&cli.DurationFlag{Name: "lease", Value: study.Lease,
			Usage: "`TIME` that a worker may not be heard of before its trial is given to another"})
	return &cli.Command{
		Name:  "study",
		Usage: "quantization studies: which word length costs how much accuracy",
		Subcommands: []*cli.Command{
			{Name: "run", Usage: "work on a study to its end, then write its table, report and recommended network", ArgsUsage: "STUDY.yaml",
				Flags: append(work, jsonFlag()), Action: studyRun},
			{Name: "worker", Usage: "work on a study to its end beside others, and write nothing", ArgsUsage: "STUDY.yaml",
				Flags: work, Action: studyWorker},
			{Name: "report", Usage: "write table, report and recommended network of what is done so far", ArgsUsage: "STUDY.yaml",
				Flags: append(flags, jsonFlag()), Action: studyReport},
		},
		Action: func(c *cli.Context) error {
			if c.NArg() > 0 {
				return usagef("study: unknown command %q; want run, worker or report", c.Args().First())
			}
			return cli.ShowSubcommandHelp(c)
		},
	}
}

// studyOf reads the study file and the flags.
func studyOf(c *cli.Context) (*study.Study, study.Options, error) {
	file, err := argument(c, "STUDY.yaml")
	if err != nil {
		return nil, study.Options{}, err
	}
	s, err := study.Load(file)
	if err != nil {
		return nil, study.Options{}, err
	}
	o := study.Options{Folder: c.String("o"), Database: c.String("database"), Workers: c.Int("workers"), Lease: c.Duration("lease")}
	if o.Folder == "" {
		o.Folder = strings.TrimSuffix(filepath.Base(file), filepath.Ext(file)) + ".study"
	}
	o.Version, err = programVersion()
	return s, o, err
}

// programVersion is version and revision of the program, with the hash of its file where they do not say what it was built
// from: results of another program are not taken for this one's.
func programVersion() (string, error) {
	if r := golden.Revision(); r != "" && !strings.HasSuffix(r, "+") {
		return golden.Program(), nil
	}
	self, err := os.Executable()
	if err != nil {
		return "", err
	}
	f, err := os.Open(self)
	if err != nil {
		return "", err
	}
	defer f.Close()
	sum := sha256.New()
	_, err = io.Copy(sum, f)
	return fmt.Sprintf("%s, program %x", golden.Program(), sum.Sum(nil)), err
}

// workOf reads the study file and the flags of who works on it.
func workOf(c *cli.Context) (*study.Study, study.Options, error) {
	s, o, err := studyOf(c)
	if err != nil {
		return nil, o, err
	}
	if err := atLeast(c, "workers", 1); err != nil {
		return nil, o, err
	}
	if o.Lease < study.LeastLease {
		return nil, o, usagef("study: --lease %v; want at least %v", o.Lease, study.LeastLease)
	}
	return s, o, nil
}

// work runs the study under its progress.
func work(c *cli.Context, s *study.Study, o study.Options) (*study.Plan, error) {
	bar := newStudyProgress(c.App.ErrWriter, s.Name)
	o.Progress = bar.show
	o.Warn = bar.say
	plan, err := study.Run(c.Context, s, o)
	bar.close()
	if errors.Is(err, context.Canceled) {
		return nil, fmt.Errorf("interrupted; what is done is stored, the same command goes on")
	}
	return plan, err
}

func studyWorker(c *cli.Context) error {
	s, o, err := workOf(c)
	if err != nil {
		return err
	}
	_, err = work(c, s, o)
	return err
}

func studyRun(c *cli.Context) error {
	s, o, err := workOf(c)
	if err != nil {
		return err
	}
	if err := study.Claim(o.Folder); err != nil {
		return err
	}
	lock, err := golden.LockFolder(o.Folder)
	if errors.Is(err, golden.ErrHeld) {
		err = fmt.Errorf("%w; `corinfo study worker` works beside it, `corinfo study report` tells how far it is", err)
	}
	if err != nil {
		return err
	}
	defer lock.Unlock()
	plan, err := work(c, s, o)
	if plan == nil {
		return err
	}
	return errors.Join(err, writing(c, o, func() error { return writeStudy(c, plan, o) }))
}

func studyReport(c *cli.Context) error {
	s, o, err := studyOf(c)
	if err != nil {
		return err
	}
	if _, err := study.Look(c.Context, s, o); err != nil { // what is wrong is told before anything waits or is written
		return err
	}
	return writing(c, o, func() error {
		plan, err := study.Look(c.Context, s, o)
		if err != nil {
			return err
		}
		return writeStudy(c, plan, o)
	})
}

// reportLock is the file of a study's folder that holds what is written there: a report may be made at any time, also while a
// study is worked on, which then writes its own.
const reportLock = "report.lock"

// writing writes into a study's folder when no other process does.
func writing(c *cli.Context, o study.Options, write func() error) error {
	for told := false; ; told = true {
		lock, err := golden.LockPath(filepath.Join(o.Folder, reportLock))
		switch {
		case err == nil:
			defer lock.Unlock()
			return write()
		case !errors.Is(err, golden.ErrHeld):
			return err
		case !told:
			fmt.Fprintf(c.App.ErrWriter, "corinfo: waiting: %v\n", err)
		}
		select {
		case <-c.Context.Done():
			return c.Context.Err()
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// Files of a study's folder.
const (
	studyTable       = "table.csv"
	studyPage        = "report.html"
	studyRecommended = "recommended.yaml"
	studyWeights     = "recommended"
)

// recommendation is the point that a study recommends: means over its seeds, as the page shows them.
type recommendation struct {
	Settings    map[string]string `json:"settings"`
	Accuracy    float64           `json:"accuracy"`
	Low         float64           `json:"accuracy_low"` // of the seeds
	High        float64           `json:"accuracy_high"`
	Loss        float64           `json:"loss"` // percentage points below float
	SynapseBits float64           `json:"synapse_bits"`
	MemoryBits  float64           `json:"memory_bits,omitempty"` // of the design; left out, as the next two, where the network has no hardware
	Multipliers float64           `json:"multipliers,omitempty"`
	Cycles      float64           `json:"cycles_per_inference,omitempty"`
	Run         chosen            `json:"run"`
}

// chosen is what the folder holds of the recommended point: the network of one of its seeds, which keeps the loss by itself.
type chosen struct {
	Network  string  `json:"network"` // file
	Weights  string  `json:"weights"` // run folder of an inference study, for eval and generate --weights; else empty
	Seed     uint32  `json:"seed"`
	Accuracy float64 `json:"accuracy"`
	Tested   int     `json:"tested"` // samples, the first ones of the test set
	Loss     float64 `json:"loss"`   // percentage points below its float run
}

// writeStudy writes what a study has led to.
func writeStudy(c *cli.Context, plan *study.Plan, o study.Options) error {
	if err := golden.WriteFile(filepath.Join(o.Folder, studyTable), plan.CSV()); err != nil {
		return err
	}
	figures := struct {
		Study       string          `json:"study"`
		Program     string          `json:"program"` // that its trials are of: version, and revision or hash
		Trials      int             `json:"trials"`  // that are known
		Done        int             `json:"done"`
		Whole       bool            `json:"whole"`
		Table       string          `json:"table"`
		Report      string          `json:"report"`
		Recommended *recommendation `json:"recommended"` // null: no point keeps the accuracy
	}{Study: plan.Study.Name, Program: o.Version, Trials: len(plan.Rows), Done: len(plan.Rows) - len(plan.Open), Whole: plan.Whole,
		Table: filepath.Join(o.Folder, studyTable), Report: filepath.Join(o.Folder, studyPage)}
	best := plan.Recommended()
	var ranges []calibrate.TensorRange
	if best != nil {
		row := best.Chosen
		r := &recommendation{Settings: map[string]string{}, Accuracy: best.Accuracy, Low: best.Low, High: best.High, Loss: best.Loss,
			SynapseBits: best.SynapseBits,
			Run: chosen{Network: filepath.Join(o.Folder, studyRecommended), Seed: row.Seed,
				Accuracy: row.Result.Accuracy, Tested: row.Result.Tested, Loss: row.Loss()}}
		if best.Hardware {
			r.MemoryBits, r.Multipliers, r.Cycles = best.MemoryBits, best.Multipliers, best.Cycles
		}
		for i, a := range plan.Study.Axes {
			r.Settings[a.Name()] = string(a.Values[best.Point[i]])
		}
		if err := golden.WriteFile(r.Run.Network, []byte(row.Trial.Network)); err != nil {
			return err
		}
		ranges = row.Result.Ranges
		if plan.Study.Kind == study.Inference {
			r.Run.Weights = filepath.Join(o.Folder, studyWeights)
			fixed, list, err := study.Quantized(c.Context, row, o)
			if err != nil {
				return err
			}
			if err := saveRecommended(r.Run.Weights, fixed); err != nil {
				return err
			}
			ranges = list
		}
		figures.Recommended = r
	}
	// What an earlier report recommended is not what this page says.
	if figures.Recommended == nil {
		if err := os.Remove(filepath.Join(o.Folder, studyRecommended)); err != nil && !errors.Is(err, os.ErrNotExist) {
			return err
		}
	}
	if figures.Recommended == nil || figures.Recommended.Run.Weights == "" {
		if err := removeRecommended(filepath.Join(o.Folder, studyWeights)); err != nil {
			return err
		}
	}
	html, err := page.Page(plan, ranges)
	if err != nil {
		return err
	}
	if err := golden.WriteFile(figures.Report, html); err != nil {
		return err
	}
	return report(c, figures, func(w io.Writer) {
		table := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
		list := plan.Summaries()
		for i := range plan.Study.Axes {
			fmt.Fprintf(table, "%s\t", plan.Study.Axes[i].Name())
		}
		fmt.Fprint(table, "accuracy\tloss\t")
		columns, cost := study.Columns(list), study.CostOf(list)
		for _, c := range columns {
			fmt.Fprintf(table, "%s\t", c.Name)
		}
		fmt.Fprintln(table)
		for _, x := range study.Front(list, cost) {
			for i, v := range x.Point {
				fmt.Fprintf(table, "%s\t", plan.Study.Axes[i].Values[v])
			}
			fmt.Fprintf(table, "%.2f %%\t%s\t", 100*x.Accuracy, study.Decimals(x.Loss, 2))
			for _, c := range columns {
				fmt.Fprintf(table, "%s\t", c.Text(&x))
			}
			fmt.Fprintln(table)
		}
		fmt.Fprintf(w, "%s: %d of %d trials done; the points that no other beats in accuracy without more %s:\n",
			figures.Study, figures.Done, figures.Trials, cost.Name)
		table.Flush()
		if r := figures.Recommended; r == nil {
			fmt.Fprintf(w, "no point loses at most %v percentage points against float\n", plan.Study.Search.MaxLoss)
		} else {
			fmt.Fprintf(w, "recommended: %s, of seed %d: %.2f %%, loss %s, over the first %d test samples\n", r.Run.Network,
				r.Run.Seed, 100*r.Run.Accuracy, study.Decimals(r.Run.Loss, 2), r.Run.Tested)
			if r.Run.Weights != "" {
				use := "eval"
				if best.Hardware {
					use = "generate --weights"
				}
				fmt.Fprintf(w, "its run, for %s: %s\n", use, r.Run.Weights)
			}
		}
		fmt.Fprintf(w, "table %s, report %s\n", figures.Table, figures.Report)
	})
}

// saveRecommended writes the recommended run. One that was trained further since is someone's work.
func saveRecommended(dir string, run *training.Checkpoint) error {
	lock, err := golden.LockFolder(dir)
	if err != nil {
		return err
	}
	defer lock.Unlock()
	if err := untrained(dir); err != nil {
		return err
	}
	return run.Save(dir)
}

// removeRecommended removes a recommended run; what else is in its folder stays.
func removeRecommended(dir string) error {
	if !training.IsRun(dir) {
		return nil
	}
	lock, err := golden.LockFolder(dir)
	if err != nil {
		return err
	}
	err = untrained(dir)
	for _, name := range []string{training.CheckpointFile, calibrate.RangeFile} {
		if err == nil {
			if err = os.Remove(filepath.Join(dir, name)); errors.Is(err, os.ErrNotExist) {
				err = nil
			}
		}
	}
	lock.Unlock()
	_ = os.Remove(dir) // if it is empty
	return err
}

func untrained(dir string) error {
	if run, err := training.LoadCheckpoint(dir); err == nil && run.Step > 0 {
		return usagef("%s was trained after the study had recommended it; move it away", dir)
	}
	return nil
}
