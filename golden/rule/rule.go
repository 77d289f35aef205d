package rule

import (
	"slices"
	"strings"
)

// Rule is a way to settle and to learn.
type Rule struct {
	Name     string // in network files
	About    string // in a line
	Own      func() any
	Not      []string                // settings of the shared sections that it does not have, or whole sections
	Check    func(*Settings, Report) // of settings that were read, in ranges that all rules have in common
	Describe func(*Settings) *Description
}

// Rules are all that there are.
var Rules = []Rule{
	{
		Name:     "corinfomax",
		About:    "Correlative Information Maximization, arXiv 2306.04810",
		Own:      func() any { return &CorInfoMax{Lateral: true} },
		Check:    func(s *Settings, report Report) { s.Own.(*CorInfoMax).check(s, report) },
		Describe: corInfoMax,
	},
	{
		Name:     "ep",
		About:    "Equilibrium Propagation, Scellier and Bengio 2017",
		Own:      func() any { return nil },
		Not:      []string{"learning.feedback"},
		Check:    checkEP,
		Describe: equilibrium,
	},
	{
		Name:     "csm",
		About:    "Contrastive Similarity Matching, arXiv 2002.10378",
		Own:      func() any { return &CSM{} },
		Not:      []string{"learning.feedback"},
		Check:    checkCSM,
		Describe: equilibrium,
	},
	{
		Name:  "pc",
		About: "Predictive Coding, Whittington and Bogacz 2017",
		Own:   func() any { return &PC{Activation: "sigmoid", Target: []float64{0.03, 0.97}} },
		Not: []string{"settling.free_iterations", "settling.step.inference", "learning.beta", "learning.random_sign", "learning.contrast",
			"learning.feedback"},
		Check:    checkPC,
		Describe: predictive,
	},
	{
		Name:     "pc-nudge",
		About:    "Predictive Coding with nudging, Millidge et al. 2022",
		Own:      func() any { return &PCNudge{Activation: "relu"} },
		Not:      []string{"settling.free_iterations", "settling.step.inference", "learning.contrast", "learning.feedback"},
		Check:    checkPCNudge,
		Describe: predictive,
	},
	{
		Name:     "fa",
		About:    "Feedback Alignment, Lillicrap et al. 2016",
		Own:      func() any { return &Backprop{Loss: MSE, Activation: "relu"} },
		Not:      []string{"settling", "learning.beta", "learning.random_sign", "learning.contrast", "learning.feedback"},
		Check:    checkBackprop("fa"),
		Describe: func(s *Settings) *Description { return backprop(s, true) },
	},
	{
		Name:     "bp",
		About:    "backpropagation",
		Own:      func() any { return &Backprop{Loss: MSE, Activation: "relu"} },
		Not:      []string{"settling", "learning.beta", "learning.random_sign", "learning.contrast", "learning.feedback"},
		Check:    checkBackprop("bp"),
		Describe: func(s *Settings) *Description { return backprop(s, false) },
	},
}

// Named is the rule of a name; nil: there is none.
func Named(name string) *Rule {
	if i := slices.IndexFunc(Rules, func(r Rule) bool { return r.Name == name }); i >= 0 {
		return &Rules[i]
	}
	return nil
}

// Lacks tells that the rule has no such setting, or no such section.
func (r *Rule) Lacks(path string) bool {
	return slices.ContainsFunc(r.Not, func(not string) bool { return path == not || strings.HasPrefix(path, not+".") })
}

// Names are those of all rules.
func Names() []string {
	var names []string
	for _, r := range Rules {
		names = append(names, r.Name)
	}
	return names
}
