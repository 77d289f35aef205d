package rule

// Stored lists the projections that have synapses of their own: all but mirrored ones, in the order in which
// checkpoints, files of weights and random numbers have them.
func (d *Description) Stored() []int {
	var list []int
	for i, p := range d.Projections {
		if p.Mirror < 0 {
			list = append(list, i)
		}
	}
	return list
}

// Synapses is the number of elements of all stored projections.
func (d *Description) Synapses() int {
	n := 0
	for _, at := range d.Stored() {
		n += d.Projections[at].Rows * d.Projections[at].Cols
	}
	return n
}

// SynapseWords is the number of words of all stored synapses: the weights and what is beside them.
func (d *Description) SynapseWords() int {
	n := 0
	for _, at := range d.Stored() {
		p := &d.Projections[at]
		n += p.Rows * p.Cols * (1 + len(p.Words))
	}
	return n
}

// SumOf is the name of the tensor of an update's sums over a mini-batch.
func (d *Description) SumOf(u *Update) string {
	index := d.Tensors[d.Projections[u.Projection].Tensor].Index
	for _, n := range u.Graph.Nodes {
		if at := d.Tensor(n.Name, index); n.Op == OpRound && at >= 0 && d.Tensors[at].Use == OfProducts {
			return d.Tensors[at].String()
		}
	}
	return ""
}
