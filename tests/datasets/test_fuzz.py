"""Damaged logs: each is refused with one sentence, or read as what stands in it. Seeded, and bounded.

All are read in a process of its own, so that one that ends it, or does not end, is seen.
"""

import csv
import gzip
import io
import json
import subprocess
import sys
import zipfile

import numpy as np
import pandas as pd
import pytest

LOAD = """
import json, sys, time, warnings
warnings.simplefilter("ignore")
from recprune.datasets import load
from recprune.interactions import DataError
for path in map(str.strip, sys.stdin):
    began = time.process_time()
    try:
        log = load(path, quiet=True)
        rating = [1.0] * log.nnz if log.rating is None else log.rating.tolist()
        pairs = zip(log.users[log.user].tolist(), log.items[log.item].tolist(), rating)
        found = ["read", [[str(u), str(i), r] for u, i, r in pairs]]
    except DataError as error:
        found = ["refused", str(error)]
    except BaseException as error:
        found = ["error", repr(error)]
    print(json.dumps([path, time.process_time() - began, *found]), flush=True)
"""
N = 40  # rows of the whole log
TEXT = {"csv": ",", "tsv": "\t", "dat": "::", "semicolon.csv": ";"}
WORDS = ["", " ", "NULL", "NA", "nan", "-", "4,5", "1e39", "x" * 300_000, '"', '""', '"a', "\r", "\0", "é", "\ufeff"]


def whole(rng):
    pairs = rng.permutation(12 * 15)[:N]
    return pd.DataFrame(
        {
            "user": pairs // 15 + 101,
            "item": pairs % 15 + 2**60,
            "rating": rng.integers(1, 11, N) / 2,
            "timestamp": rng.integers(10**9, 2 * 10**9, N),
        }
    )


def as_text(frame, separator):
    lines = frame.to_csv(index=False, header=separator != "::", lineterminator="\n")
    return lines.replace(",", separator).encode()


def damaged_text(content, separator, rng):
    """A text with one to three of the things that happen to texts."""
    lines = content.decode().split("\n")
    for _ in range(rng.integers(1, 4)):
        at = int(rng.integers(len(lines) - 1))
        fields = lines[at].split(separator)
        field = int(rng.integers(len(fields)))
        match rng.integers(9):
            case 0:
                fields[field] = WORDS[rng.integers(len(WORDS))]
            case 1:
                fields[field] += WORDS[rng.integers(len(WORDS))]
            case 2:
                del fields[field]
            case 3:
                fields.insert(field, "7")
            case 4:
                fields[field] = f'"{fields[field]}'
            case 5:
                fields = [separator.join(fields).replace(separator, [",", ";", "\t", "|", ":"][rng.integers(5)])]
            case 6:
                fields.reverse()
            case 7:
                lines[at + 1 : at + 1] = [""] * int(rng.integers(1, 4))
            case 8:
                fields[-1] += "\r"
        lines[at] = separator.join(fields)
    return "\n".join(lines).encode("utf-8" if rng.random() < 0.9 else "utf-16")


def damaged_bytes(content, rng):
    """Some bytes are others, are missing, or come twice."""
    content = bytearray(content)
    at = int(rng.integers(len(content)))
    match rng.integers(4):
        case 0:
            content[at] ^= 1 << rng.integers(8)
        case 1:
            del content[at:]
        case 2:
            del content[at : at + int(rng.integers(1, 30))]
        case 3:
            content[at:at] = rng.integers(0, 256, rng.integers(1, 30), np.uint8).tobytes()
    return bytes(content)


def packed(frame):
    """Name -> bytes of a container of the log."""
    parquet, archive = io.BytesIO(), io.BytesIO()
    frame.to_parquet(parquet)
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("ml/ratings.csv", as_text(frame, ","))
    return {
        "parquet": parquet.getvalue(),
        "zip": archive.getvalue(),
        "csv.gz": gzip.compress(as_text(frame, ","), mtime=0),
    }


@pytest.fixture(scope="module")
def damaged(tmp_path_factory):
    """Path -> what the file was made from; 340 damaged files."""
    rng, root, made = np.random.default_rng(0), tmp_path_factory.mktemp("logs"), {}
    for n in range(60):
        frame = whole(rng)
        for name, separator in TEXT.items():
            made[root / f"{n}.{name}"] = damaged_text(as_text(frame, separator), separator, rng)
        for name, content in packed(frame).items() if n < 34 else ():
            made[root / f"{n}.{name}"] = damaged_bytes(content, rng)
    for path, content in made.items():
        path.write_bytes(content)
    return made


@pytest.fixture(scope="module")
def found(damaged):
    """Path -> (seconds of the processor, what happened, what was said or read)."""
    lines = "".join(f"{path}\n" for path in damaged)
    done = subprocess.run([sys.executable, "-c", LOAD], input=lines, capture_output=True, text=True)
    assert done.returncode == 0, f"signal or exit {done.returncode}, after {done.stdout[-200:]}: {done.stderr[-500:]}"
    return {path: tuple(rest) for path, *rest in map(json.loads, done.stdout.splitlines())}


def test_each_is_refused_in_one_sentence_or_read(damaged, found):
    assert len(found) == len(damaged) >= 340
    assert not [said for _, what, said in found.values() if what == "error"]
    refused = {path: said for path, (_, what, said) in found.items() if what == "refused"}
    assert len(refused) >= 150
    assert not [said for path, said in refused.items() if path not in said or "\n" in said]


def test_none_takes_long(found):
    """Of the processor: what a machine does beside it does not count."""
    assert max(seconds for seconds, *_ in found.values()) < 10


def test_what_is_read_is_what_stands_there(damaged, found):
    """Held against a reader of a few lines, where the damage left something that it can read too."""
    compared = 0
    for path, content in damaged.items():
        _, what, rows = found[str(path)]
        name = path.name.partition(".")[2]
        if what == "read" and name in TEXT:
            stands = by_hand(content, TEXT[name])
            if stands is not None:
                compared += 1
                assert sorted(map(tuple, rows)) == sorted(stands), path
    assert compared >= 40


def by_hand(content, separator):
    """[(user, item, rating)] of a text with the columns of `whole`; None where it takes more than this to read it."""
    lines = [line for line in content.decode("utf-8", "replace").split("\n") if line.strip()]
    quotes = any('"' in line for line in lines)
    rows = [line.split(separator) for line in lines] if not quotes else None
    if quotes and len(separator) == 1:
        try:
            rows = list(csv.reader(lines, delimiter=separator, strict=True))
        except csv.Error:
            return None
    names = ["user", "item", "rating", "timestamp"]
    if rows and separator != "::":
        names, *rows = rows
    if rows is None or sorted(names) != ["item", "rating", "timestamp", "user"] or len({len(r) for r in rows}) != 1:
        return None
    table = pd.DataFrame(rows, columns=names).apply(lambda column: column.str.strip())
    table["rating"] = pd.to_numeric(table["rating"].str.replace(",", "."))
    last = (
        table.astype({"timestamp": float})
        .sort_values(["timestamp", "rating"])
        .drop_duplicates(["user", "item"], keep="last")
    )
    return [(u, i, float(np.float32(r))) for u, i, r in zip(last["user"], last["item"], last["rating"], strict=True)]
