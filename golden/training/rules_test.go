package training

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"corinfo/golden/goldentest"
	"corinfo/golden/rule"
)

// newRunOf is the start of a run of a rule.
func newRunOf(t *testing.T, name, arithmetic string) *Checkpoint {
	t.Helper()
	c, misfits, err := NewCheckpoint(goldentest.Of(name), arithmetic, 5)
	require.NoError(t, err)
	require.Empty(t, misfits)
	return c
}

// TestRulesResume: runs of every rule, in every arithmetic, that are interrupted and killed at random mini-batches continue to
// the same bits as without; TestResume does the same of more runs.
func TestRulesResume(t *testing.T) {
	rng := rand.New(rand.NewPCG(goldentest.Seed(t), 0))
	for _, r := range rule.Rules {
		for _, arithmetic := range []string{Float, Float32, Fixed} {
			t.Run(fmt.Sprint(r.Name, " ", arithmetic), func(t *testing.T) {
				whole, start := newRunOf(t, r.Name, arithmetic), newRunOf(t, r.Name, arithmetic)
				_, err := Train(t.Context(), whole, trainData(), TrainOptions{Dir: t.TempDir()})
				require.NoError(t, err)
				d := whole.Network.Describe()
				for i, tensor := range whole.Tensors {
					if !slices.ContainsFunc(d.Updates, func(u rule.Update) bool {
						name := d.Projections[u.Projection].Name
						return tensor.Name == name || strings.HasPrefix(tensor.Name, name+".")
					}) {
						require.Equal(t, start.Tensors[i], tensor, "%s stands still", tensor.Name)
						continue
					}
					if arithmetic == Fixed {
						require.NotEqual(t, start.Tensors[i].Words, tensor.Words, "%s did not learn", tensor.Name)
					} else {
						require.NotEqual(t, start.Tensors[i].Values, tensor.Values, "%s did not learn", tensor.Name)
					}
				}
				for range 2 {
					require.Equal(t, whole, interruptedRun(t, rng, newRunOf(t, r.Name, arithmetic)))
				}
			})
		}
	}
}

// TestRulesFiles: a rule's checkpoint holds its matrices by their names, and its table the columns that it has: no angles and
// information of rules that have none.
func TestRulesFiles(t *testing.T) {
	activity := "mean_r1,mean_r2,zero_r1,zero_r2,one_r1,one_r2,"
	for name, want := range map[string]struct{ matrices, columns string }{
		"corinfomax": {"W0 4 x 6, W1 5 x 4, F1 4 x 5, C1 4 x 4, C2 5 x 5",
			"angle_W1,information_r0,information_r1,information_W0,information_W1,information_F1," + activity + "rate_W0,rate_W1,rate_F1"},
		"ep":  {"W0 4 x 6, W1 5 x 4, b1 4 x 1, b2 5 x 1", activity + "rate_W0,rate_W1,rate_b1,rate_b2"},
		"csm": {"W0 4 x 6, W1 5 x 4, b1 4 x 1, b2 5 x 1, M1 4 x 4", activity + "rate_W0,rate_W1,rate_b1,rate_b2"},
		"pc": {"W0 4 x 6, W1 5 x 4, b1 4 x 1, b2 5 x 1, W0.m 4 x 6, W0.v 4 x 6, W1.m 5 x 4, W1.v 5 x 4, b1.m 4 x 1, b1.v 4 x 1, b2.m 5 x 1, b2.v 5 x 1",
			activity + "rate_W0,rate_W1,rate_b1,rate_b2"},
		"fa": {"W0 4 x 6, W1 5 x 4, b1 4 x 1, b2 5 x 1, B1 4 x 5, W0.m 4 x 6, W1.m 5 x 4, b1.m 4 x 1, b2.m 5 x 1",
			"angle_W1," + activity + "rate_W0,rate_W1,rate_b1,rate_b2"},
	} {
		for _, arithmetic := range []string{Float, Float32, Fixed} {
			dir, c := t.TempDir(), newRunOf(t, name, arithmetic)
			_, err := Train(t.Context(), c, trainData(), TrainOptions{Dir: dir})
			require.NoError(t, err)
			back, err := LoadCheckpoint(dir)
			require.NoError(t, err)
			require.Equal(t, c, back)
			var matrices []string
			for _, x := range back.Tensors {
				matrices = append(matrices, fmt.Sprintf("%s %d x %d", x.Name, x.Rows, x.Cols))
			}
			require.Equal(t, want.matrices, strings.Join(matrices, ", "))
			table, lines := metricsOf(t, dir)
			require.Equal(t, "epoch,samples,train_accuracy,test_accuracy,"+want.columns+",seconds,samples_per_second", strings.Join(table[0], ","))
			require.Len(t, lines, 4)
			for epoch, row := range table[2:] {
				for i, cell := range row[:len(row)-2] {
					require.NotEmpty(t, cell, "%s of epoch %d", table[0][i], epoch+1)
				}
			}
			require.Equal(t, name == "corinfomax" || name == "fa", len(lines[3].Angles) > 0)
			require.Equal(t, name == "corinfomax", len(lines[3].Information) > 0)
			require.Len(t, lines[3].Activity, 2)
		}
	}
}
