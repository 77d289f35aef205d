package study

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"corinfo/golden/calibrate"
	"corinfo/golden/dataset"
	"corinfo/golden/network"
	"corinfo/golden/training"
)

// Grows tells whether results decide which trials there are.
func (s *Study) Grows() bool {
	return s.Kind == Inference || s.Search.Method == MinPlusOne || s.Search.Method == MaxMinusOne || len(s.Search.Halving.Epochs) > 0
}

// Look gives the plan of a study with what is done so far, and runs no trial.
func Look(ctx context.Context, s *Study, o Options) (*Plan, error) {
	if _, err := os.Stat(filepath.Join(o.Folder, DatabaseFile)); o.Database == "" && err != nil {
		return nil, usagef("%s holds no study; `corinfo study run` makes it", o.Folder)
	}
	if err := Claim(o.Folder); err != nil { // for what is written of it
		return nil, err
	}
	st, err := openStore(ctx, o.Database, o.Folder)
	if err != nil {
		return nil, err
	}
	defer st.close()
	results := map[string]*Result{}
	if err := st.results(ctx, results); err != nil {
		return nil, err
	}
	return newPlanner(s, &datasets{}, o.Version).plan(func(key string) *Result { return results[key] })
}

// Quantized is the bit-true run of an inference trial that is done, and the ranges of its float run beside its formats.
func Quantized(ctx context.Context, row *Row, o Options) (*training.Checkpoint, []calibrate.TensorRange, error) {
	n, err := network.Parse("trial", []byte(row.Trial.Network))
	if err != nil {
		return nil, nil, err
	}
	st, err := openStore(ctx, o.Database, o.Folder)
	if err != nil {
		return nil, nil, err
	}
	defer st.close()
	file, err := st.checkpoint(ctx, row.Float.Key)
	if err != nil {
		return nil, nil, fmt.Errorf("float run: %w", err)
	}
	run, err := training.DecodeCheckpoint("float run", file)
	if err != nil {
		return nil, nil, err
	}
	m, _, err := training.StartMachine(n, run)
	if err != nil {
		return nil, nil, err
	}
	w, err := run.Weights()
	if err != nil {
		return nil, nil, err
	}
	data, err := dataset.Load(n.Dataset)
	if err != nil {
		return nil, nil, err
	}
	list, err := Distributions(ctx, n, w, data, row.Trial.Calibrate)
	return &training.Checkpoint{Network: n, Arithmetic: training.Fixed, Seed: n.Seed, Data: run.Data, Tensors: m.Tensors(),
		Ranges: calibrate.RangesOf(row.Float.Result.Ranges)}, list, err
}
