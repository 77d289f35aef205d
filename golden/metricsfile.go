package golden

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"math"
	"path/filepath"
	"strconv"
	"time"
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
	var rows []metricsRow
	if c.Start != nil {
		rows = append(rows, metricsRow{NetworkMetrics: *c.Start})
	}
	for i := range c.History {
		e := &c.History[i]
		row := metricsRow{Epoch: e.Epoch, Samples: e.Samples, TrainAccuracy: e.TrainAccuracy, TestAccuracy: &e.TestAccuracy,
			NetworkMetrics: e.NetworkMetrics, Rates: map[string]float64{}}
		ff, fb := c.Network.LearningRate(e.Epoch - 1)
		for k, rate := range ff {
			row.Rates[tensorName("W", k)] = rate
		}
		for k, rate := range fb {
			row.Rates[tensorName("F", k+1)] = rate
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
			return fmt.Errorf("%w: metrics of epoch %d: %w", ErrDamaged, row.Epoch, err)
		}
	}
	if err := WriteFile(filepath.Join(dir, MetricsLines), lines.Bytes()); err != nil {
		return err
	}
	w := csv.NewWriter(&table)
	columns := metricsColumns(c.Network)
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
	return WriteFile(filepath.Join(dir, MetricsTable), table.Bytes())
}

// metricsColumn is a column of MetricsTable; cells of what is not known are empty.
type metricsColumn struct {
	name string
	cell func(r *metricsRow) string
}

func metricsColumns(n *Network) []metricsColumn {
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
	K := n.K()
	for k := 1; k < K; k++ {
		add(tensorName("angle_W", k), func(r *metricsRow) *float64 {
			for i := range r.Angles {
				if r.Angles[i].Layer == k {
					return &r.Angles[i].Degrees
				}
			}
			return nil
		})
	}
	for _, x := range []struct {
		name  string
		first int
		value func(i *Information) *float64
	}{
		{"information_r", 0, func(i *Information) *float64 { return &i.Nats }}, // of this layer and the next
		{"information_W", 0, func(i *Information) *float64 { return &i.Forward }},
		{"information_F", 1, func(i *Information) *float64 { return i.Backward }},
	} {
		for k := x.first; k < K; k++ {
			add(tensorName(x.name, k), func(r *metricsRow) *float64 {
				if k >= len(r.Information) {
					return nil
				}
				return x.value(&r.Information[k])
			})
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
			add(tensorName(figure.name, k), func(r *metricsRow) *float64 {
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
	for k := range K {
		rate(tensorName("W", k))
	}
	for k := 1; k < K; k++ {
		rate(tensorName("F", k))
	}
	add("seconds", func(r *metricsRow) *float64 { return r.Seconds })
	add("samples_per_second", func(r *metricsRow) *float64 { return r.SamplesPerSecond })
	return columns
}

// ReadTimes reads the times of a run's epochs back from its MetricsLines; an epoch whose times are not there is not
// in the map. A file that is missing or not what WriteMetrics wrote is an error, and nothing is taken from it.
func ReadTimes(dir string) (map[int]EpochTime, error) {
	path := filepath.Join(dir, MetricsLines)
	text, err := ReadFile(path, maxMetricsFile)
	if err != nil {
		return nil, err
	}
	times := map[int]EpochTime{}
	for i, line := range bytes.Split(bytes.TrimSuffix(text, []byte("\n")), []byte("\n")) {
		var row metricsRow
		if err := json.Unmarshal(line, &row); err != nil {
			return nil, fmt.Errorf("%w: %s:%d: %w", ErrDamaged, path, i+1, err)
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
