# One command reproduces everything: `make reproduce`. `make help` explains every target.
# Written for GNU make 3.81 and later; what is finished is known by content, never by clocks.

STUDY   ?= main## study of study.toml
DATASET ?=## data set in place of the study's own: a registered name or a path
MODELS  ?=## some of the study's models, with commas: MODELS=ease,ials
JOBS    ?= $(shell env -u OMP_NUM_THREADS nproc 2>/dev/null || getconf _NPROCESSORS_ONLN 2>/dev/null || echo 2)## runs at a time; default: number of cores
PROTOCOL ?= ratio## protocol that `make tune` searches under: ratio, strong, loo, temporal, given
LAUNCH  ?=## prefix of every run on a cluster: LAUNCH="srun -n1 -c1"
ENGINE  ?= make## what runs the runs: make, or snakemake on a cluster (profiles/README.md)
PROFILE ?=## profile of ENGINE=snakemake: slurm, kubernetes, or a folder of your own; default: this machine
PYTHON  ?= python3## Python 3.11 or newer that makes the environment
BENCH   ?=## full: `make bench` with the large sizes too; tiny: that all of it runs
TORCH_INDEX ?=## index to take torch from; default: its CPU build where there is no NVIDIA GPU
# COLUMNS="user=uid item=iid rating=stars timestamp=ts": column names of DATASET
# It is also what shells call the width of the terminal: it counts only on make's command line.
export LOG_COLUMNS := $(if $(filter command,$(firstword $(origin COLUMNS))),$(value COLUMNS))
unexport COLUMNS

# A variable that nothing reads would be ignored without a word, and hours of the wrong runs begin.
KNOWN = STUDY DATASET MODELS ONLY JOBS PROTOCOL LAUNCH ENGINE PROFILE PYTHON BENCH TORCH_INDEX COLUMNS SHELL MAKEFLAGS
TYPED := $(foreach name,$(.VARIABLES),$(if $(filter command,$(firstword $(origin $(name)))),$(name)))
UNKNOWN := $(firstword $(filter-out $(KNOWN) MAKE% -*,$(TYPED)))
ifneq ($(UNKNOWN),)
MEANT := $(shell python3 tools/nearest.py '$(subst ','\'',$(UNKNOWN))' $(filter-out SHELL MAKEFLAGS,$(KNOWN)) 2>/dev/null)
$(error $(UNKNOWN)=: there is no such variable; known: $(filter-out SHELL MAKEFLAGS,$(KNOWN))$(MEANT))
endif

# What a user gave is text, whatever is in it: make expands none of it, and recipes have it from the environment only.
GIVEN = STUDY DATASET MODELS ONLY JOBS ENGINE PROFILE PROTOCOL BENCH TORCH_INDEX
$(foreach name,$(GIVEN),$(eval override $(name) := $$($(if $(filter file,$(origin $(name))),,value )$(name))))
export $(GIVEN) LAUNCH
export MAKE_PROGRAM := $(MAKE)

PY  := .venv/bin/python
ENV := .venv/.ready-$(shell { pwd; cat pyproject.toml constraints.txt; } | cksum | cut -d' ' -f1)
DATA = --study="$$STUDY" --dataset="$$DATASET" --columns="$$LOG_COLUMNS" --models="$$MODELS"
CHOICE = $(DATA) --only="$$ONLY"
# Where all that a report is of, and all that was made, is as it was, nothing heavy is started.
CURRENT = $(PY) -m recprune.shell.current $(CHOICE)
# A fault in a file that is read when all runs are over is found before the first of them.
CHECK = exec $(PY) -m recprune.report.check
RUNS = exec $(PY) -m recprune.study runs $(CHOICE) --jobs="$$JOBS" --engine="$$ENGINE" --profile="$$PROFILE"
RESULTS = "$$($(PY) -m recprune.study where $(CHOICE))"
# `make figures tables report` computes once what the three share.
ALL_THREE = $(filter 3,$(words $(filter figures tables report,$(MAKECMDGOALS))))
REPORT = exec $(CURRENT) --make

# A run has one thread, or as many runs as cores would fight; nothing of the user's Python leaks in.
export OMP_NUM_THREADS := 1
export OPENBLAS_NUM_THREADS := 1
export MKL_NUM_THREADS := 1
export VECLIB_MAXIMUM_NUM_THREADS := 1
export NUMEXPR_NUM_THREADS := 1
# glibc gives freed blocks back to the system, and each training step gets them anew, page by page: a fifth of its time.
export MALLOC_TRIM_THRESHOLD_ := 500000000
export MALLOC_MMAP_THRESHOLD_ := 500000000
export MPLBACKEND := agg
export MPLCONFIGDIR := $(CURDIR)/results/runs/.matplotlib
unexport PYTHONPATH PYTHONHOME

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.SECONDARY:
.PHONY: help env reproduce quick runs dense tune protocols reference test test-fast lint figures tables report paper docs docs-parts known verify bench lab doctor clean distclean

help: ## this list
	@echo "make TARGET [VARIABLE=value ...]"; echo
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-12s %s\n", $$1, $$2 }' Makefile
	@echo
	@awk '/^[A-Z_]+ *\?=.*##/ { name = $$1; sub(/^.*##/, ""); printf "  %-12s %s\n", name, $$0 }' Makefile
	@echo "  COLUMNS      column names of DATASET: COLUMNS=\"user=uid item=iid rating=stars timestamp=ts\"; \"rating=\" takes none"

env: $(ENV) ## the environment .venv, from pyproject.toml and constraints.txt (once; a minute or two)

$(ENV):
	@exec $(PYTHON) tools/env.py "$@"

reproduce: $(ENV) ## every run, figure and table of the study, held against the committed rows
	@$(CURRENT) || { echo "checking what can be edited, then planning: some seconds" >&2; $(CHECK); }
	@$(CURRENT) || $(RUNS)
	@$(REPORT)
	@$(if $(strip $(DATASET)$(MODELS))$(filter-out main,$(STUDY)),:,$(PY) -m recprune.study verify --if-committed)

quick: override STUDY := quick
quick: $(ENV) ## the same pipe on a tiny grid, in minutes (results/quick)
	@$(CURRENT) || { echo "checking what can be edited, then planning: some seconds" >&2; $(CHECK); }
	@$(CURRENT) || $(RUNS)
	@$(REPORT)

runs: $(ENV) ## the study's runs and their rows, without figures; interrupted, it goes on where it was
	@$(CHECK)
	@$(RUNS)

dense: override ONLY := dense
dense: $(ENV) ## only the dense models (rows in results/part)
	@$(CHECK)
	@$(RUNS)

tune: $(ENV) ## search hyper-parameters on validation (results/tuning); interrupted, it goes on where it was
	@exec $(PY) -m recprune.study searches $(DATA) --protocol="$$PROTOCOL" --jobs="$$JOBS"
	@exec $(PY) -m recprune.report tuning

protocols: override STUDY := protocols
protocols: $(ENV) ## does the order of models and methods depend on the protocol? (results/protocols)
	@$(CURRENT) || { echo "checking what can be edited, then planning: some seconds" >&2; $(CHECK); }
	@$(CURRENT) || $(RUNS)
	@$(REPORT)
	@$(if $(strip $(DATASET)$(MODELS)),:,$(PY) -m recprune.study verify --results results/protocols --if-committed)

reference: override STUDY := $(if $(filter main,$(STUDY)),reference,$(STUDY))
reference: $(ENV) ## dense models beside published numbers (results/tables/reference); DATASET=path where ml-1m is a file
	@$(CHECK)
	@$(RUNS)
	@exec $(PY) -m recprune.report reference

test: $(ENV) ## all tests, on all cores
	@$(PY) -m pytest -n "$$JOBS" -q tests

test-fast: $(ENV) ## tests that need neither the network nor patience
	@$(PY) -m pytest -n "$$JOBS" -q tests -m "not slow and not network"

lint: $(ENV) ## lint, format and types of the code, notebooks without outputs
	@.venv/bin/ruff check --quiet . && .venv/bin/ruff format --quiet --check . && .venv/bin/mypy && $(PY) tools/stripped.py notebooks/*.ipynb

figures: $(ENV) ## figures from the rows (figures/<study>/ beside them), without any training
	@$(PY) -m recprune.report $(if $(ALL_THREE),all,figures) --results $(RESULTS)

tables: $(ENV) ## tables from the rows (tables/<study>/ beside them): CSV, Markdown, LaTeX
	@$(if $(ALL_THREE),:,$(PY) -m recprune.report tables --results $(RESULTS))

report: $(ENV) ## one page with all figures and tables (report/index.html beside the rows)
	@$(if $(ALL_THREE),:,$(PY) -m recprune.report page --results $(RESULTS))

paper: $(ENV) ## the paper as PDF (paper/paper.pdf beside the rows), from new figures and tables; needs pdflatex
	@$(PY) -m recprune.report paper --results $(RESULTS)

docs: $(ENV) ## the documentation as pages (docs/_build/html), offline; a broken link is an error
	@$(PY) -m sphinx --quiet --fail-on-warning -b html docs docs/_build/html && echo docs/_build/html/index.html

docs-parts: $(ENV) ## put claims, expected values and methods into docs/*.md, from the rows
	@$(PY) -m recprune.report docs-parts --results $(RESULTS)

known: $(ENV) ## what `recprune prune` and `recprune advise` know of the studies (recprune/shell/known.toml), from the rows
	@$(PY) -m recprune.shell.learn

verify: $(ENV) ## hold the rows (results/cells.csv, larger/*/cells.csv) against the committed ones, within the seed spread
	@$(PY) -m recprune.study verify

bench: $(ENV) ## speed and memory, beside other libraries (results/bench; BENCH=full: 32 million rows, a million items)
	@$(PY) -m bench

lab: $(ENV) ## open the notebooks in JupyterLab
	@$(PY) -m jupyterlab notebooks

doctor: $(ENV) ## check environment, machine, disk and data, and say what to do
	@$(PY) -m recprune doctor

clean: ## remove runs and uncommitted results; environment and downloads stay
	rm -rf results/runs results/quick results/part results/own .snakemake

distclean: clean ## remove everything that make made: environment and downloads too
	rm -rf .venv .venv-bench data/cache build docs/_build recprune.egg-info .pytest_cache .hypothesis .ruff_cache .mypy_cache
	find recprune tests tools -name __pycache__ -type d -prune -exec rm -rf {} +
