#!/bin/sh
# Workers of a study as a Slurm job array. They share a PostgreSQL database and nothing else: each reads the study file and
# the data on its own machine. More, fewer or killed workers change nothing but the time.
#
#   sbatch --export=ALL,STUDY=mnist-inference.yaml,DATABASE=postgres://user@host/corinfo docs/studies/slurm.sh
#
# Afterwards, anywhere: corinfo study report mnist-inference.yaml --database postgres://user@host/corinfo
#SBATCH --job-name=corinfo-study
#SBATCH --array=0-15
#SBATCH --cpus-per-task=4
#SBATCH --mem=4G
#SBATCH --time=12:00:00
#SBATCH --requeue
#SBATCH --signal=B:TERM@60
set -eu
: "${STUDY:?name the study file: sbatch --export=ALL,STUDY=FILE,DATABASE=ADDRESS $0}"
: "${DATABASE:?name the database: postgres://USER@HOST/NAME}"
export GOMAXPROCS="${SLURM_CPUS_PER_TASK:-4}"
# In place of this shell, so that it is the program that hears the signal and ends whole.
exec corinfo study worker "$STUDY" --database "$DATABASE" -o "${TMPDIR:-/tmp}/corinfo-${SLURM_JOB_ID:-0}-${SLURM_ARRAY_TASK_ID:-0}"
