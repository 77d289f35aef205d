package rule

import (
	"slices"
	"strings"
)

// Report tells of a setting that is wrong, by its path in the network file, as "learning.feedback".
type Report func(path, format string, args ...any)

// forward checks the learning rates of W0, W1, ...: one per matrix, or one for all.
func (r Report) forward(s *Settings) {
	want := len(s.Layers) - 1
	if list := s.Learning.Feedforward; len(list) != 1 {
		r.rates("learning.feedforward", list, want)
	} else {
		r.rates("learning.feedforward", list, 1)
	}
}

// rates checks a list of learning rates, one per matrix.
func (r Report) rates(path string, list []float64, want int) {
	if len(list) != want {
		r(path, "%d rates; the layers want %d", len(list), want)
	}
	for _, mu := range list {
		if mu < 0 {
			r(path, "%v; want 0 or a positive number", mu)
			return
		}
	}
}

// oneOf checks a name.
func (r Report) oneOf(path, name string, allowed []string) {
	if !slices.Contains(allowed, name) {
		r(path, "%q; want one of %s", name, strings.Join(allowed, ", "))
	}
}

// Uses tells that the kind of optimizer has a setting, by its key in the network file.
func (o *Optimizer) Uses(key string) bool {
	switch key {
	case "momentum":
		return o.Kind == Momentum
	case "weight_decay":
		return o.Kind != Adam
	case "beta1", "beta2", "epsilon", "plain_root":
		return o.Kind == Adam
	}
	return true
}

// check refuses what the rule cannot work with.
func (o *CorInfoMax) check(s *Settings, report Report) {
	K := len(s.Layers) - 1
	if !(o.Epsilon > 0) {
		report("corinfomax.epsilon", "%v; want a positive number", o.Epsilon)
	}
	if !(o.Lambda > 0 && o.Lambda < 1) {
		report("corinfomax.lambda", "%v; want a number between 0 and 1", o.Lambda)
	}
	if o.Leak < 0 {
		report("corinfomax.leak", "%v; want 0 or a positive number", o.Leak)
	}
	report.forward(s)
	report.rates("learning.feedback", s.Learning.Feedback, K-1)

	const layers, nus = "corinfomax.sparse.layers", "corinfomax.sparse.nu"
	for i, k := range o.Sparse.Layers {
		switch {
		case k < 1 || k > K:
			report(layers, "layer %d; want 1, the first above the input, to %d", k, K)
			return
		case i > 0 && k <= o.Sparse.Layers[i-1]:
			report(layers, "layer %d after layer %d; want them in ascending order, each once", k, o.Sparse.Layers[i-1])
			return
		}
	}
	if len(o.Sparse.Nu) != len(o.Sparse.Layers) {
		report("corinfomax.sparse", "%d values of nu for %d layers; want one per layer", len(o.Sparse.Nu), len(o.Sparse.Layers))
	}
	// A step size above 1 would make the interneuron's potential q_u overshoot where it leaks:
	// q_u <- (1 - nu) q_u + nu (sum r - 1) while q is 0.
	if i := slices.IndexFunc(o.Sparse.Nu, func(nu float64) bool { return !(nu > 0 && nu <= 1) }); i >= 0 {
		report(nus, "%v; want a number above 0, at most 1", o.Sparse.Nu[i])
	}
}

// checkEP refuses what equilibrium propagation cannot work with.
func checkEP(s *Settings, report Report) {
	report.forward(s)
}

// checkCSM refuses what contrastive similarity matching cannot work with.
func checkCSM(s *Settings, report Report) {
	checkEP(s, report)
	lateral := s.Own.(*CSM).Lateral
	if hidden := len(s.Layers) - 2; len(lateral) != hidden {
		report("csm.lateral", "%d rates; the layers want %d", len(lateral), hidden)
	}
	for _, alpha := range lateral {
		if !(alpha < 0 && alpha > -2*s.Learning.Beta) {
			report("csm.lateral", "%v; want a number below 0 and above -2 beta, at which nothing of M is left", alpha)
			return
		}
	}
	if s.Learning.Contrast != WithFree {
		report("learning.contrast", "%q; csm has only free", s.Learning.Contrast)
	}
}
