package training

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"math"
	"path/filepath"
	"strconv"
	"time"

	"corinfo/golden"
	"corinfo/golden/rule"
)

// Names of the files of metrics in a run's folder: a row per epoch, as a table and as one JSON object per line, which
// has the histograms of activity too.
const (
	MetricsTable = "metrics.csv"
	MetricsLines = "metrics.jsonl"
)

const maxMetricsFile = 1 << 28 // bytes; a row is some hundred

// EpochTime is how long an epoch took: all of it, and the learning alone. 0 is unknown.
type EpochTime struct {
	Whole            time.Duration // learning, testing and measuring, of an epoch that was not interrupted
	SamplesPerSecond float64       // of learning
}

// metricsRow is a line of MetricsLines. What is not known, or not in epoch 0, is null.
type metricsRow struct {
	Epoch         int      `json:"epoch"` // 0: before learning
	Samples       int      `json:"samples"`
	TrainAccuracy *float64 `json:"train_accuracy"`
	TestAccuracy  *float64 `json:"test_accuracy"`
	NetworkMetrics
	Rates            map[string]float64 `json:"rates"` // by matrix, in this epoch
	Seconds          *float64           `json:"seconds"`
	SamplesPerSecond *float64           `json:"samples_per_second"`
}

// metricsRows are the rows of a run, from epoch 0 on.
func (c *Checkpoint) metricsRows(times map[int]EpochTime) []metricsRow {
	d := c.Network.Describe()
	var rows []metricsRow
	if c.Start != nil {
		rows = append(rows, metricsRow{NetworkMetrics: *c.Start})
	}
	for i := range c.History {
		e := &c.History[i]
		row := metricsRow{Epoch: e.Epoch, Samples: e.Samples, TrainAccuracy: e.TrainAccuracy, TestAccuracy: &e.TestAccuracy,
			NetworkMetrics: e.NetworkMetrics, Rates: map[string]float64{}}
		for _, u := range d.Updates {
			if u.Rate != nil {
				row.Rates[d.Projections[u.Projection].Name] = u.Rate(rule.Moment{Epoch: e.Epoch - 1,
					Update: (e.Epoch - 1) * e.Samples / c.Network.Learning.Batch})
			}
		}
		known := func(v float64, digits float64) *float64 {
			if v <= 0 {
				return nil
			}
			v = math.Round(v*digits) / digits
			return &v
		}
		row.Seconds, row.SamplesPerSecond = known(times[e.Epoch].Whole.Seconds(), 1000), known(times[e.Epoch].SamplesPerSecond, 10)
		rows = append(rows, row)
	}
	return rows
}

// WriteMetrics writes both files of metrics into a run's folder, each whole or not at all: a row per epoch of the
// checkpoint. They are replaced, whatever they held.
func (c *Checkpoint) WriteMetrics(dir string, times map[int]EpochTime) error {
	rows := c.metricsRows(times)
	var lines, table bytes.Buffer
	encoder := json.NewEncoder(&lines)
	for _, row := range rows {
		if err := encoder.Encode(row); err != nil {
			return fmt.Errorf("%w: metrics of epoch %d: %w", golden.ErrDamaged, row.Epoch, err)
		}
	}
	if err := golden.WriteFile(filepath.Join(dir, MetricsLines), lines.Bytes()); err != nil {
		return err
	}
	w := csv.NewWriter(&table)
	columns := metricsColumns(c.Network.Describe())
	cells := make([]string, len(columns))
	for i, column := range columns {
		cells[i] = column.name
	}
	_ = w.Write(cells)
	for i := range rows {
		for j, column := range columns {
			cells[j] = column.cell(&rows[i])
		}
		_ = w.Write(cells)
	}
	w.Flush()
	return golden.WriteFile(filepath.Join(dir, MetricsTable), table.Bytes())
}

// metricsColumn is a column of MetricsTable; cells of what is not known are empty.
type metricsColumn struct {
	name string
	cell func(r *metricsRow) string
}

func metricsColumns(d *rule.Description) []metricsColumn {
	number := func(v float64) string { return strconv.FormatFloat(v, 'g', -1, 64) }
	maybe := func(v *float64) string {
		if v == nil {
			return ""
		}
		return number(*v)
	}
	columns := []metricsColumn{
		{"epoch", func(r *metricsRow) string { return strconv.Itoa(r.Epoch) }},
		{"samples", func(r *metricsRow) string { return strconv.Itoa(r.Samples) }},
		{"train_accuracy", func(r *metricsRow) string { return maybe(r.TrainAccuracy) }},
		{"test_accuracy", func(r *metricsRow) string { return maybe(r.TestAccuracy) }},
	}
	add := func(name string, value func(r *metricsRow) *float64) {
		columns = append(columns, metricsColumn{name, func(r *metricsRow) string { return maybe(value(r)) }})
	}
	K := len(d.Layers) - 1
	for _, pair := range d.Opposed {
		p := d.Projections[pair[0]]
		layer := d.Words[p.From].Layer
		add("angle_"+p.Name, func(r *metricsRow) *float64 {
			for i := range r.Angles {
				if r.Angles[i].Layer == layer {
					return &r.Angles[i].Degrees
				}
			}
			return nil
		})
	}
	if i := d.Information; i != nil {
		information := func(name string, k int, value func(i *Information) *float64) {
			add("information_"+name, func(r *metricsRow) *float64 {
				if k >= len(r.Information) {
					return nil
				}
				return value(&r.Information[k])
			})
		}
		for k := range K { // of this layer and the next
			information(fmt.Sprint("r", k), k, func(i *Information) *float64 { return &i.Nats })
		}
		for k := range K {
			information(d.Projections[i.Forward[k]].Name, k, func(i *Information) *float64 { return &i.Forward })
		}
		for k := range K {
			if i.Backward[k] >= 0 {
				information(d.Projections[i.Backward[k]].Name, k, func(i *Information) *float64 { return i.Backward })
			}
		}
	}
	for _, figure := range []struct {
		name  string
		value func(a *Activity) *float64
	}{
		{"mean_r", func(a *Activity) *float64 { return &a.Mean }},
		{"zero_r", func(a *Activity) *float64 { return &a.Zero }},
		{"one_r", func(a *Activity) *float64 { return &a.One }},
	} {
		for k := 1; k <= K; k++ {
			add(fmt.Sprint(figure.name, k), func(r *metricsRow) *float64 {
				for i := range r.Activity {
					if r.Activity[i].Layer == k {
						return figure.value(&r.Activity[i])
					}
				}
				return nil
			})
		}
	}
	rate := func(matrix string) {
		add("rate_"+matrix, func(r *metricsRow) *float64 {
			if v, ok := r.Rates[matrix]; ok {
				return &v
			}
			return nil
		})
	}
	for _, u := range d.Updates {
		if u.Rate != nil {
			rate(d.Projections[u.Projection].Name)
		}
	}
	add("seconds", func(r *metricsRow) *float64 { return r.Seconds })
	add("samples_per_second", func(r *metricsRow) *float64 { return r.SamplesPerSecond })
	return columns
}

// ReadTimes reads the times of a run's epochs back from its MetricsLines; an epoch whose times are not there is not
// in the map. A file that is missing or not what WriteMetrics wrote is an error, and nothing is taken from it.
func ReadTimes(dir string) (map[int]EpochTime, error) {
	path := filepath.Join(dir, MetricsLines)
	text, err := golden.ReadFile(path, maxMetricsFile)
	if err != nil {
		return nil, err
	}
	times := map[int]EpochTime{}
	for i, line := range bytes.Split(bytes.TrimSuffix(text, []byte("\n")), []byte("\n")) {
		var row metricsRow
		if err := json.Unmarshal(line, &row); err != nil {
			return nil, fmt.Errorf("%w: %s:%d: %w", golden.ErrDamaged, path, i+1, err)
		}
		var t EpochTime
		if s := row.Seconds; s != nil && *s >= 0 && *s < 1e9 { // which a Duration holds
			t.Whole = time.Duration(*s * float64(time.Second))
		}
		if s := row.SamplesPerSecond; s != nil && *s >= 0 {
			t.SamplesPerSecond = *s
		}
		times[row.Epoch] = t
	}
	return times, nil
}
