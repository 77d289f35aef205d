package study

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/riverqueue/river/riverdriver"
	"github.com/riverqueue/river/riverdriver/riverdatabasesql"
	"github.com/riverqueue/river/riverdriver/riversqlite"
	"github.com/riverqueue/river/rivermigrate"
	"modernc.org/sqlite" // and the driver sqlite
	sqlite3 "modernc.org/sqlite/lib"

	"corinfo/golden"
)

// DatabaseFile is the SQLite file in a study's folder.
const DatabaseFile = "study.db"

// ErrAlarm marks a result that arrived twice and was not the same: one of the two machines computes wrongly.
var ErrAlarm = errors.New("alarm: the same trial has given two results")

// store is the database of a study: River's queue of trials, and beside it the table of results, which is the only truth.
// SQLite and PostgreSQL are used through database/sql alike.
type store struct {
	db     *sql.DB
	driver riverdriver.Driver[*sql.Tx]
}

// schema is understood by both databases; SQLite takes any name for a type.
var schema = []string{
	// checksum is that of key, trial and result; a run has its own.
	`CREATE TABLE IF NOT EXISTS corinfo_trial (key text PRIMARY KEY, trial text NOT NULL, result text NOT NULL, checksum text NOT NULL, run bytea)`,
	// beat is a number that a worker counts up as long as it lives. No clock is compared with another.
	`CREATE TABLE IF NOT EXISTS corinfo_worker (id text PRIMARY KEY, beat bigint NOT NULL)`,
}

// openStore opens a database by its address, postgres://..., or with an empty one the SQLite file in a folder.
func openStore(ctx context.Context, address, folder string) (*store, error) {
	s := &store{}
	var err error
	switch {
	case address == "":
		// Writers of other processes are waited for. A transaction takes its lock at its start: one that had read first could not wait.
		// FULL: a result that is told to be stored survives a loss of power.
		options := "?_txlock=immediate&_pragma=busy_timeout(60000)&_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)"
		if s.db, err = sql.Open("sqlite", "file:"+(&url.URL{Path: filepath.Join(folder,
			DatabaseFile)}).EscapedPath()+options+testOptions); err != nil {
			return nil, err
		}
		s.db.SetMaxOpenConns(1) // SQLite has one writer; River asks for this
		s.driver = riversqlite.New(s.db)
	case strings.HasPrefix(address, "postgres://"), strings.HasPrefix(address, "postgresql://"):
		// A password with a slash that is not coded ends the host: the driver would name the rest as a database.
		if u, err := url.Parse(address); err == nil && strings.Contains(u.Path, "@") {
			return nil, unreadable(address, err)
		}
		config, err := pgx.ParseConfig(address)
		if err != nil {
			return nil, unreadable(address, err)
		}
		s.db = stdlib.OpenDB(*config)
		s.db.SetMaxOpenConns(8)
		s.driver = riverdatabasesql.New(s.db)
	default:
		return nil, usagef("database %s; want postgres://USER@HOST/NAME, or none for a file in the study's folder", redacted(address))
	}
	if err := s.migrate(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("database: %w", err), s.db.Close())
	}
	return s, nil
}

// redacted is what a message may show of an address: its scheme. Whatever follows it may be, or be taken for, a part of a
// password.
func redacted(address string) string {
	if scheme, _, ok := strings.Cut(address, "://"); ok && addressScheme.MatchString(scheme) {
		return scheme + "://..."
	}
	return "without a scheme"
}

var addressScheme = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9+.-]{0,15}$`)

// unreadable is the error of an address that the driver refuses. The driver's own text may hold parts of the address; the
// name of a file that is not there, of a certificate, is told.
func unreadable(address string, err error) error {
	detail := "it cannot be read; want postgres://USER:PASSWORD@HOST:PORT/NAME, with % codes for special characters of the password"
	if file := (*fs.PathError)(nil); errors.As(err, &file) {
		detail = file.Error()
	}
	return usagef("database %s: %s", redacted(address), detail)
}

// testOptions are further options of SQLite's connections.
var testOptions string

// migrate makes the tables. Workers that start at the same time may stand in each other's way: the later ones try again.
func (s *store) migrate(ctx context.Context) error {
	migrator, err := rivermigrate.New(s.driver, &rivermigrate.Config{Logger: quiet})
	if err != nil {
		return err
	}
	return insist(ctx, 10*time.Second, nil, func() error {
		if _, err := migrator.Migrate(ctx, rivermigrate.DirectionUp, nil); err != nil {
			return broken(err)
		}
		for _, statement := range schema {
			if _, err := s.db.ExecContext(ctx, statement); err != nil {
				return broken(err)
			}
		}
		return nil
	})
}

// broken is an error of a database, ErrDamaged where SQLite says that its file is none or none any more: trying again does not help.
func broken(err error) error {
	if e := (*sqlite.Error)(nil); errors.As(err, &e) && slices.Contains([]int{sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}, e.Code()&0xff) {
		return damaged("%w", err)
	}
	return err
}

func (s *store) close() error { return s.db.Close() }

// insist tries until it succeeds, ctx is done or time is up, and then gives the last error; waiting, which may be nil, hears
// of the first.
func insist(ctx context.Context, limit time.Duration, waiting func(error), try func() error) error {
	pause, end := 50*time.Millisecond, time.Now().Add(limit)
	for first := true; ; first = false {
		err := try()
		if err == nil || errors.Is(err, ErrAlarm) || errors.Is(err, golden.ErrDamaged) || ctx.Err() != nil || time.Now().After(end) {
			return err
		}
		if first && waiting != nil {
			waiting(err)
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(pause):
		}
		pause = min(2*pause, 5*time.Second)
	}
}

// put stores a result in a transaction; the same again is nothing new, another one ErrAlarm.
func put(ctx context.Context, tx *sql.Tx, key string, t *Trial, r *Result, run []byte) error {
	result, err := json.Marshal(r)
	if err != nil {
		return fmt.Errorf("%w: result: %w", golden.ErrDamaged, err)
	}
	trial, err := json.Marshal(t)
	if err != nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, `INSERT INTO corinfo_trial (key, trial, result, checksum, run) VALUES ($1, $2, $3, $4, $5) ON CONFLICT (key) DO NOTHING`,
		key, string(trial), string(result), checksum(key, string(trial), string(result)), run); err != nil {
		return err
	}
	stored, err := get(ctx, tx, key)
	if err != nil {
		return err
	}
	if stored != string(result) {
		return fmt.Errorf("%w: %s: first\n  %s\nnow\n  %s\nfind the machine that computes wrongly, and start the study in another database", ErrAlarm, key, stored, result)
	}
	return nil
}

// querier is a database or a transaction.
type querier interface {
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

// get is the text of a result that is stored, and ErrDamaged if it is not what was put there.
func get(ctx context.Context, from querier, key string) (string, error) {
	var trial, result, sum string
	if err := from.QueryRowContext(ctx, `SELECT trial, result, checksum FROM corinfo_trial WHERE key = $1`, key).Scan(&trial,
		&result, &sum); err != nil {
		return "", err
	}
	if checksum(key, trial, result) != sum {
		return "", damaged("result of trial %q: checksum is wrong", key)
	}
	return result, nil
}

// checksum is the SHA-256 of texts and their lengths.
func checksum(texts ...string) string {
	h := sha256.New()
	for _, text := range texts {
		fmt.Fprintf(h, "%d\n%s", len(text), text)
	}
	return fmt.Sprintf("%x", h.Sum(nil))
}

// damaged is an error of what the database holds, with the remedy.
func damaged(format string, args ...any) error {
	return fmt.Errorf("%w: database: "+format+"; move %s away or name another database: the trials are done again",
		append(append([]any{golden.ErrDamaged}, args...), DatabaseFile)...)
}

// results adds all results that are not known yet.
func (s *store) results(ctx context.Context, known map[string]*Result) error {
	keys, err := s.strings(ctx, `SELECT key FROM corinfo_trial`)
	if err != nil {
		return err
	}
	for _, key := range keys {
		if known[key] != nil {
			continue
		}
		text, err := get(ctx, s.db, key)
		if err != nil {
			return err
		}
		r := &Result{}
		if err := json.Unmarshal([]byte(text), r); err != nil {
			return damaged("result of trial %s: %w", key, err)
		}
		known[key] = r
	}
	return nil
}

func (s *store) strings(ctx context.Context, query string) ([]string, error) {
	rows, err := s.db.QueryContext(ctx, query)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var list []string
	for rows.Next() {
		var text string
		if err := rows.Scan(&text); err != nil {
			return nil, err
		}
		list = append(list, text)
	}
	return list, rows.Err()
}

// has tells whether a trial is done.
func (s *store) has(ctx context.Context, key string) (bool, error) {
	var n int
	err := s.db.QueryRowContext(ctx, `SELECT count(*) FROM corinfo_trial WHERE key = $1`, key).Scan(&n)
	return n > 0, err
}

// checkpoint is that of a float trial that is done.
func (s *store) checkpoint(ctx context.Context, key string) ([]byte, error) {
	var file []byte
	err := s.db.QueryRowContext(ctx, `SELECT run FROM corinfo_trial WHERE key = $1`, key).Scan(&file)
	if err == nil && len(file) == 0 {
		err = damaged("trial %s has no checkpoint", key)
	}
	return file, err
}

// beat tells that a worker lives, and gives all workers' counts.
func (s *store) beat(ctx context.Context, id string) (map[string]int64, error) {
	if _, err := s.db.ExecContext(ctx, `INSERT INTO corinfo_worker (id, beat) VALUES ($1, 1) ON CONFLICT (id) DO UPDATE SET beat = corinfo_worker.beat + 1`, id); err != nil {
		return nil, err
	}
	rows, err := s.db.QueryContext(ctx, `SELECT id, beat FROM corinfo_worker`)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	beats := map[string]int64{}
	for rows.Next() {
		var id string
		var beat int64
		if err := rows.Scan(&id, &beat); err != nil {
			return nil, err
		}
		beats[id] = beat
	}
	return beats, rows.Err()
}

// bye tells that a worker has ended.
func (s *store) bye(ctx context.Context, id string) error {
	_, err := s.db.ExecContext(ctx, `DELETE FROM corinfo_worker WHERE id = $1`, id)
	return err
}

// release makes a job available again whose worker has died in the given attempt, or gives it up after the last one.
func (s *store) release(ctx context.Context, job int64, attempt int) error {
	_, err := s.db.ExecContext(ctx, `UPDATE river_job SET state = 'available' WHERE id = $1 AND state = 'running' AND attempt = $2 AND attempt < max_attempts`, job, attempt)
	if err == nil {
		_, err = s.db.ExecContext(ctx, `UPDATE river_job SET state = 'discarded', finalized_at = CURRENT_TIMESTAMP
			WHERE id = $1 AND state = 'running' AND attempt = $2 AND attempt >= max_attempts`, job, attempt)
	}
	return err
}
