package sim

import (
	"maps"
	"slices"
	"strconv"

	fx "corinfo/fixedpoint"
	"corinfo/golden/calibrate"
	"corinfo/golden/goldentest"
	"corinfo/golden/rule"
	"corinfo/hdlgen"
)

// reduce makes a failing case smaller, step by step, as long as it fails, until no step of any move keeps the failure. fails
// is asked once for a case, and for no case that the model or the generator of designs refuses.
func reduce(c *randomCase, fails func(c *randomCase) bool) *randomCase {
	tried := map[string]bool{string(c.file()): true}
	step := func(move func(c *randomCase) []*randomCase) bool {
		for _, smaller := range move(c) {
			key := string(smaller.file())
			if tried[key] {
				continue
			}
			tried[key] = true
			if _, _, err := smaller.arithmetic(); err == nil && fails(smaller) {
				c = smaller
				return true
			}
		}
		return false
	}
	for again := true; again; {
		again = false
		for _, move := range reductions {
			for step(move) {
				again = true
			}
		}
	}
	return c
}

// reductions give the cases that are smaller in one matter, the smallest first, or the same. What takes the most time goes first.
var reductions = []func(c *randomCase) []*randomCase{reduceAtOnce, reduceLayers, reduceCounts, reduceFormats, reduceRules, reduceNumbers}

// edited is a copy of a case with a change.
func (c *randomCase) edited(change func(c *randomCase)) []*randomCase {
	other := c.clone()
	change(other)
	return []*randomCase{other}
}

// fewer sets a number to smaller ones, down to the least.
func (c *randomCase) fewer(least int, field func(c *randomCase) *int) (list []*randomCase) {
	now := *field(c)
	for _, n := range slices.Compact([]int{least, (least + now) / 2, now - 1}) {
		if n >= least && n < now {
			list = append(list, c.edited(func(c *randomCase) { *field(c) = n })...)
		}
	}
	return list
}

// plain sets a setting to its plainest value.
func plain[T comparable](c *randomCase, want T, field func(c *randomCase) *T) []*randomCase {
	if *field(c) == want {
		return nil
	}
	return c.edited(func(c *randomCase) { *field(c) = want })
}

// reduceLayers leaves a layer out, with the synapses between it and the one above, or the one below for the output.
func reduceLayers(c *randomCase) (list []*randomCase) {
	if c.network.K() == 1 {
		return nil
	}
	for out := range c.network.Layers {
		list = append(list, c.edited(func(c *randomCase) {
			n := c.network
			K := n.K()
			n.Layers = slices.Delete(n.Layers, out, out+1)
			w, f := min(out, K-1), max(1, min(out, K-1))
			n.Learning.Feedforward = slices.Delete(n.Learning.Feedforward, w, w+1)
			n.Learning.Feedback = slices.Delete(n.Learning.Feedback, f-1, f)
			gone := map[string]int{"W": w, "dW": w, "F": f, "dF": f}
			formats := map[string]fx.Type{}
			for key, t := range n.Formats {
				kind := kindOf(key)
				index, err := strconv.Atoi(key[len(kind):])
				without, synapses := gone[kind]
				if !synapses {
					without = max(out, 1)
				}
				switch {
				case err != nil || index < without:
					formats[key] = t
				case index > without:
					formats[kind+strconv.Itoa(index-1)] = t
				}
			}
			n.Formats = formats
			sparse := rule.Sparse{}
			for i, k := range goldentest.CorInfoMax(n).Sparse.Layers {
				if k == max(out, 1) {
					continue
				}
				if k > out {
					k--
				}
				sparse.Layers, sparse.Nu = append(sparse.Layers, k), append(sparse.Nu, goldentest.CorInfoMax(n).Sparse.Nu[i])
			}
			goldentest.CorInfoMax(n).Sparse = sparse
			c.forget()
		})...)
	}
	return list
}

// count is a number of a case with its least value.
type count struct {
	least int
	field func(c *randomCase) *int
}

// counts are the numbers that say how large a case is.
func (c *randomCase) counts() (list []count) {
	for k := range c.network.Layers {
		list = append(list, count{1, func(c *randomCase) *int { return &c.network.Layers[k] }})
	}
	none := 0
	if c.Inference == 0 || c.Learning == 0 {
		none = 1 // a run has a sample
	}
	return append(list,
		count{none, func(c *randomCase) *int { return &c.Learning }},
		count{none, func(c *randomCase) *int { return &c.Inference }},
		count{1, func(c *randomCase) *int { return &c.network.Learning.Batch }},
		count{1, func(c *randomCase) *int { return &c.network.Hardware.Lanes }},
		count{1, func(c *randomCase) *int { return &c.network.Hardware.Contexts }},
		count{0, func(c *randomCase) *int { return &c.Target.WireCycles }},
		count{1, func(c *randomCase) *int { return &c.network.Settling.FreeIterations }},
		count{1, func(c *randomCase) *int { return &c.network.Settling.NudgedIterations }})
}

// reduceAtOnce brings all counts to 1, or halves them: large cases take long.
func reduceAtOnce(c *randomCase) []*randomCase {
	all := func(to func(n int) int) []*randomCase {
		return c.edited(func(c *randomCase) {
			for _, x := range c.counts() {
				n := x.field(c)
				*n = min(*n, to(*n))
			}
		})
	}
	return slices.Concat(all(func(int) int { return 1 }), all(func(n int) int { return (n + 1) / 2 }))
}

// reduceCounts lessens one count.
func reduceCounts(c *randomCase) (list []*randomCase) {
	for _, x := range c.counts() {
		list = append(list, c.fewer(x.least, x.field)...)
	}
	return list
}

// reduceFormats sets types to their defaults: all, those of states and potentials, which must hold the states, together, then
// tensor by tensor, whole, or its format, rounding or overflow alone.
func reduceFormats(c *randomCase) (list []*randomCase) {
	keys := slices.Sorted(maps.Keys(c.network.Formats))
	if len(keys) == 0 {
		return nil
	}
	list = c.edited(func(c *randomCase) { clear(c.network.Formats) })
	defaults := *c.network
	defaults.Formats = nil
	types := calibrate.Types(defaults.Describe(), nil)
	usual := func(key string) fx.Type {
		if t, ok := types[key]; ok {
			return t
		}
		for name, t := range types { // one default for all layers
			if kindOf(name) == key {
				return t
			}
		}
		return fx.Type{}
	}
	set := func(keys []string, to func(t, usual fx.Type) fx.Type) {
		list = append(list, c.edited(func(c *randomCase) {
			for _, key := range keys {
				c.network.Formats[key] = to(c.network.Formats[key], usual(key))
			}
		})...)
	}
	format := func(t, usual fx.Type) fx.Type { t.Format = usual.Format; return t }
	var states []string
	for _, key := range keys {
		list = append(list, c.edited(func(c *randomCase) { delete(c.network.Formats, key) })...)
		if kind := kindOf(key); kind == "r" || kind == "u" {
			states = append(states, key)
		}
	}
	set(states, format)
	for _, key := range keys {
		set([]string{key}, format)
		set([]string{key}, func(t, usual fx.Type) fx.Type { t.Rounding = usual.Rounding; return t })
		set([]string{key}, func(t, usual fx.Type) fx.Type { t.Overflow = usual.Overflow; return t })
	}
	return list
}

// forget drops the formats of tensors that the network does not have any more.
func (c *randomCase) forget() {
	types := calibrate.Types(c.network.Describe(), nil)
	maps.DeleteFunc(c.network.Formats, func(key string, _ fx.Type) bool {
		for name := range types {
			if name == key || kindOf(name) == key {
				return false
			}
		}
		return true
	})
}

// reduceSparse makes sparse layers antisparse, all at once or one.
func reduceSparse(c *randomCase) (list []*randomCase) {
	if len(goldentest.CorInfoMax(c.network).Sparse.Layers) == 0 {
		return nil
	}
	list = c.edited(func(c *randomCase) {
		goldentest.CorInfoMax(c.network).Sparse = rule.Sparse{}
		c.forget()
	})
	for i := range goldentest.CorInfoMax(c.network).Sparse.Layers {
		list = append(list, c.edited(func(c *randomCase) {
			s := &goldentest.CorInfoMax(c.network).Sparse
			s.Layers, s.Nu = slices.Delete(s.Layers, i, i+1), slices.Delete(s.Nu, i, i+1)
			c.forget()
		})...)
	}
	return list
}

func reduceRules(c *randomCase) []*randomCase {
	return slices.Concat(
		reduceSparse(c),
		plain(c, rule.WithFree, func(c *randomCase) *string { return &c.network.Learning.Contrast }),
		plain(c, false, func(c *randomCase) *bool { return &c.network.Settling.EarlyEnd }),
		plain(c, "events", func(c *randomCase) *string { return &c.network.Hardware.Mode }),
		plain(c, rule.StepSize{Rule: "constant", Start: 0.5}, func(c *randomCase) *rule.StepSize { return &c.network.Settling.Step }),
		plain(c, "constant", func(c *randomCase) *string { return &c.network.Settling.Step.Rule }),
		plain(c, shallowTarget, func(c *randomCase) *hdlgen.Target { return &c.Target }),
		plain(c, shallowTarget.ReadCycles, func(c *randomCase) *int { return &c.Target.ReadCycles }),
		plain(c, shallowTarget.FactorCycles, func(c *randomCase) *int { return &c.Target.FactorCycles }),
		plain(c, shallowTarget.RoundBits, func(c *randomCase) *int { return &c.Target.RoundBits }),
		plain(c, shallowTarget.RingCycles, func(c *randomCase) *int { return &c.Target.RingCycles }),
		plain(c, 0, func(c *randomCase) *int { return &c.Stall }),
		plain(c, 0, func(c *randomCase) *int { return &c.Reset }),
		plain(c, false, func(c *randomCase) *bool { return &c.Wild }),
		plain(c, 0, func(c *randomCase) *int { return &c.Zeros }))
}

func reduceNumbers(c *randomCase) (list []*randomCase) {
	list = slices.Concat(
		plain(c, 1, func(c *randomCase) *float64 { return &goldentest.CorInfoMax(c.network).Epsilon }),
		plain(c, 0.5, func(c *randomCase) *float64 { return &goldentest.CorInfoMax(c.network).Lambda }),
		plain(c, 0, func(c *randomCase) *float64 { return &goldentest.CorInfoMax(c.network).Leak }),
		plain(c, 1, func(c *randomCase) *float64 { return &c.network.Learning.Beta }),
		plain(c, 1, func(c *randomCase) *uint32 { return &c.network.Seed }),
		plain(c, 1, func(c *randomCase) *uint64 { return &c.Seed }))
	for k := range c.network.Learning.Feedforward {
		list = append(list, plain(c, 1, func(c *randomCase) *float64 { return &c.network.Learning.Feedforward[k] })...)
	}
	for k := range c.network.Learning.Feedback {
		list = append(list, plain(c, 1, func(c *randomCase) *float64 { return &c.network.Learning.Feedback[k] })...)
	}
	return list
}
