"""One run: one notebook, executed in a kernel of its own, that counts whole or not at all.

Everything is written to a temporary folder beside the run's own. Only when the notebook has left its
rows is that folder flushed to the disk and renamed. A process killed at any moment leaves a
temporary folder, which the next start of the same run removes.
"""

from __future__ import annotations

import errno
import os
import re
import resource
import shutil
import sys
import time
from dataclasses import asdict
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from recprune.errors import StudyError
from recprune.files import alone, sync_folder, sync_tree
from recprune.study.execution.interrupt import held_back, undone
from recprune.study.execution.kernel import CellFailed, KernelNeverStarted, execute_notebook, forget_paths
from recprune.study.identity import Library, Notebook, data_identity, environment, machine
from recprune.study.plan import Plan, Planned, code_of
from recprune.study.progress import finished_line, label, started_line
from recprune.study.record import damage, lock_of, write_record, write_stamp

FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


class RunError(StudyError):
    """A run that did not finish; the message names the notebook, the cell and the cause."""


def execute(plan: Plan, id: str) -> None:
    """Bring the run's stamp into being: at once when its results are there, by executing its notebook when not.

    Two callers in one checkout do the work once: the second waits. Raises RunError, and then leaves
    the partly executed notebook as failed.ipynb in the run's folder.
    """
    run = plan[id]
    folder = Path(run.folder).resolve()
    folder.parent.mkdir(parents=True, exist_ok=True)
    waiting = f"           wait   {label(run)}: another make is at it"
    with alone(lock_of(folder), waiting):
        for stale in _left_behind(folder):  # their owner held this lock, and is gone
            shutil.rmtree(stale, ignore_errors=True)
        if _is_there(run, folder):
            return
        _check_unchanged(run, plan.extensions)
        print(started_line(run), file=sys.stderr, flush=True)
        temporary = folder.parent / f".tmp-{folder.name}-{os.getpid()}-"
        try:
            with undone(partial(shutil.rmtree, temporary, ignore_errors=True)):
                _execute_into(temporary, run, plan)
                with held_back():
                    _take_the_place_of(folder, temporary)
        except OSError as error:
            if error.errno in FULL:
                raise RunError(f"{run.id}: the disk of {folder.parent} is full; nothing was kept of this run") from None
            raise
        finally:
            shutil.rmtree(temporary, ignore_errors=True)
    print(finished_line(plan, run), file=sys.stderr, flush=True)


def _left_behind(folder: Path) -> list[Path]:
    """The temporary folders of this very run: those of `weight-magnitude-layer` are not those of `weight-magnitude`."""
    mine = re.compile(rf"\.tmp-{re.escape(folder.name)}-\d+-(before-)?")
    return [path for path in folder.parent.glob(".tmp-*") if mine.fullmatch(path.name)]


def _is_there(run: Planned, folder: Path) -> bool:
    """True when the folder holds this very run, whole; a stamp that was lost is put back.

    On Ctrl-C, make deletes its target.
    """
    stamp = folder / Path(run.stamp).name
    there = stamp.exists()
    if damage(folder, run.key, stamp if there else None):
        return False
    if not there:
        write_stamp(stamp)
    return True


def _check_unchanged(run: Planned, extensions: tuple[str, ...]) -> None:
    code = code_of(Notebook.read(Path(run.notebook)), Library(extensions), run.parameters)
    now = code | {"environment": environment(run.device), "data": _data_now(run)}
    changed = [name for name, value in now.items() if run.sources[name] != value]
    if changed:
        raise RunError(f"{run.id}: the {changed[0]} changed since the plan was made; type the same make command again")


def _data_now(run: Planned) -> str:
    return data_identity(run.parameters["dataset"]) if "dataset" in run.parameters else run.sources["data"]


def _execute_into(temporary: Path, run: Planned, plan: Plan) -> None:
    """Execute the notebook with `temporary` as its folder, and leave executed.ipynb, rows, run.json and stamp there."""
    folder = Path(run.folder).resolve()
    began = time.time()
    for attempt in (1, 2):
        shutil.rmtree(temporary, ignore_errors=True)
        temporary.mkdir()
        try:
            parameters = _parameters(run, plan, folder)
            execute_notebook(run.notebook, temporary / "executed.ipynb", parameters, plan.extensions, run.device)
            break
        except CellFailed as failed:
            _keep_failed(temporary, folder)
            shown = _shown(folder / "failed.ipynb")
            raise RunError(f"{run.id}: {run.notebook}: {failed}\n  what was executed: {shown}") from None
        except KernelNeverStarted as error:  # papermill #511: rare, and nothing was computed yet
            if attempt == 2:
                raise RunError(f"{run.id}: {run.notebook}: the kernel did not start, twice: {error}") from None
    rows = temporary / "cells.csv"
    if not rows.exists():
        _keep_failed(temporary, folder)
        raise RunError(
            f"{run.id}: {run.notebook}: ended without writing its rows (no call of `finish`, or sys.exit before it)\n"
            f"  what was executed: {_shown(folder / 'failed.ipynb')}"
        )
    if _data_now(run) != run.sources["data"]:
        raise RunError(f"{run.id}: the data changed while they were read; type the same make command again")
    forget_paths(temporary / "executed.ipynb")
    provenance = {
        **asdict(run),
        "study": plan.study,
        "rows": sum(1 for _ in rows.open()) - 1,
        "machine": machine(),
        "seconds": round(time.time() - began, 3),
        "peak_rss_mb": round(_peak_of_children() / 1e6, 1),
        "finished": datetime.now(UTC).isoformat(timespec="seconds"),
    }
    write_record(temporary, Path(run.stamp).name, provenance)


def _peak_of_children() -> int:
    """Bytes that the largest of the processes this one has waited for, the kernel, held at its peak."""
    return resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def _parameters(run: Planned, plan: Plan, folder: Path) -> dict:
    """The planned parameters, and the folders: relative, so that no executed notebook names a machine's paths."""
    reached = {"out": ".", "run": run.key[:12], "dense": "", "results": os.path.relpath(plan.results, folder)}
    for need in run.needs:
        if plan[need].parameters.get("method", need.rpartition("/")[2]) == "dense" and len(run.needs) == 1:
            reached["dense"] = os.path.relpath(plan[need].folder, folder)
    return run.parameters | {name: value for name, value in reached.items() if name in run.declared}


def _take_the_place_of(folder: Path, temporary: Path) -> None:
    """Give the finished folder its name. A crash between the two renames costs this run, never another."""
    sync_tree(temporary)
    before = temporary.with_name(f"{temporary.name}before-")
    if folder.exists():
        folder.rename(before)
    temporary.rename(folder)
    sync_folder(folder.parent)
    shutil.rmtree(before, ignore_errors=True)


def _keep_failed(temporary: Path, folder: Path) -> None:
    folder.mkdir(exist_ok=True)
    if (temporary / "executed.ipynb").exists():
        os.replace(temporary / "executed.ipynb", folder / "failed.ipynb")


def _shown(path: Path) -> str:
    return os.path.relpath(path)
