"""python -m recprune.study runs | run | gather | status | where | searches | tune | verify | compare: what make calls.

`runs` and `searches` write a plan as a makefile, with a target for each run or search, and have make walk through it;
`runs --engine snakemake` has Snakemake do so.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from recprune.errors import StudyError
from recprune.study.execution import interrupt
from recprune.study.execution.parent import end_with_parent

if TYPE_CHECKING:
    from recprune.study.choice import Choice


def main(arguments: list[str] | None = None) -> int:
    """Exit status: 0, 1 when something failed or differs, 130 when interrupted."""
    options = _parser().parse_args(arguments)
    try:
        return options.command(options) or 0
    except KeyboardInterrupt:
        print(interrupt.SAID, file=sys.stderr)
        return interrupt.STATUS
    except (ValueError, OSError) as error:  # StudyError, RunError, DataError are ValueErrors
        print(f"error: {error}", file=sys.stderr)
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m recprune.study", description=__doc__)
    commands = parser.add_subparsers(required=True)

    def command(name, function, help):
        sub = commands.add_parser(name, help=help, description=help)
        sub.set_defaults(command=function)
        return sub

    for name, function, help in (
        ("plan", _plan, "write the runs of a study as make targets"),
        ("runs", _runs, "bring the runs of a study and their gathered rows into being"),
        ("where", _where, "print the results folder that shows a study's rows"),
    ):
        sub = command(name, function, help)
        sub.add_argument("--config", default="study.toml", type=Path, help="the file that describes the studies")
        sub.add_argument("--study", default="main")
        sub.add_argument("--dataset", default="", help="name or path in place of the study's own data sets")
        sub.add_argument("--results", default="results", type=Path)
        sub.add_argument("--columns", default="", help="column names of the data set: user=uid item=iid rating=stars")
        sub.add_argument("--models", default="", help="some of the study's models, with commas")
        sub.add_argument("--only", default="", help="only the runs of this method, and what they need")
    for name in ("plan", "runs"):
        sub = commands.choices[name]
        sub.add_argument("--notebooks", default="notebooks", type=Path)
        sub.add_argument("--jobs", default="1", help="runs at a time")
    sub = commands.choices["runs"]
    sub.add_argument("--engine", default="make", help="what walks through the plan: make, or snakemake on a cluster")
    sub.add_argument("--profile", default="", help="snakemake's: a name in profiles/, or a folder with a config.yaml")
    written = "the makefile to write, by default one of its own in results/runs; the plan goes beside it as .json"
    commands.choices["plan"].add_argument("--out", type=Path, help=written)
    sub = command("make", _make, "have make walk through a plan")
    sub.add_argument("plan", type=Path, help="the makefile of the plan")
    sub.add_argument("--jobs", default="1", help="runs at a time")

    sub = command("snakemake", _snakemake, "have Snakemake walk through a plan")
    sub.add_argument("plan", type=Path, help="the plan, as .json")
    sub.add_argument("--profile", default="", help="a name in profiles/, or a folder with a config.yaml; here if none")
    sub.add_argument("--results", default="results", type=Path, help="its rows tell what memory runs need")
    sub.add_argument("--jobs", default="1", help="jobs at a time")

    sub = command("run", _run, "execute one run of a plan")
    sub.add_argument("plan", type=Path)
    sub.add_argument("id", help="data set/protocol/model/method")
    sub = command("serve", _serve, "fork a process for each run that `run` is asked for, while who may ask lives")
    sub.add_argument("handle", type=int, help="the inherited socket by which it is asked")
    for name, function, help in (
        ("tune", _tune, "search for a model's hyper-parameters, or go on searching"),
        ("tune-plan", _tune_plan, "write the searches for all models as make targets"),
        ("searches", _searches, "search, or go on searching, for the hyper-parameters of all models"),
    ):
        sub = command(name, function, help)
        sub.add_argument("--config", default="study.toml", type=Path, help="where the searches start from")
        sub.add_argument("--tuning", default="tuning.toml", type=Path, help="what is searched, and the budget")
        sub.add_argument("--study", default="main", help="its data sets are taken where --dataset names none")
        sub.add_argument("--dataset", default="", help="name or path")
        sub.add_argument("--columns", default="", help="column names of the data set: user=uid item=iid rating=stars")
        sub.add_argument("--protocol", default="ratio")
        sub.add_argument("--results", default="results", type=Path)
    commands.choices["tune"].add_argument("--model", required=True)
    for name in ("tune-plan", "searches"):
        sub = commands.choices[name]
        sub.add_argument("--models", default="", help="some of the models in tuning.toml, with commas; default: all")
        sub.add_argument("--jobs", default="1", help="searches at a time")
    commands.choices["tune-plan"].add_argument("--out", type=Path, help="the makefile to write")
    command("gather", _gather, "collect the rows of a plan's runs").add_argument("plan", type=Path)
    command("status", _status, "list the runs of a plan that are not finished").add_argument("plan", type=Path)
    sub = command("verify", _verify, "hold fresh rows against the committed ones, within the seed spread")
    sub.add_argument("--results", default="results", type=Path)
    sub.add_argument("--reference", default=None, help="another cells.csv in place of the committed one")
    sub.add_argument("--if-committed", action="store_true", help="no committed rows to compare with is no failure")
    sub = command("compare", _compare, "are two files of rows the same, timing columns apart?")
    sub.add_argument("first", type=Path)
    sub.add_argument("second", type=Path)
    return parser


def _choice(options) -> Choice:
    """The choice that the command line asks for."""
    from dataclasses import fields

    from recprune.study.choice import Choice

    asked = {f.name: getattr(options, f.name) for f in fields(Choice) if hasattr(options, f.name)}
    return Choice(**asked | {"models": tuple(getattr(options, "models", "").replace(",", " ").split())})


def _jobs(options) -> int:
    if not options.jobs.strip().isdecimal() or not int(options.jobs):
        raise StudyError(f"JOBS: {options.jobs!r}; a whole number from 1 on is needed: how many run at a time")
    return int(options.jobs)


def _plan(options) -> int:
    from recprune.study.makefile import path_for, write_plan
    from recprune.study.record import forget_damaged
    from recprune.study.usable import check_logs

    choice, jobs = _choice(options), _jobs(options)
    options.out = options.out or path_for(choice)
    plan = write_plan(choice, options.out, notebooks=options.notebooks, jobs=jobs)
    for line in [*plan.left_out, *forget_damaged(plan.runs)]:
        print(f"{plan.study}: {line}", file=sys.stderr)
    check_logs(plan, choice.results / "runs")
    done = sum(run.done for run in plan.runs)
    print(f"{plan.study}: {len(plan.runs)} runs, {done} finished; rows go to {plan.results}/cells.csv", file=sys.stderr)
    return 0


def _runs(options) -> int:
    from recprune.study.execution.snakemake import check

    options.out = None
    check(options.engine, options.profile)
    if options.engine == "make":
        return _plan(options) or _become("make", options)
    status = _plan(options)
    options.out = options.out.with_suffix(".json")
    return status or _become("snakemake", options, f"--profile={options.profile}", f"--results={options.results}")


def _become(engine: str, options, *more: str) -> int:
    """In place of this process: what was needed to plan is of no use to who waits for hours."""
    sys.stderr.flush()
    command = [sys.executable, "-m", "recprune.study", engine, str(options.out), f"--jobs={options.jobs}", *more]
    os.execv(sys.executable, command)


def _snakemake(options) -> int:
    from recprune.study.cluster import memory_below
    from recprune.study.execution.snakemake import carry_out

    status = carry_out(options.plan, options.profile, _jobs(options), memory_below(options.results))
    return _status(options) if status else 0


def _make(options) -> int:
    from recprune.study.execution.make import carry_out

    status = carry_out(options.plan, _jobs(options))
    options.plan = options.plan.with_suffix(".json")
    if status and options.plan.exists():  # searches say themselves how far they are
        _status(options)
    return 1 if status else 0


def _where(options) -> int:
    print(_choice(options).place().reported)
    return 0


def _run(options) -> int:
    from recprune.study.execution.ask import asked

    if (status := asked(options.plan, options.id)) is not None:
        return status
    from recprune.study.execution.run import execute
    from recprune.study.plan import Plan

    execute(Plan.load(options.plan), options.id)
    return 0


def _serve(options) -> int:
    from recprune.study.execution.warm import serve

    return serve(options.handle, main)


def _tune(options) -> int:
    from recprune.study.tuning.tune import tune

    tune(_choice(options), options.tuning, options.model, options.protocol)
    return 0


def _tune_plan(options) -> int:
    from recprune.study.makefile import path_for
    from recprune.study.tuning.tune import write_tune_plan

    choice = _choice(options)
    _jobs(options)
    options.out = options.out or path_for(choice, options.protocol, kind="tune")
    write_tune_plan(choice, options.tuning, options.out, options.protocol)
    return 0


def _searches(options) -> int:
    options.out = None
    return _tune_plan(options) or _become("make", options)


def _gather(options) -> int:
    from recprune.study.plan import Plan
    from recprune.study.rows.gather import gather

    path, rows = gather(Plan.load(options.plan))
    print(f"{path}: {rows} rows", file=sys.stderr)
    return 0


def _status(options) -> int:
    from recprune.study.plan import Plan

    left = [run for run in Plan.load(options.plan).runs if not run.done]
    for run in left:
        failed = Path(run.folder, "failed.ipynb")
        print(f"not finished: {run.id}" + (f" (it failed: {failed})" if failed.exists() else ""), file=sys.stderr)
    return 1 if left else 0


def _verify(options) -> int:
    from recprune.cells.further import FILE
    from recprune.study.rows.places import places
    from recprune.study.rows.verify import NothingCommitted, verify

    status = 0
    folders = [options.results] if options.reference else places(options.results)
    beside = [] if options.reference else [folder / FILE for folder in folders if (folder / FILE).exists()]
    for path in (*(folder / "cells.csv" for folder in folders), *beside):
        try:
            status |= verify(path, options.reference)
        except NothingCommitted as error:
            if not options.if_committed:
                raise
            print(f"not verified: {error}", file=sys.stderr)
    return status


def _compare(options) -> int:
    from recprune.study.rows.verify import compare

    return compare(options.first, options.second)


if __name__ == "__main__":
    interrupt.listen()
    end_with_parent()
    status = main()
    interrupt.stop_listening()  # the interpreter's own end takes a while
    sys.exit(status)
