"""One notebook, executed by papermill in a kernel of its own, that sees no home folder and no other run."""

from __future__ import annotations

import json
import os
import shutil
import signal
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

from recprune import threads
from recprune.device import VARIABLE
from recprune.files import held, remove_abandoned
from recprune.study.execution import spare
from recprune.study.execution.interrupt import undone

if TYPE_CHECKING:
    from jupyter_client.manager import AsyncKernelManager

START_TIMEOUT = 120  # seconds that a kernel may take to answer: a slow disk, many at once
PREFIX = "recprune-kernel-"


class KernelNeverStarted(Exception):
    """The kernel ended, or did not answer, before the first cell."""


class CellFailed(Exception):
    """A cell raised, or the kernel died in it: the number of the cell and the cause."""

    def __init__(self, cell: int, cause: str):
        super().__init__(f"cell {cell}: {cause}")


def execute_notebook(
    notebook: str, output: Path, parameters: dict, extensions: tuple[str, ...] = (), device: str = "cpu"
) -> None:
    """Execute a notebook, with the folder of `output`, the executed one, as its own.

    `extensions` are files that the kernel loads before it checks names, `device` is what models train on.
    Raises CellFailed, or KernelNeverStarted.
    """
    log = output.with_name("kernel.log")
    kernels: list[AsyncKernelManager] = []
    with _own_jupyter(extensions, device) as own, undone(lambda: _kill(kernels)):
        # imported here: these read their settings from the environment at import
        with without("rfc3987_syntax"):
            import papermill
        from nbclient.exceptions import DeadKernelError
        from traitlets.config import Config

        sockets = {"transport": "ipc", "ip": f"{own}/kernel", "connection_file": f"{own}/kernel.json"}
        try:
            papermill.execute_notebook(
                notebook,
                str(output),
                parameters=parameters,
                kernel_name="python3",
                language="python",
                progress_bar=False,
                start_timeout=START_TIMEOUT,
                cwd=str(output.parent),
                config=Config({"KernelManager": sockets}),
                kernel_manager_class=_kernel_manager(log, kernels),
            )
        except papermill.PapermillExecutionError as error:
            cell = _cell_number(output, error.cell_index)
            raise CellFailed(cell, f"{error.ename}: {error.evalue}") from None
        except (DeadKernelError, RuntimeError, TimeoutError) as error:
            index = _running_cell(output)
            if index is None:
                raise KernelNeverStarted(f"{error}{_last_words(log)}") from None
            cause = f"the kernel died ({error}); was it killed, or out of memory?{_last_words(log)}"
            raise CellFailed(_cell_number(output, index), cause) from None
    log.unlink(missing_ok=True)


@contextmanager
def without(*packages: str) -> Iterator[None]:
    """Import as where these optional packages are not installed.

    No run needs them: `rfc3987_syntax`, for a format checker of jsonschema, parses a grammar for a second at import.
    """
    absent = [name for name in packages if name not in sys.modules]
    sys.modules.update(dict.fromkeys(absent))  # type: ignore[arg-type]
    try:
        yield
    finally:
        for name in absent:
            del sys.modules[name]


def constant() -> dict[str, str]:
    """The part of a kernel's environment that is the same for all, read by what it imports."""
    fonts = os.environ.get("MPLCONFIGDIR") or str(Path("results/runs/.matplotlib").resolve())  # listed once
    inline = "module://matplotlib_inline.backend_inline"
    one_each = dict.fromkeys(threads.VARIABLES, "1")
    return one_each | {"MPLCONFIGDIR": fonts, "MPLBACKEND": inline, "PYTHONHASHSEED": "0"}


def forget_paths(output: Path) -> None:
    """Take the temporary folder's name out of the executed notebook: it says nothing to who reads it elsewhere."""
    notebook = json.loads(output.read_text("utf-8"))
    notebook["metadata"].get("papermill", {})["output_path"] = output.name
    output.write_text(json.dumps(notebook, indent=1, ensure_ascii=False) + "\n", "utf-8")


@contextmanager
def _own_jupyter(extensions: tuple[str, ...], device: str) -> Iterator[Path]:
    """An environment in which no home folder, other kernel or other run is seen. Yields the folder of its files."""
    root = Path(tempfile.gettempdir())
    root = root if len(str(root)) < 60 else Path("/tmp")  # a socket's path holds about 100 characters
    remove_abandoned(root, f"{PREFIX}*")
    own, handle = _held_folder(root)
    forget = partial(shutil.rmtree, own, ignore_errors=True)
    try:
        with undone(forget):
            _settings(own, extensions, device)
            yield own
    finally:
        forget()
        os.close(handle)


def _held_folder(root: Path) -> tuple[Path, int]:
    """A new folder, locked as long as this process lives, and the handle that holds the lock."""
    while True:
        own = Path(tempfile.mkdtemp(prefix=PREFIX, dir=root))
        handle = os.open(own, os.O_RDONLY)
        if held(handle, own):
            return own, handle
        os.close(handle)


def _settings(own: Path, extensions: tuple[str, ...], device: str) -> None:
    """Set the environment of the kernel, whose own files go below `own`."""
    for name in ("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR", "IPYTHONDIR"):
        path = own / name.lower()
        path.mkdir()
        os.environ[name] = str(path)
    os.environ.pop("JUPYTER_PATH", None)
    os.environ["JUPYTER_PREFER_ENV_PATH"] = "1"
    os.environ["RECPRUNE_EXTENSIONS"] = os.pathsep.join(extensions)  # see `Parameters.collect`
    os.environ[VARIABLE] = device
    os.environ |= constant()
    if os.environ.get("RECPRUNE_DATA"):
        os.environ["RECPRUNE_DATA"] = str(Path(os.environ["RECPRUNE_DATA"]).resolve())


def _kernel_manager(log: Path, kernels: list[AsyncKernelManager]) -> type[AsyncKernelManager]:
    """Kernels that `kernels` lists, and whose own messages go to `log`: the last one before a crash is news.

    The first is a fork where this process has a spare one, and every other one starts afresh.
    """
    from jupyter_client.manager import AsyncKernelManager

    class Logged(AsyncKernelManager):
        async def start_kernel(self, **options):  # type: ignore[override]
            kernels.append(self)
            if forked := spare.provisioner():
                self.provisioner = forked(kernel_id=str(uuid4()), kernel_spec=self.kernel_spec, parent=self)
            with log.open("w") as file:
                await super().start_kernel(stdout=file, stderr=file, **options)

    return Logged


def _kill(kernels: list[AsyncKernelManager]) -> None:
    """End kernels with all that they started: each leads a process group of its own."""
    for kernel in kernels:
        process = getattr(kernel.provisioner, "process", None)
        if process is not None and process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def _last_words(log: Path) -> str:
    lines = log.read_text("utf-8", "replace").strip().splitlines() if log.exists() else []
    return "".join(f"\n    {line}" for line in lines[-5:])


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
