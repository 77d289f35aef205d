package training

import (
	"context"

	"corinfo/golden/dataset"
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
func Evaluate(ctx context.Context, l Learner, set *dataset.Set, classes int, progress func(done, total int)) (*Evaluation, error) {
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
		l.Classify(samples, answers[:len(samples)])
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
