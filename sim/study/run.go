package study

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver"
	"github.com/riverqueue/river/rivertype"

	"corinfo/golden"
	"corinfo/golden/training"
)

// Limits of River, whose defaults are made for short jobs: 1 minute, 1 hour, 25 attempts.
const (
	// jobTimeout ends a trial that hangs. The longest trial that makes sense is a training of 50 epochs on full data,
	// some hours on one core.
	jobTimeout = 48 * time.Hour
	// rescueAfter is River's own rescue, which goes by the age of a job alone. A worker that died is found much sooner,
	// by its heartbeat; this is for what that cannot see.
	rescueAfter = jobTimeout + time.Hour
	// attempts are of trials whose worker was killed, found its disk full or lost its database in the end. A trial that
	// kills its worker every time, by its memory perhaps, is given up after so many.
	attempts = 10
	// storing is how long a worker holds on to a result that it cannot store, before it ends with an error.
	storing = 10 * time.Minute
	// parting is how long it does after the process was asked to stop.
	parting = 5 * time.Second
	// Lease is how long a worker's heart may stand still before its trial is given to another, unless Options say. A
	// worker that lives after all is not harmed: it gives the same result.
	Lease = 30 * time.Second
	// LeastLease is a few beats.
	LeastLease = 2 * time.Second
	// turn is the time between two looks at the table of results; a trial that ends here is looked at once.
	turn = 500 * time.Millisecond
)

// quiet is the logger of River: what matters comes back as errors of jobs, and lost connections are told of by turns.
var quiet = slog.New(slog.DiscardHandler)

// Options say where a study is done, and who hears of it.
type Options struct {
	Folder   string         // of this machine's trainings, and of the SQLite file; made if it is not there
	Database string         // postgres://...; empty: the file in Folder
	Version  string         // of the program: results of another version are others
	Workers  int            // trials at a time; each uses all processors where it can
	Lease    time.Duration  // 0: half a minute
	Progress func(Progress) // may be nil
	Warn     func(error)    // hears of what is amiss and passes; may be nil
}

// Progress is how far a study has come, on all machines.
type Progress struct {
	Done, Known int           // trials; more may become known
	Whole       bool          // no more will
	Running     int           // by this process
	Now         int           // trials done by this process
	Since       time.Duration // that it runs
	Best        *Summary      // recommended so far
	Plan        *Plan
}

// Left estimates the time for the trials that are known, from those done meanwhile; 0: no estimate yet.
func (p Progress) Left(before int) time.Duration {
	if now := p.Done - before; now > 0 {
		return p.Since / time.Duration(now) * time.Duration(p.Known-p.Done)
	}
	return 0
}

// trialJob is a trial in the queue.
type trialJob struct {
	Name  string `json:"key" river:"unique"`
	Trial *Trial `json:"trial"`
}

// Kind names the job in the database.
func (trialJob) Kind() string { return "corinfo_trial" }

// worker does the trials of River's jobs.
type worker struct {
	river.WorkerDefaults[trialJob]
	store *store
	lab   *laboratory
	warn  func(error)
	wake  chan struct{} // a trial has ended here

	done   atomic.Int64
	lock   sync.Mutex
	active map[int64]bool // jobs under way
	fatal  error          // the process must end
}

// begin and end tell which jobs are under way.
func (w *worker) begin(job int64) {
	w.lock.Lock()
	defer w.lock.Unlock()
	w.active[job] = true
}

func (w *worker) end(job int64) {
	w.lock.Lock()
	delete(w.active, job)
	w.lock.Unlock()
	select {
	case w.wake <- struct{}{}:
	default:
	}
}

// busy is how many jobs are under way, and whether a job is one of them.
func (w *worker) busy(job int64) (count int, this bool) {
	w.lock.Lock()
	defer w.lock.Unlock()
	return len(w.active), w.active[job]
}

// Work does a trial and stores its result together with the end of the job: both or none.
func (w *worker) Work(ctx context.Context, job *river.Job[trialJob]) error {
	w.begin(job.ID)
	defer w.end(job.ID)
	key := job.Args.Name
	if done, err := w.store.has(ctx, key); err != nil || done { // by another study
		return err
	}
	if named, err := job.Args.Trial.Key(); err != nil || named != key { // its result would pass for another trial's
		err := damaged("the queue's trial %q is not that of its key", key)
		w.fail(err)
		return river.JobCancel(err)
	}
	result, run, err := w.lab.do(ctx, job.Args.Trial, key)
	if ctx.Err() != nil && (err == nil || errors.Is(err, context.Canceled) || errors.Is(err, training.ErrInterrupted)) {
		return river.JobSnooze(0) // no attempt: the process was asked to stop
	}
	if errors.Is(err, golden.ErrHeld) {
		return river.JobSnooze(time.Second) // another process of this machine still does it
	}
	if errors.Is(err, golden.ErrUsage) {
		w.fail(err) // data or a run that this machine lacks: another may have it
	}
	if err != nil {
		return err
	}
	// What is done is worth storing when the process is asked to stop, but not worth that it waits long for a full disk.
	hold, release := context.WithCancel(context.WithoutCancel(ctx))
	defer release()
	defer context.AfterFunc(ctx, func() { time.AfterFunc(parting, release) })()
	err = insist(hold, storing, func(err error) {
		w.warn(fmt.Errorf("a result waits to be stored: %w", err))
	}, func() error { return w.finish(hold, job, result, run) })
	switch {
	case err != nil && hold.Err() != nil:
		return river.JobSnooze(0)
	case errors.Is(err, ErrAlarm), errors.Is(err, golden.ErrDamaged):
		w.fail(err)
		return river.JobCancel(err)
	case err != nil:
		w.fail(fmt.Errorf("a result could not be stored in %v, its trial is to be done again: %w", storing, err))
		return err
	}
	w.done.Add(1)
	return nil
}

func (w *worker) fail(err error) {
	w.lock.Lock()
	defer w.lock.Unlock()
	if w.fatal == nil {
		w.fatal = err
	}
}

func (w *worker) failure() error {
	w.lock.Lock()
	defer w.lock.Unlock()
	return w.fatal
}

func (w *worker) finish(ctx context.Context, job *river.Job[trialJob], r *Result, run []byte) error {
	tx, err := w.store.db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback() //nolint:errcheck // after Commit it does nothing
	if err := put(ctx, tx, job.Args.Name, job.Args.Trial, r, run); err != nil {
		return err
	}
	// A job that was given to another worker meanwhile is not running any more, or again: the result counts all the same.
	if _, err := river.JobCompleteTx[riverdriver.Driver[*sql.Tx]](ctx, tx, job); err != nil && !errors.Is(err, rivertype.ErrNotFound) {
		return err
	}
	return tx.Commit()
}

// runner is a process that works on a study.
type runner struct {
	study   *Study
	o       Options
	store   *store
	client  *river.Client[*sql.Tx]
	worker  *worker
	planner *planner
	queue   string
	start   time.Time
	results map[string]*Result
	placed  map[string]bool     // trials that are in the queue
	still   map[int64]stillness // by job
}

// pulse is a worker's heart while it should do a job. Its beat does not count where this process knows better.
type pulse struct {
	worker  string
	job     int64
	attempt int
	beat    int64
}

// stillness is a pulse that has not changed for some time.
type stillness struct {
	pulse
	at time.Time
}

// Run works on a study until it is whole, whoever does its trials, and gives its plan with all results. Any number of
// processes may do so at the same time and in the same database; what they find done they don't do again. A cancelled
// context ends it with its error; started again, it goes on where it was.
func Run(ctx context.Context, s *Study, o Options) (*Plan, error) {
	if o.Lease == 0 {
		o.Lease = Lease
	}
	if o.Warn == nil {
		o.Warn = func(error) {}
	}
	if err := Claim(o.Folder); err != nil {
		return nil, err
	}
	st, err := openStore(ctx, o.Database, o.Folder)
	if err != nil {
		return nil, err
	}
	defer st.close()
	r := &runner{study: s, o: o, store: st, start: time.Now(), results: map[string]*Result{}, placed: map[string]bool{},
		still: map[int64]stillness{}}
	data := &datasets{}
	r.planner = newPlanner(s, data, o.Version)
	r.worker = &worker{store: st, warn: o.Warn, wake: make(chan struct{}, 1), active: map[int64]bool{},
		lab: &laboratory{dir: o.Folder, data: data, weights: st.checkpoint}}
	// A queue for every study and version: a worker takes no trial that it would name otherwise.
	r.queue = fmt.Sprintf("corinfo-%.8x", sha256.Sum256([]byte(s.Name+"\n"+o.Version)))
	plan, err := r.run(ctx)
	if err == nil {
		err = removeTrainings(o.Folder)
	}
	return plan, err
}

func (r *runner) run(ctx context.Context) (*Plan, error) {
	workers := river.NewWorkers()
	river.AddWorker(workers, r.worker)
	var err error
	r.client, err = river.NewClient(r.store.driver, &river.Config{
		ID:                   fmt.Sprintf("corinfo-%d-%s", os.Getpid(), rand.Text()),
		Queues:               map[string]river.QueueConfig{r.queue: {MaxWorkers: max(1, r.o.Workers)}},
		Workers:              workers,
		JobTimeout:           jobTimeout,
		RescueStuckJobsAfter: rescueAfter,
		MaxAttempts:          attempts,
		RetryPolicy:          soon{},
		FetchCooldown:        20 * time.Millisecond,
		FetchPollInterval:    200 * time.Millisecond,
		// Jobs stay: those that failed are told of, those that are done are not done again.
		CancelledJobRetentionPeriod: -1, CompletedJobRetentionPeriod: -1, DiscardedJobRetentionPeriod: -1,
		Logger: quiet,
	})
	if err != nil {
		return nil, err
	}
	if err := r.retryFailed(ctx); err != nil {
		return nil, err
	}
	if err := r.client.Start(ctx); err != nil {
		return nil, fmt.Errorf("database: %w", err)
	}
	plan, err := r.turns(ctx)
	stopping := context.WithoutCancel(ctx)
	err = errors.Join(err, r.client.StopAndCancel(stopping))
	_ = r.store.bye(stopping, r.client.ID()) // else its heart stands still
	if plan != nil {
		r.show(plan) // a result is in the table a moment before its worker counts it
	}
	return plan, err
}

// soon tries a failed trial again at once, and then after longer and longer times.
type soon struct{}

func (soon) NextRetry(job *rivertype.JobRow) time.Time {
	return time.Now().Add(time.Duration(job.Attempt*job.Attempt) * time.Second)
}

// turns looks at the results again and again: it plans, queues and shows, until all is done.
func (r *runner) turns(ctx context.Context) (*Plan, error) {
	clock := time.NewTicker(turn)
	defer clock.Stop()
	var amiss time.Time // since when the database does not answer
	for {
		plan, err := r.turn(ctx)
		if err == nil && plan.Whole {
			var given error
			if given, err = r.givenUp(ctx); err == nil {
				return plan, given
			}
		}
		switch {
		case ctx.Err() != nil:
			return nil, fmt.Errorf("%w: what is done is stored; the same command goes on", ctx.Err())
		case errors.Is(err, errEnd):
			return plan, errors.Unwrap(err)
		case err != nil && (errors.Is(err, golden.ErrUsage) || errors.Is(err, golden.ErrDamaged)):
			return nil, err
		case err != nil && amiss.IsZero():
			amiss = time.Now()
			r.o.Warn(fmt.Errorf("database: %w; trying on", err))
		case err != nil && time.Since(amiss) > storing:
			return nil, fmt.Errorf("database: %w; what is done is stored, the same command goes on", err)
		case err == nil:
			amiss = time.Time{}
		}
		if err := r.worker.failure(); err != nil {
			return nil, err
		}
		select {
		case <-ctx.Done():
		case <-r.worker.wake:
		case <-clock.C:
		}
	}
}

// errEnd marks errors that end the study.
var errEnd = errors.New("ended")

func (r *runner) turn(ctx context.Context) (*Plan, error) {
	if err := r.store.results(ctx, r.results); err != nil {
		return nil, err
	}
	plan, err := r.planner.plan(func(key string) *Result { return r.results[key] })
	if err != nil {
		return nil, err
	}
	if err := r.place(ctx, plan); err != nil {
		return nil, err
	}
	r.show(plan)
	if err := r.watch(ctx); err != nil {
		return nil, err
	}
	return plan, r.stuck(ctx, plan)
}

func (r *runner) show(plan *Plan) {
	if r.o.Progress != nil {
		running, _ := r.worker.busy(0)
		r.o.Progress(Progress{Done: len(plan.Rows) - len(plan.Open), Known: len(plan.Rows), Whole: plan.Whole, Running: running,
			Now: int(r.worker.done.Load()), Since: time.Since(r.start), Best: plan.Recommended(), Plan: plan})
	}
}

// place queues the open trials. Those that another process has queued are left as they are.
func (r *runner) place(ctx context.Context, plan *Plan) error {
	var jobs []river.InsertManyParams
	taken := map[string]bool{} // points that differ in their spelling alone are one trial
	for _, row := range plan.Open {
		if !r.placed[row.Key] && !taken[row.Key] {
			taken[row.Key] = true
			jobs = append(jobs, river.InsertManyParams{Args: trialJob{row.Key, row.Trial}, InsertOpts: &river.InsertOpts{Queue: r.queue,
				UniqueOpts: river.UniqueOpts{ByArgs: true, ByQueue: true, ByState: rivertype.JobStates()}}})
		}
	}
	if len(jobs) == 0 {
		return nil
	}
	if _, err := r.client.InsertMany(ctx, jobs); err != nil {
		return err
	}
	for _, row := range plan.Open {
		r.placed[row.Key] = true
	}
	return nil
}

// watch counts this worker's heart up and releases jobs that no one does: those of workers whose heart has stood still,
// and those that the database has given to this one while the connection was lost, so that it never heard of them.
func (r *runner) watch(ctx context.Context) error {
	beats, err := r.store.beat(ctx, r.client.ID())
	if err != nil {
		return err
	}
	running, err := r.jobs(ctx, rivertype.JobStateRunning)
	if err != nil {
		return err
	}
	now := time.Now()
	for _, job := range running {
		if len(job.AttemptedBy) == 0 {
			continue
		}
		id := job.AttemptedBy[len(job.AttemptedBy)-1]
		heart := pulse{id, job.ID, job.Attempt, beats[id]}
		if id == r.client.ID() {
			if _, busy := r.worker.busy(job.ID); busy {
				delete(r.still, job.ID)
				continue
			}
			heart.beat = 0
		}
		if since, ok := r.still[job.ID]; !ok || since.pulse != heart {
			r.still[job.ID] = stillness{heart, now}
		} else if now.Sub(since.at) > r.o.Lease {
			if err := r.store.release(ctx, job.ID, job.Attempt); err != nil {
				return err
			}
			delete(r.still, job.ID)
			r.o.Warn(fmt.Errorf("worker %s does not do its trial; it is given to another", id))
		}
	}
	return nil
}

// jobs are those of the study's queue in some states.
func (r *runner) jobs(ctx context.Context, states ...rivertype.JobState) ([]*rivertype.JobRow, error) {
	list, err := r.client.JobList(ctx, river.NewJobListParams().Queues(r.queue).States(states...).First(1000))
	if err != nil {
		return nil, err
	}
	return list.Jobs, nil
}

// failed are the states of jobs that River tries no more.
var failed = []rivertype.JobState{rivertype.JobStateDiscarded, rivertype.JobStateCancelled}

// retryFailed gives trials that were given up another chance: whoever starts a study again has seen to what was amiss. An
// alarm stays one.
func (r *runner) retryFailed(ctx context.Context) error {
	jobs, err := r.jobs(ctx, rivertype.JobStateDiscarded)
	for _, job := range jobs {
		if _, err := r.client.JobRetry(ctx, job.ID); err != nil {
			return err
		}
	}
	return err
}

// givenUp is an error that tells of the trials that were given up, or of an alarm; err is the database's.
func (r *runner) givenUp(ctx context.Context) (given, err error) {
	jobs, err := r.jobs(ctx, failed...)
	if err != nil || len(jobs) == 0 {
		return nil, err
	}
	var list []error
	for _, job := range jobs {
		last := "its worker died"
		if len(job.Errors) > 0 {
			last = job.Errors[len(job.Errors)-1].Error
		}
		list = append(list, fmt.Errorf("trial of job %d, attempt %d: %s", job.ID, job.Attempt, last))
	}
	return fmt.Errorf("%d trials failed: %w", len(jobs), errors.Join(list...)), nil
}

// stuck ends a study all of whose open trials were given up.
func (r *runner) stuck(ctx context.Context, plan *Plan) error {
	if len(plan.Open) == 0 {
		return nil
	}
	jobs, err := r.jobs(ctx, failed...)
	if err != nil || len(jobs) == 0 {
		return err
	}
	alive, err := r.jobs(ctx, rivertype.JobStateAvailable, rivertype.JobStateRunning, rivertype.JobStateRetryable,
		rivertype.JobStateScheduled, rivertype.JobStatePending)
	if err != nil {
		return err
	}
	// One that was done meanwhile is neither open nor alive.
	if err := r.store.results(ctx, r.results); err != nil {
		return err
	}
	if len(alive) > 0 || slices.ContainsFunc(plan.Open, func(row *Row) bool { return r.results[row.Key] != nil }) ||
		slices.ContainsFunc(plan.Open, func(row *Row) bool { return !r.placed[row.Key] }) {
		return nil
	}
	given, err := r.givenUp(ctx)
	if err != nil {
		return err
	}
	return &ended{given}
}

// ended is an error that ends a study.
type ended struct{ err error }

func (e *ended) Error() string        { return e.err.Error() }
func (e *ended) Unwrap() error        { return e.err }
func (e *ended) Is(target error) bool { return target == errEnd }
