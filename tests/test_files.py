"""Files that are whole or not there, also when several processes write them, or one was killed."""

from __future__ import annotations

import multiprocessing
import os
from pathlib import Path

from recprune.files import write_atomically


def write_often(folder: Path, who: int) -> None:
    for i in range(100):
        write_atomically(folder / "x.csv", f"{who} {i}\n" * 10)


def test_several_writers_leave_one_whole_file_and_nothing_else(tmp_path):
    context = multiprocessing.get_context("fork")
    writers = [context.Process(target=write_often, args=(tmp_path, who)) for who in range(3)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert [writer.exitcode for writer in writers] == [0, 0, 0]
    assert [path.name for path in tmp_path.iterdir()] == ["x.csv"]
    assert len(set((tmp_path / "x.csv").read_text().splitlines())) == 1


def test_what_a_killed_writer_left_goes_with_the_next_write_of_the_file_and_nothing_of_other_files(tmp_path):
    for name in (".x[1].csv-0a0a0a0a0a0a", ".y.csv-0a0a0a0a0a0a", ".x1.csv-0a0a0a0a0a0a"):
        (tmp_path / name).write_text("half")
    write_atomically(tmp_path / "x[1].csv", "whole")
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        ".x1.csv-0a0a0a0a0a0a",
        ".y.csv-0a0a0a0a0a0a",
        "x[1].csv",
    ]


def test_who_may_read_it_is_what_the_umask_says(tmp_path):
    for mask, expected in ((0o022, 0o644), (0o077, 0o600), (0o002, 0o664)):
        before = os.umask(mask)
        try:
            assert write_atomically(tmp_path / f"{mask}", "x").stat().st_mode & 0o777 == expected
        finally:
            os.umask(before)
