package hdlgen

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// Where files cannot have two names they are copied.
func TestForeignFileIsCopied(t *testing.T) {
	from, to := filepath.Join(t.TempDir(), "from"), filepath.Join(t.TempDir(), "to")
	require.NoError(t, os.WriteFile(from, []byte("text"), 0o640))
	info, err := os.Lstat(from)
	require.NoError(t, err)
	require.NoError(t, copyFile(from, to, info))
	text, err := os.ReadFile(to)
	require.NoError(t, err)
	require.Equal(t, "text", string(text))
	copied, err := os.Lstat(to)
	require.NoError(t, err)
	require.Equal(t, info.Mode(), copied.Mode())
	require.True(t, info.ModTime().Equal(copied.ModTime()))
}
