package dataset

// Source names the samples, and says what their pixels stand for.
type Source struct {
	Name      string    `yaml:"name" doc:"mnist, fashion, cifar10 (binary files), images (a folder per class) or idx"`
	Path      string    `yaml:"path" doc:"folder of the files; left out: where the data set is usually installed"`
	Normalize Normalize `yaml:"normalize"`
}

// Normalize makes an input (pixel / 255 - mean) / deviation, by the colour plane of its pixel: planes follow one another in
// a sample. The zero value: inputs are pixel / 255.
type Normalize struct {
	Mean      []float64 `yaml:"mean" doc:"inputs are (pixel / 255 - mean) / deviation, with one of each per colour plane; left out: pixel / 255"`
	Deviation []float64 `yaml:"deviation" doc:"above 0"`
}

// Inputs are what the values 0..255 of a pixel stand for, by colour plane.
func (n Normalize) Inputs() [][256]float64 {
	planes := max(1, len(n.Mean))
	tables := make([][256]float64, planes)
	for plane := range tables {
		for p := range tables[plane] {
			v := float64(p) / 255
			if len(n.Mean) > 0 {
				v = (v - n.Mean[plane]) / n.Deviation[plane]
			}
			tables[plane][p] = v
		}
	}
	return tables
}

// Range are the smallest and the largest input.
func (n Normalize) Range() (low, high float64) {
	tables := n.Inputs()
	low, high = tables[0][0], tables[0][255]
	for _, t := range tables {
		low, high = min(low, t[0]), max(high, t[255])
	}
	return low, high
}
