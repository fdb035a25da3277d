"""One run: one notebook, executed in a kernel of its own, that counts whole or not at all.

Everything is written to a temporary folder beside the run's own. Only when the notebook has left its
rows is that folder flushed to the disk and renamed. A process killed at any moment leaves a
temporary folder, which the next start of the same run removes.
"""

from __future__ import annotations

import errno
import json
import os
import re
import resource
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from recprune.errors import StudyError
from recprune.files import alone, sha256_of, sync_folder, sync_tree
from recprune.study.identity import environment, library_hash, machine, notebook_hash, used_criteria
from recprune.study.interrupt import held_back, undone
from recprune.study.plan import Plan, Planned
from recprune.study.progress import finished_line, label, started_line

if TYPE_CHECKING:
    from jupyter_client.manager import AsyncKernelManager

START_TIMEOUT = 120  # seconds that a kernel may take to answer: a slow disk, many at once
FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
THREADS = ("OMP", "OPENBLAS", "MKL", "VECLIB_MAXIMUM", "NUMEXPR")


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
    with alone(folder.parent / f".{folder.name}.lock", waiting):
        for stale in _left_behind(folder):  # their owner held this lock, and is gone
            shutil.rmtree(stale, ignore_errors=True)
        if run.done or _restore_stamp(run, folder):
            return
        _check_unchanged(run)
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
    """Temporary folders of this very run: `weight-magnitude` must not take those of `weight-magnitude-layer` for its own."""
    mine = re.compile(rf"\.tmp-{re.escape(folder.name)}-\d+-(before-)?")
    return [path for path in folder.parent.glob(".tmp-*") if mine.fullmatch(path.name)]


def _restore_stamp(run: Planned, folder: Path) -> bool:
    """True when the folder holds this very run and only the stamp was lost: on Ctrl-C, make deletes its target."""
    try:
        whole = json.loads((folder / "run.json").read_text())["key"] == run.key and (folder / "cells.csv").exists()
    except (OSError, ValueError, KeyError):
        return False
    if whole:
        Path(run.stamp).touch()
    return whole


def _check_unchanged(run: Planned) -> None:
    notebook = Path(run.notebook)
    library = library_hash(criteria=used_criteria(run.parameters, notebook))
    now = {"library": library, "notebook": notebook_hash(notebook), "environment": environment()}
    changed = [name for name, value in now.items() if run.sources[name] != value]
    if changed:
        raise RunError(f"{run.id}: the {changed[0]} changed since the plan was made; type the same make command again")


def _execute_into(temporary: Path, run: Planned, plan: Plan) -> None:
    """Execute the notebook with `temporary` as its folder, and leave executed.ipynb, rows, run.json and stamp there."""
    folder = Path(run.folder).resolve()
    began = time.time()
    for attempt in (1, 2):
        shutil.rmtree(temporary, ignore_errors=True)
        temporary.mkdir()
        try:
            _notebook(run, plan, folder, temporary)
            break
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
    _forget_paths(temporary / "executed.ipynb")
    provenance = {
        **asdict(run),
        "study": plan.study,
        "rows": sum(1 for _ in rows.open()) - 1,
        "rows_sha256": sha256_of(rows),
        "machine": machine(),
        "seconds": round(time.time() - began, 3),
        "peak_rss_mb": round(_peak_of_children() / 1e6, 1),
        "finished": datetime.now(UTC).isoformat(timespec="seconds"),
    }
    (temporary / "run.json").write_text(json.dumps(provenance, indent=1))
    (temporary / Path(run.stamp).name).touch()


def _peak_of_children() -> int:
    """Bytes that the largest of the processes this one has waited for, the kernel, held at its peak."""
    return resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


class KernelNeverStarted(Exception):
    """The kernel ended, or did not answer, before the first cell."""


def _notebook(run: Planned, plan: Plan, folder: Path, temporary: Path) -> None:
    output, log = temporary / "executed.ipynb", temporary / "kernel.log"
    kernels: list[AsyncKernelManager] = []
    with _own_jupyter() as ip, undone(lambda: [_kill(kernel) for kernel in kernels]):
        # One of jsonschema's optional format checkers parses a grammar for a second at import; no notebook needs it.
        sys.modules.setdefault("rfc3987_syntax", None)
        # imported here: these read their settings from the environment at import
        import papermill
        from nbclient.exceptions import DeadKernelError
        from traitlets.config import Config

        try:
            papermill.execute_notebook(
                run.notebook,
                str(output),
                parameters=_parameters(run, plan, folder),
                kernel_name="python3",
                language="python",
                progress_bar=False,
                start_timeout=START_TIMEOUT,
                cwd=str(temporary),
                config=Config({"KernelManager": {"transport": "ipc", "ip": ip}}),
                kernel_manager_class=_kernel_manager(log, kernels),
            )
        except papermill.PapermillExecutionError as error:
            cell, cause = _cell_number(output, error.cell_index), f"{error.ename}: {error.evalue}"
        except (DeadKernelError, RuntimeError, TimeoutError) as error:
            index = _running_cell(output)
            if index is None:
                raise KernelNeverStarted(f"{error}{_last_words(log)}") from None
            cause = f"the kernel died ({error}); was it killed, or out of memory?{_last_words(log)}"
            cell = _cell_number(output, index)
        else:
            log.unlink(missing_ok=True)
            return
    _keep_failed(temporary, folder)
    failed = _shown(folder / "failed.ipynb")
    raise RunError(f"{run.id}: {run.notebook}: cell {cell}: {cause}\n  what was executed: {failed}")


def _kernel_manager(log: Path, kernels: list[AsyncKernelManager]) -> type[AsyncKernelManager]:
    """Kernels that `kernels` lists, and whose own messages go to `log`: the last one before a crash is news."""
    from jupyter_client.manager import AsyncKernelManager

    class Logged(AsyncKernelManager):
        async def start_kernel(self, **options):
            kernels.append(self)
            with log.open("w") as file:
                await super().start_kernel(stdout=file, stderr=file, **options)

    return Logged


def _kill(kernel: AsyncKernelManager) -> None:
    """End a kernel with all that it started: it leads a process group of its own."""
    process = getattr(kernel.provisioner, "process", None)
    if process is not None and process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _last_words(log: Path) -> str:
    lines = log.read_text("utf-8", "replace").strip().splitlines() if log.exists() else []
    return "".join(f"\n    {line}" for line in lines[-5:])


def _parameters(run: Planned, plan: Plan, folder: Path) -> dict:
    """The planned parameters, and the folders: relative, so that no executed notebook names a machine's paths."""
    reached = {"out": ".", "run": run.key[:12], "dense": "", "results": os.path.relpath(plan.results, folder)}
    for need in run.needs:
        if plan[need].parameters.get("method", need.rpartition("/")[2]) == "dense" and len(run.needs) == 1:
            reached["dense"] = os.path.relpath(plan[need].folder, folder)
    return run.parameters | {name: value for name, value in reached.items() if name in run.declared}


@contextmanager
def _own_jupyter() -> Iterator[str]:
    """An environment in which no home folder, other kernel or other run is seen. Yields the address for ipc sockets."""
    root = tempfile.gettempdir()
    root = root if len(root) < 60 else "/tmp"  # a socket's path holds about 100 characters
    own = Path(tempfile.mkdtemp(prefix="recprune-", dir=root))
    forget = partial(shutil.rmtree, own, ignore_errors=True)
    try:
        with undone(forget):
            yield _settings(own)
    finally:
        forget()


def _settings(own: Path) -> str:
    """Set the environment of the kernel, whose own files go below `own`. Returns the address for ipc sockets."""
    for name in ("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR", "IPYTHONDIR"):
        path = own / name.lower()
        path.mkdir()
        os.environ[name] = str(path)
    os.environ.pop("JUPYTER_PATH", None)
    os.environ["JUPYTER_PREFER_ENV_PATH"] = "1"
    os.environ.setdefault("MPLCONFIGDIR", str(Path("results/runs/.matplotlib").resolve()))  # fonts are listed once
    os.environ["MPLBACKEND"] = "module://matplotlib_inline.backend_inline"
    os.environ["PYTHONHASHSEED"] = "0"
    os.environ |= {f"{library}_NUM_THREADS": "1" for library in THREADS}
    if os.environ.get("RECPRUNE_DATA"):
        os.environ["RECPRUNE_DATA"] = str(Path(os.environ["RECPRUNE_DATA"]).resolve())
    return str(own / "kernel")


def _forget_paths(output: Path) -> None:
    """Take the temporary folder's name out of the executed notebook: it says nothing to who reads it elsewhere."""
    notebook = json.loads(output.read_text("utf-8"))
    notebook["metadata"].get("papermill", {})["output_path"] = output.name
    output.write_text(json.dumps(notebook, indent=1, ensure_ascii=False) + "\n", "utf-8")


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


def _running_cell(output: Path) -> int | None:
    """Position of the last cell that was begun, or None."""
    try:
        cells = json.loads(output.read_text("utf-8"))["cells"]
    except (OSError, ValueError):
        return None
    begun = [i for i, cell in enumerate(cells) if cell["metadata"].get("papermill", {}).get("start_time")]
    return begun[-1] if begun else None


def _cell_number(output: Path, index: int) -> int:
    """The cell's place in the source notebook, counted from 1: papermill put a cell with the parameters before it."""
    try:
        cells = json.loads(output.read_text("utf-8"))["cells"]
    except (OSError, ValueError):
        return index + 1
    added = ("injected-parameters", "papermill-error-cell-tag")
    before = [c for c in cells[:index] if any(tag in added for tag in c["metadata"].get("tags", []))]
    return index + 1 - len(before)


def _shown(path: Path) -> str:
    return os.path.relpath(path)
