"""Signals to every part of a study at every stage: the same command then gives the same rows, and nothing is left.

The moments are chosen by what is there (a process, a file), never by a clock. A few in the usual tests; all of ALL with
RECPRUNE_KILLS=all, which takes some minutes.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
import time
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import psutil
import pytest

from recprune.cells.rows import read_rows, write_rows
from recprune.files import sha256_of

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]
PATIENCE = 60.0  # seconds, on a busy machine, for what takes two
# what the notebooks do before their rows: say which process they are, and wait while there is a file `hold`
HOLDS = """
import os, pathlib, time
top = pathlib.Path(*['..'] * 7)
(top / f"kernel-{os.getpid()}").touch()
while (top / "hold").exists():
    time.sleep(0.05)
"""
STUDY = """
[study.main]
dataset = "synthetic"
protocol = "ratio"
seeds = [0]
models = ["ease", "ials"]
runs = [
  { notebook = "10-dense" },
  { notebook = "21-prune", unit = "weight", keep = [0.5], models = ["ease"], criterion = ["random"] },
]
"""
BACKEND = """
import os, pathlib, time, zipfile
def build_editable(folder, config_settings=None, metadata_directory=None):
    pathlib.Path("installing").touch()
    while pathlib.Path("hold").exists():
        time.sleep(0.05)
    name = "tiny-1-py3-none-any.whl"
    with zipfile.ZipFile(pathlib.Path(folder, name), "w") as wheel:
        wheel.writestr("tiny-1.dist-info/METADATA", "Metadata-Version: 2.1\\nName: tiny\\nVersion: 1\\n")
        wheel.writestr("tiny-1.dist-info/WHEEL", "Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n")
        wheel.writestr("tiny-1.dist-info/RECORD", "")
    return name
"""


class Kill(NamedTuple):
    """A signal, to whom, and when."""

    stage: str  # planning, running, gathering, drawing, installing
    whom: str  # make, group, between (the process between both makes), inner (make), launcher, kernel
    sign: str

    @property
    def ends_all(self) -> bool:
        """Whether everything must end at once, though nothing that waits is let go.

        make alone waits on INT and HUP for what it started; a package's build goes on when its pip is killed.
        """
        if self.stage == "installing" and (self.whom, self.sign) == ("group", "KILL"):
            return False
        return self.whom in ("group", "between") or (self.whom == "make" and self.sign in ("KILL", "TERM"))


USUAL = (
    Kill("running", "make", "TERM"),
    Kill("running", "make", "KILL"),
    Kill("running", "launcher", "KILL"),
    Kill("running", "group", "HUP"),
    Kill("gathering", "group", "KILL"),
)
ALL = (
    *USUAL,
    *(Kill("planning", "make", sign) for sign in ("KILL", "TERM")),
    *(Kill("planning", "group", sign) for sign in ("KILL", "INT")),
    *(Kill("running", "make", sign) for sign in ("INT", "HUP")),
    *(Kill("running", "group", sign) for sign in ("KILL", "TERM", "INT")),
    *(Kill("running", "between", sign) for sign in ("KILL", "TERM")),
    *(Kill("running", "inner", sign) for sign in ("KILL", "TERM")),
    *(Kill("running", "launcher", sign) for sign in ("TERM", "INT", "HUP")),
    *(Kill("running", "kernel", sign) for sign in ("KILL", "TERM", "INT", "HUP")),
    *(Kill("gathering", "make", sign) for sign in ("KILL", "TERM")),
    *(Kill("drawing", "make", sign) for sign in ("KILL", "TERM")),
    *(Kill("drawing", "group", sign) for sign in ("KILL", "HUP")),
    *(Kill("installing", "make", sign) for sign in ("KILL", "TERM")),
    *(Kill("installing", "group", sign) for sign in ("KILL", "INT")),
)
CASES = ALL if os.environ.get("RECPRUNE_KILLS") == "all" else USUAL


class Checkout:
    """A folder with the Makefile, a study of three tiny runs, and this environment."""

    def __init__(self, folder: Path):
        self.folder, self.temporary = folder, Path(tempfile.mkdtemp(prefix="kills-", dir="/tmp"))
        for name in ("Makefile", "pyproject.toml", "constraints.txt", "claims.toml"):
            shutil.copy(ROOT / name, folder)
        (folder / "study.toml").write_text(STUDY)
        (folder / ".venv").mkdir()
        for each in (ROOT / ".venv").resolve().iterdir():
            if not each.name.startswith("."):
                (folder / ".venv" / each.name).symlink_to(each)
        command = "{ pwd; cat pyproject.toml constraints.txt; } | cksum | cut -d' ' -f1"
        checksum = subprocess.run(command, shell=True, cwd=folder, capture_output=True, text=True).stdout.strip()
        (folder / f".venv/.ready-{checksum}").touch()

    @property
    def hold(self) -> Path:
        return self.folder / "hold"

    def start(self, *command: str) -> subprocess.Popen:
        # as from a terminal: a shell's background and nohup hand on signals that are ignored
        interruptible = lambda: [signal.signal(s, signal.SIG_DFL) for s in (signal.SIGINT, signal.SIGHUP)]
        environment = {"PATH": os.environ["PATH"], "HOME": str(self.temporary), "TMPDIR": str(self.temporary)}
        environment |= {"PIP_CONFIG_FILE": "/dev/null", "TORCH_INDEX": f"file://{self.folder}/index"}
        said = (self.folder / "said").open("a")
        options = {"cwd": self.folder, "env": environment, "stdout": said, "stderr": said}
        return subprocess.Popen(command, start_new_session=True, preexec_fn=interruptible, **options)

    def make(self, target: str) -> None:
        """The command, undisturbed."""
        process = self.start("make", target, "JOBS=2")
        assert process.wait(timeout=10 * PATIENCE) == 0, (self.folder / "said").read_text()[-3000:]

    def processes(self, *words: str) -> list[psutil.Process]:
        """The processes at work in the folder whose command lines have these words."""
        found = []
        for process in psutil.process_iter(["cwd", "cmdline", "status"]):
            about = process.info
            here = str(about["cwd"] or "").startswith(str(self.folder)) and about["status"] != psutil.STATUS_ZOMBIE
            if here and all(word in (about["cmdline"] or []) for word in words):
                found.append(process)
        return found

    def left(self) -> list[str]:
        """What should be gone when a command has ended: temporary folders, half files."""
        found = [*self.folder.rglob(".tmp-*"), *self.temporary.glob("recprune-*"), *self.temporary.glob("tmp*.json")]
        found += [path for path in (self.folder / "results").rglob(".*-????????????") if path.is_file()]
        return [str(path) for path in found]

    def rows(self) -> dict[str, bytes]:
        return {path.name: path.read_bytes() for path in (self.folder / "results").glob("cells.csv")}


def until(condition: Callable[[], object], what: str, seconds: float = PATIENCE) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, what
        time.sleep(0.02)


@pytest.fixture(scope="module")
def checkout(tmp_path_factory, project_in, rows_cell) -> Iterator[Checkout]:
    folder = tmp_path_factory.mktemp("checkout")
    for name in ("10-dense", "21-prune"):
        project_in(folder).notebook(name, HOLDS, rows_cell)
    checkout = Checkout(folder)
    yield checkout
    for process in checkout.processes():
        process.kill()
    shutil.rmtree(checkout.temporary)


@pytest.fixture(scope="module")
def expected(checkout) -> dict[str, bytes]:
    """The rows of an undisturbed study."""
    checkout.make("runs")
    return checkout.rows()


WHOM = {"between": ("recprune.study", "make"), "launcher": ("recprune.study", "run"), "inner": ("-k",)}
STAGE = {"planning": ("recprune.study", "runs"), "gathering": ("recprune.study", "gather")}


def strike(checkout: Checkout, make: subprocess.Popen, kill: Kill) -> None:
    number = getattr(signal, f"SIG{kill.sign}")
    if kill.whom == "group":
        os.killpg(make.pid, number)
    elif kill.whom == "make":
        make.send_signal(number)
    elif kill.whom == "kernel":
        os.kill(int(next(checkout.folder.glob("kernel-*")).name.partition("-")[2]), number)
    else:
        checkout.processes(*WHOM[kill.whom])[0].send_signal(number)


def struck(checkout: Checkout, target: str, kill: Kill, reached: Callable[[], object]) -> None:
    """Start the command, strike when the stage is reached, and see everything end."""
    process = checkout.start("make", target, "JOBS=2")
    until(reached, f"{kill}: never reached")
    strike(checkout, process, kill)
    if not kill.ends_all:
        checkout.hold.unlink(missing_ok=True)
    process.wait(timeout=5 * PATIENCE)
    until(lambda: not checkout.processes(), f"{kill}: processes are left")
    checkout.hold.unlink(missing_ok=True)


@pytest.mark.parametrize("kill", [k for k in CASES if k.stage in ("planning", "running", "gathering")], ids=" ".join)
def test_a_study_goes_on_as_if_nothing_had_been(checkout, expected, kill):
    shutil.rmtree(checkout.folder / "results")
    for path in checkout.folder.glob("kernel-*"):
        path.unlink()
    if kill.stage == "running":
        checkout.hold.touch()
    begun = lambda: len(list(checkout.folder.glob("kernel-*"))) == 2
    reached = begun if kill.stage == "running" else lambda: checkout.processes(*STAGE[kill.stage])
    struck(checkout, "runs", kill, reached)
    checkout.make("runs")
    assert checkout.rows() == expected and not checkout.left() and not checkout.processes()


@pytest.mark.parametrize("kill", [k for k in CASES if k.stage == "drawing"], ids=" ".join)
def test_figures_are_drawn_as_if_nothing_had_been(checkout, kill):
    results = checkout.folder / "results"
    shutil.rmtree(results, ignore_errors=True)
    rows = read_rows(ROOT / "results/cells.csv")
    write_rows(results, rows[rows["model"].isin(["popularity", "ease"]) & (rows["dataset"] == "ml-100k")])
    before = checkout.rows()
    checkout.make("figures")
    whole = {path.name: sha256_of(path) for path in (results / "figures").rglob("*.csv")}
    shutil.rmtree(results / "figures")
    struck(checkout, "figures", kill, lambda: list((results / "figures").rglob("*.csv")))
    checkout.make("figures")
    assert {path.name: sha256_of(path) for path in (results / "figures").rglob("*.csv")} == whole
    assert checkout.rows() == before and not checkout.left()


@pytest.mark.parametrize("kill", [k for k in CASES if k.stage == "installing"], ids=" ".join)
def test_an_environment_is_made_as_if_nothing_had_been(tmp_path, kill):
    """Of a project without dependencies, from a folder as index: nothing is fetched."""
    checkout = Checkout(tmp_path)
    shutil.rmtree(tmp_path / ".venv")
    (tmp_path / "tools").mkdir()
    shutil.copy(ROOT / "tools/env.py", tmp_path / "tools")
    (tmp_path / "constraints.txt").write_text("torch==9.9\n")
    (tmp_path / "backend.py").write_text(BACKEND)
    extras = "".join(f"{name} = []\n" for name in ("lab", "tune", "test", "dev"))
    (tmp_path / "pyproject.toml").write_text(
        '[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n'
        f'[project]\nname = "tiny"\nversion = "1"\n[project.optional-dependencies]\n{extras}'
    )
    index = tmp_path / "index/torch"
    index.mkdir(parents=True)
    with zipfile.ZipFile(index / "torch-9.9-py3-none-any.whl", "w") as wheel:
        wheel.writestr("torch-9.9.dist-info/METADATA", "Metadata-Version: 2.1\nName: torch\nVersion: 9.9\n")
        wheel.writestr("torch-9.9.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr("torch-9.9.dist-info/RECORD", "")
    (index / "index.html").write_text('<a href="torch-9.9-py3-none-any.whl">torch-9.9-py3-none-any.whl</a>')
    checkout.hold.touch()
    struck(checkout, "env", kill, (tmp_path / "installing").exists)
    assert not list(tmp_path.glob(".venv/.ready-*"))
    checkout.make("env")
    assert len(list(tmp_path.glob(".venv/.ready-*"))) == 1
    shutil.rmtree(checkout.temporary)
