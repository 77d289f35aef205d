package design

import (
	"slices"

	"corinfo/golden"
	"corinfo/golden/rule"
)

// Entry is a word of the design's own schedule: from a mini-batch on, counted from 0 over the whole training, an update has these
// constants.
type Entry struct {
	Number    uint32
	Update    int // of the plan
	Constants []int64
}

// MaxEntries is the longest schedule.
const MaxEntries = 1 << 16

// samplesOf are the training samples of data sets that are the same everywhere.
var samplesOf = map[string]int{"mnist": 60_000, "fashion": 60_000, "cifar10": 50_000}

// HasSchedule tells whether the design writes the constants of mini-batches and draws the signs of beta itself.
func (p *Plan) HasSchedule() bool { return p.Network.Hardware.Schedule && p.Learns() }

// constantsAt are the constants of an update of the plan for a mini-batch, in the order of its formula: those that `corinfo train`
// has for it in epochs of hardware.epoch_samples.
func (p *Plan) constantsAt(update int, number uint32) (words []int64) {
	m := rule.Moment{Epoch: int(number) / p.batches(), Update: int(number)}
	f := &p.A.Updates[p.Updates[update].Update]
	for _, o := range f.Operands {
		if o.Source == rule.FromConstant {
			words = append(words, p.A.Constant(&f.Formula, o.Name, m))
		}
	}
	return words
}

// batches are the mini-batches of an epoch; 0: it is not known how many.
func (p *Plan) batches() int {
	samples := p.Network.Hardware.EpochSamples
	if samples == 0 {
		samples = samplesOf[p.Network.Dataset.Name]
	}
	return samples / p.Network.Learning.Batch
}

// entries are the constants of all mini-batches of a training: those of the first one, then where they change.
func (p *Plan) entries() (list []Entry, err error) {
	n := p.Network
	batches, every := p.batches(), false
	if batches == 0 {
		return nil, golden.Usagef("hardware.schedule: no mini-batch of %d in an epoch of %d samples of %s: "+
			"say how many training samples it has in hardware.epoch_samples", n.Learning.Batch, n.Hardware.EpochSamples, n.Dataset.Name)
	}
	if len(p.Updates) > 256 {
		return nil, golden.Usagef("hardware.schedule: %d updates; an entry names one of 256", len(p.Updates))
	}
	for _, u := range p.Updates {
		g := p.D.Updates[u.Update].Graph
		for _, o := range p.A.Updates[u.Update].Operands {
			every = every || o.Source == rule.FromConstant && g.Setting(o.Name).Scheduled
		}
	}
	step := batches
	if every {
		step = 1
	}
	last := make([][]int64, len(p.Updates))
	for number := 0; number < n.Learning.Epochs*batches; number += step {
		for i := range p.Updates {
			if words := p.constantsAt(i, uint32(number)); number == 0 || !slices.Equal(words, last[i]) {
				list = append(list, Entry{uint32(number), i, words})
				last[i] = words
			}
		}
		if len(list) > MaxEntries {
			return nil, golden.Usagef("hardware.schedule: the constants of updates change more than %d times in %d epochs of %d mini-batches, "+
				"by mini-batch %d: shorten learning.epochs, let rates fall by epochs (learning.decay.batches: 0), give the constants "+
				"shorter types, or leave hardware.schedule out: the host writes them then", MaxEntries, n.Learning.Epochs, batches, number)
		}
	}
	return list, nil
}

// scheduleWords are those of the schedule's memory: at least two.
func (p *Plan) scheduleWords() int {
	if len(p.Entries) == 0 {
		return 0
	}
	return max(2, len(p.Entries))
}
