package golden

import (
	"context"
	"math"
)

// Evaluation is how a model classifies a set of samples.
type Evaluation struct {
	Samples   int            `json:"samples"`
	Correct   int            `json:"correct"`
	Accuracy  float64        `json:"accuracy"`  // Correct / Samples
	Confusion [][]int        `json:"confusion"` // [true class][predicted class]
	Classes   []ClassMetrics `json:"classes"`
}

// ClassMetrics are the figures of one class. Recall and precision are 0 where nothing is counted.
type ClassMetrics struct {
	Class     int     `json:"class"`
	Count     int     `json:"count"`     // samples of the class
	Predicted int     `json:"predicted"` // samples taken for the class
	Recall    float64 `json:"recall"`    // share of the former found
	Precision float64 `json:"precision"` // share of the latter right
}

// evaluationBlock is the number of samples between two looks at the context.
const evaluationBlock = 500

// Evaluate classifies a set; labels and the model's answers are below classes. progress, which may be nil,
// hears of samples done. A cancelled context's error is returned.
func Evaluate(ctx context.Context, l Learner, set *Set, classes int, progress func(done, total int)) (*Evaluation, error) {
	e := &Evaluation{Confusion: make([][]int, classes)}
	for i := range e.Confusion {
		e.Confusion[i] = make([]int, classes)
	}
	samples, answers := make([][]uint8, 0, evaluationBlock), make([]int, evaluationBlock)
	for done := 0; done < set.Len(); {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		samples = samples[:0]
		for i := done; i < min(done+evaluationBlock, set.Len()); i++ {
			samples = append(samples, set.Sample(i))
		}
		l.ClassifyBatch(samples, answers[:len(samples)])
		for i, class := range answers[:len(samples)] {
			e.Confusion[set.Labels[done+i]][class]++
		}
		done += len(samples)
		if progress != nil {
			progress(done, set.Len())
		}
	}
	e.summarize()
	return e, nil
}

// summarize derives all figures from the confusion matrix.
func (e *Evaluation) summarize() {
	for class, row := range e.Confusion {
		m := ClassMetrics{Class: class}
		for other, n := range row {
			m.Count += n
			m.Predicted += e.Confusion[other][class]
		}
		m.Recall, m.Precision = share(row[class], m.Count), share(row[class], m.Predicted)
		e.Samples += m.Count
		e.Correct += row[class]
		e.Classes = append(e.Classes, m)
	}
	e.Accuracy = share(e.Correct, e.Samples)
}

func share(part, whole int) float64 {
	if whole == 0 {
		return 0
	}
	return float64(part) / float64(whole)
}

// Angle is the angle between the feedforward and the transposed feedback synapses of a layer.
type Angle struct {
	Layer   int     `json:"layer"` // k of W_k and F_k
	Degrees float64 `json:"degrees"`
}

// Angles are acos(tr(W_k F_k) / (|W_k| |F_k|)) for k = 1..K-1 in degrees (arXiv 2306.04810): 0 where F_k is a multiple of
// W_k transposed, 90 where they have nothing in common or one of them is zero.
func (w *Weights) Angles() []Angle {
	list := []Angle{} // never null in JSON
	for k := 1; k < len(w.W); k++ {
		var trace, ww, ff float64
		rows, cols := w.W[k].Dims()
		for i := range rows {
			for j := range cols {
				a, b := w.W[k].At(i, j), w.F[k].At(j, i)
				trace += a * b
				ww += a * a
				ff += b * b
			}
		}
		degrees := 90.0
		if ww > 0 && ff > 0 {
			cos := trace / (math.Sqrt(ww) * math.Sqrt(ff))
			degrees = math.Acos(max(-1, min(1, cos))) * 180 / math.Pi
		}
		list = append(list, Angle{k, degrees})
	}
	return list
}
