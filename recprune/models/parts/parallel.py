"""Work on parts of a whole on all threads that torch may use: one in a run, all in a process of the user's own."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import torch

Part = TypeVar("Part")


def on_all_threads(work: Callable[[Part], None], parts: Iterable[Part]) -> None:
    """The parts are worked on, several at a time where torch has several threads. What one raises ends it."""
    threads = torch.get_num_threads()
    if threads == 1:
        for part in parts:
            work(part)
        return
    pool = ThreadPoolExecutor(threads)
    try:
        for _ in pool.map(work, parts):
            pass
    finally:
        pool.shutdown(cancel_futures=True)
