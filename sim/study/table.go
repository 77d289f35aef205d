package study

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// CSV is the table of a plan: a row per trial that is done, in the order of the plan. It is a function of the study
// file and the trials' results alone.
func (p *Plan) CSV() []byte {
	var b bytes.Buffer
	w := csv.NewWriter(&b)
	head := []string{"study", "kind", "dataset"}
	for i := range p.Study.Axes {
		head = append(head, p.Study.Axes[i].Name())
	}
	_ = w.Write(append(head, "seed", "epochs", "status", "accuracy", "correct", "tested", "float_accuracy", "loss",
		"synapse_bits", "memory_bits", "multipliers",
		"cycles_per_inference", "cycles_per_learning_sample", "overflows", "updates_lost", "key")) // memory takes all
	for _, r := range p.Rows {
		if r.Result == nil {
			continue
		}
		_ = w.Write(p.cells(r))
	}
	w.Flush()
	return b.Bytes()
}

func (p *Plan) cells(r *Row) []string {
	kind, at := p.Study.Kind, r.Point
	if at == nil {
		kind, at = Float, r.Serves
	}
	base := p.Study.base(at)
	row := []string{p.Study.Name, kind, base.Dataset.Name}
	for i := range p.Study.Axes {
		switch {
		case r.Point != nil:
			row = append(row, string(p.Study.Axes[i].Values[r.Point[i]]))
		case slices.ContainsFunc(p.Study.Axes[i].Set, func(set string) bool { return floatSetting(base, set) }):
			row = append(row, string(p.Study.Axes[i].Values[r.Serves[i]]))
		default:
			row = append(row, "")
		}
	}
	x := r.Result
	status := "done"
	switch {
	case x.Refused != "":
		status = "refused: " + x.Refused
	case x.Diverged:
		status = "diverged"
	}
	row = append(row, fmt.Sprint(r.Seed), fmt.Sprint(r.Epochs), status)
	if !x.Good() {
		return append(row, "", "", "", "", "", "", "", "", "", "", "", "", r.Key)
	}
	row = append(row, Decimals(x.Accuracy, 6), fmt.Sprint(x.Correct), fmt.Sprint(x.Tested))
	if r.Float == nil {
		return append(row, "", "", "", "", "", "", "", "", "", r.Key)
	}
	float, loss := "", ""
	if f := r.Float.Result; f != nil && f.Good() {
		float, loss = Decimals(f.Accuracy, 6), Decimals(r.Loss(), 4)
	}
	memory, multipliers, cycles, learning, lost := "", "", "", "", ""
	if x.MemoryBits > 0 {
		memory, multipliers, cycles = fmt.Sprint(x.MemoryBits), fmt.Sprint(x.Multipliers), Decimals(x.Cycles, 1)
	}
	if p.Study.Kind == Learning {
		lost = Decimals(Total(x.Lost).Share(), 6)
		if x.MemoryBits > 0 {
			learning = Decimals(x.Learning, 1)
		}
	}
	return append(row, float, loss, fmt.Sprint(x.SynapseBits), memory, multipliers, cycles, learning,
		Decimals(Total(x.Overflows).Share(), 8), lost, r.Key)
}

// Decimals is a number with so many digits behind the point; none is -0.
func Decimals(v float64, digits int) string {
	s := strconv.FormatFloat(v, 'f', digits, 64)
	if strings.Trim(s, "-0.") == "" {
		s = strings.TrimPrefix(s, "-")
	}
	return s
}

// Total adds rates up.
func Total(rates map[string]Rate) Rate {
	var all Rate
	for _, name := range slices.Sorted(maps.Keys(rates)) {
		all.Count += rates[name].Count
		all.Of += rates[name].Of
	}
	return all
}
