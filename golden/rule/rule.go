package rule

import "slices"

// Rule is a way to settle and to learn.
type Rule struct {
	Name     string // in network files
	About    string // in a line
	Own      func() any
	Not      []string                // settings of the shared sections that it does not have
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
}

// Named is the rule of a name; nil: there is none.
func Named(name string) *Rule {
	if i := slices.IndexFunc(Rules, func(r Rule) bool { return r.Name == name }); i >= 0 {
		return &Rules[i]
	}
	return nil
}

// Names are those of all rules.
func Names() []string {
	var names []string
	for _, r := range Rules {
		names = append(names, r.Name)
	}
	return names
}
