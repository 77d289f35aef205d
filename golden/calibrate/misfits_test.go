package calibrate_test

import (
	"math/rand/v2"
	"reflect"
	"testing"

	fx "corinfo/fixedpoint"
	"corinfo/golden/calibrate"
	"corinfo/golden/goldentest"
	"corinfo/golden/training"
	"corinfo/golden/weights"
)

// TestQuantizeReportsMisfits: a format of the network's own that is too short is kept, and said so when weights
// are converted.
func TestQuantizeReportsMisfits(t *testing.T) {
	n := goldentest.Network([]int{12, 9, 5}, 2)
	short, err := fx.ParseType("ap_fixed<8,1,RND,SAT>")
	if err != nil {
		t.Fatal(err)
	}
	n.Formats = map[string]fx.Type{"F1": short}
	w := weights.Initial(n.Describe(), 3)
	w.Named("F1").Set(1, 2, 1.25)
	w.Named("F1").Set(4, 0, -5.5)
	samples, labels := goldentest.Samples(rand.New(rand.NewPCG(goldentest.Seed(t), 0)), n, 5)
	q, _, _, err := calibrate.Quantize(t.Context(), n, w, samples, labels, calibrate.AllLayers)
	if err != nil {
		t.Fatal(err)
	}
	m, _, err := training.StartMachine(q, nil)
	if err != nil {
		t.Fatal(err)
	}
	misfits, err := m.SetWeights(w)
	if err != nil {
		t.Fatal(err)
	}
	want := []calibrate.Misfit{{Tensor: "F1", Type: short.String(), Count: 2, Of: 45, Worst: -5.5, Bits: 4}}
	if !reflect.DeepEqual(misfits, want) {
		t.Errorf("got %+v, want %+v", misfits, want)
	}
}
