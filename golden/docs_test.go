package golden_test

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"corinfo/golden/rule"
)

// documents are the texts of the project's pages by their path from its root.
func documents(t *testing.T) map[string]string {
	t.Helper()
	pages := map[string]string{}
	for _, pattern := range []string{"*.md", "docs/*.md"} {
		files, err := filepath.Glob(filepath.Join("..", pattern))
		require.NoError(t, err)
		for _, file := range files {
			text, err := os.ReadFile(file)
			require.NoError(t, err)
			pages[strings.TrimPrefix(filepath.ToSlash(file), "../")] = string(text)
		}
	}
	require.Greater(t, len(pages), 10)
	return pages
}

var notInAnchor = regexp.MustCompile(`[^a-z0-9 _-]`)

// anchors are the names by which links find the headings of a page.
func anchors(page string) (list []string) {
	for _, line := range strings.Split(page, "\n") {
		if heading := strings.TrimLeft(line, "#"); heading != line && strings.HasPrefix(heading, " ") {
			list = append(list, strings.ReplaceAll(notInAnchor.ReplaceAllString(strings.ToLower(strings.TrimSpace(heading)), ""), " ", "-"))
		}
	}
	return list
}

// TestDocumentLinks: what a page links to within the project is there, its headings included.
func TestDocumentLinks(t *testing.T) {
	link := regexp.MustCompile(`\]\(([^()\s]+)\)`)
	code := regexp.MustCompile("(?m)^    .*$|`[^`]*`")
	pages := documents(t)
	links := 0
	for path, text := range pages {
		for _, match := range link.FindAllStringSubmatch(code.ReplaceAllString(text, ""), -1) {
			target, anchor, _ := strings.Cut(match[1], "#")
			if strings.Contains(target, "://") {
				continue
			}
			links++
			to := path
			if target != "" {
				to = filepath.ToSlash(filepath.Join(filepath.Dir(path), target))
				if _, err := os.Stat(filepath.Join("..", to)); err != nil {
					t.Errorf("%s links to %s, which is not there", path, match[1])
					continue
				}
			}
			if anchor != "" && !slices.Contains(anchors(pages[to]), anchor) {
				t.Errorf("%s links to %s, which has no such heading", path, match[1])
			}
		}
	}
	require.Greater(t, links, 50)
}

// TestDocumentPaths: the files and folders of the project that a page names between backticks are there.
func TestDocumentPaths(t *testing.T) {
	name := regexp.MustCompile("`((?:fixedpoint|golden|hdlgen|rtl|sim|cmd|constraints|testbench|docs)(?:/[A-Za-z0-9_.*-]+)*)`")
	names := 0
	for path, text := range documents(t) {
		for _, match := range name.FindAllStringSubmatch(text, -1) {
			names++
			found, err := filepath.Glob(filepath.Join("..", match[1]))
			require.NoError(t, err)
			if len(found) == 0 {
				t.Errorf("%s names %s, which is not there", path, match[1])
			}
		}
	}
	require.Greater(t, names, 30)
}

// TestArithmeticPage: the tables of docs/ARITHMETIC.md have every tensor of every rule, and no other.
func TestArithmeticPage(t *testing.T) {
	sections := map[string]string{}
	title := ""
	for _, line := range strings.Split(documents(t)["docs/ARITHMETIC.md"], "\n") {
		if heading, ok := strings.CutPrefix(line, "## "); ok {
			title = heading
		}
		sections[title] += line + "\n"
	}
	row := regexp.MustCompile(`(?m)^\| ([A-Za-z][A-Za-z_, ]*) \|[^|\n]*\| [^|\n]+ \|$`)
	tensors := func(section string) (kinds []string) {
		require.Contains(t, sections, section)
		for _, match := range row.FindAllStringSubmatch(sections[section], -1) {
			for _, name := range strings.Split(match[1], ", ") {
				if name != "tensor" { // the head of a table
					kinds = append(kinds, strings.TrimSuffix(name, "_k"))
				}
			}
		}
		return kinds
	}
	titles := map[string]string{"corinfomax": "CorInfoMax", "ep": "Equilibrium propagation", "csm": "Contrastive similarity matching"}
	for _, r := range rule.Rules {
		t.Run(r.Name, func(t *testing.T) {
			page := append(tensors("Types"), tensors(titles[r.Name])...)
			own := r.Own()
			switch own := own.(type) {
			case *rule.CorInfoMax:
				own.Epsilon, own.Lambda, own.Sparse = 0.15, 0.9, rule.Sparse{Layers: []int{1, 2}, Nu: []float64{0.1, 0.1}}
			case *rule.CSM:
				own.Lateral = []float64{-0.1}
			}
			d := r.Describe(&rule.Settings{Layers: []int{4, 3, 2}, Own: own, Settling: rule.Settling{FreeIterations: 2, NudgedIterations: 1, Step: rule.StepSize{Start: 0.5}},
				Learning: rule.Learning{Batch: 2, Beta: 1, Contrast: rule.WithFree, Feedforward: []float64{1, 1}, Feedback: []float64{1}}})
			var kinds []string
			for _, tensor := range d.Tensors {
				unit := tensor.Use == rule.OfConstant && tensor.Kind == "one"
				if !unit && !slices.Contains(kinds, tensor.Kind) {
					kinds = append(kinds, tensor.Kind)
				}
			}
			require.ElementsMatch(t, kinds, page)

			// The order of the matrices is that in which they are drawn and learn.
			var order []string
			for _, at := range d.Stored() {
				tensor := d.Tensors[d.Projections[at].Tensor]
				if name := tensor.Kind + "_" + tensor.String()[len(tensor.Kind):] + ".."; len(order) == 0 || order[len(order)-1][:1] != name[:1] {
					order = append(order, name)
				}
			}
			require.Contains(t, sections[titles[r.Name]], "n the order "+strings.Join(order, ", "))
		})
	}
}
