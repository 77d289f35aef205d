package training

import (
	"archive/zip"
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"

	"corinfo/golden"
	"corinfo/golden/dataset"
	"corinfo/golden/network"
	"corinfo/golden/weights"
)

// maxPredictions bounds the numbers of a NumPy archive of predictions, which are held in memory.
const maxPredictions = 1 << 29

// CheckPredictions refuses, as golden.ErrUsage, a file that Predict cannot write: its name ends with neither .csv nor .npz, it is a
// folder, or its folder is missing.
func CheckPredictions(path string) error {
	switch filepath.Ext(path) {
	case ".csv", ".npz":
	default:
		return golden.Usagef("predictions: %s; want a file that ends with .csv or .npz", path)
	}
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		return golden.Usagef("predictions: %s is a folder; name a file in it", path)
	}
	if info, err := os.Stat(filepath.Dir(path)); err != nil || !info.IsDir() {
		return golden.Usagef("predictions: no folder %s; make it first", filepath.Dir(path))
	}
	return nil
}

// Predict is Evaluate, and writes what the model answers to every sample, in the set's order, to a file, whole or not at all.
// By the ending of its name the file is a table (.csv), a line per sample, or a NumPy archive (.npz) of arrays with a
// row per sample:
//
//	label, class   the sample's and the model's, from 0
//	scores         r_K after the free phase, the values that the model computes with; in a table score0, score1, ...
//	r0, ..., rK    with states: those of all layers after the free phase; in a table r1_0, r1_1, ...
//
// The evaluation is given even where the file cannot be written, with an error that says why.
func Predict(ctx context.Context, l Learner, set *dataset.Set, n *network.Network, path string, states bool, progress func(done, total int)) (*Evaluation, error) {
	if err := CheckPredictions(path); err != nil {
		return nil, err
	}
	p := &predictions{labels: set.Labels, layers: []int{n.K()}}
	if states {
		for k := range n.Layers {
			p.layers = append(p.layers, k)
		}
	}
	table := filepath.Ext(path) == ".csv"
	if !table {
		p.kept = make([]*mat.Dense, len(n.Layers))
		numbers := 0
		for _, k := range p.layers {
			numbers += n.Layers[k] * set.Len()
		}
		if numbers > maxPredictions {
			return nil, golden.Usagef("predictions: %d numbers are more than an archive may hold (%d); take a .csv file",
				numbers, maxPredictions)
		}
		for _, k := range p.layers {
			p.kept[k] = mat.NewDense(set.Len(), n.Layers[k], nil)
		}
	}
	var e *Evaluation
	var failed error // of the model, not of the file
	err := golden.WriteFileBy(path, func(w io.Writer) error {
		p.out = bufio.NewWriterSize(w, 1<<20)
		if table {
			p.head(n)
		}
		e, failed = Evaluate(ctx, &watcher{Learner: l, wanted: set.Len(), see: p.add}, set, n.Layers[n.K()], progress)
		if failed != nil {
			return failed
		}
		if !table {
			if err := p.archive(); err != nil {
				return err
			}
		}
		return p.out.Flush() // tells of an error before, too
	})
	if failed != nil {
		return nil, failed
	}
	if err != nil && e == nil { // not even begun
		e, failed = Evaluate(ctx, l, set, n.Layers[n.K()], progress)
	}
	return e, errors.Join(err, failed)
}

// predictions are the file under way.
type predictions struct {
	labels []uint8
	layers []int // whose states are columns: the last one's, which are the scores, and with states all
	out    *bufio.Writer
	line   []byte
	class  []int64
	kept   []*mat.Dense // for an archive: states by layer; nil: a table
}

// head writes a table's first line.
func (p *predictions) head(n *network.Network) {
	p.line = append(p.line, "label,class"...)
	for i, k := range p.layers {
		for neuron := range n.Layers[k] {
			if i == 0 {
				p.line = fmt.Appendf(p.line, ",score%d", neuron)
			} else {
				p.line = fmt.Appendf(p.line, ",r%d_%d", k, neuron)
			}
		}
	}
	p.endLine()
}

// endLine writes a line of a table. The writer keeps its first error for Flush.
func (p *predictions) endLine() {
	_, _ = p.out.Write(append(p.line, '\n'))
	p.line = p.line[:0]
}

// add takes the states of a block of samples.
func (p *predictions) add(first int, block []*mat.Dense) {
	if p.kept != nil {
		copyStates(p.kept, first, block)
	}
	scores := block[len(block)-1]
	for i := range scores.RawMatrix().Rows {
		class := floats.MaxIdx(scores.RawRowView(i))
		if p.kept != nil {
			p.class = append(p.class, int64(class))
			continue
		}
		p.line = strconv.AppendInt(p.line, int64(p.labels[first+i]), 10)
		p.line = strconv.AppendInt(append(p.line, ','), int64(class), 10)
		for _, k := range p.layers {
			for _, v := range block[k].RawRowView(i) {
				p.line = strconv.AppendFloat(append(p.line, ','), v, 'g', -1, 64)
			}
		}
		p.endLine()
	}
}

// archive writes the arrays.
func (p *predictions) archive() error {
	labels := make([]int64, len(p.labels))
	for i, label := range p.labels {
		labels[i] = int64(label)
	}
	file := zip.NewWriter(p.out)
	err := weights.AddArray(file, "label", func(w io.Writer) error { return weights.WriteIntegers(w, labels) })
	if err == nil {
		err = weights.AddArray(file, "class", func(w io.Writer) error { return weights.WriteIntegers(w, p.class) })
	}
	for i, k := range p.layers {
		name := fmt.Sprint("r", k)
		if i == 0 {
			name = "scores"
		}
		if err == nil {
			err = weights.AddArray(file, name, func(w io.Writer) error { return weights.WriteMatrix(w, p.kept[k], weights.NumPyFloat64) })
		}
	}
	if err == nil {
		err = file.Close()
	}
	return err
}
