"""Ascending positions in a Rice code (Rice and Plaunt, 1971; Golomb, 1966, with a divisor that is a power of two).

A position is told by how many places were passed over since the one before it. Of this gap the lowest bits are
written as they are, what is above them in unary: so many zeros, then a one. How many low bits there are, the width, is
chosen for each BLOCK of gaps, for the fewest bits: dense rows and sparse rows of a matrix each find their own. Where
positions lie at random this takes within a few per cent of their entropy, and where rows differ in density less than
the entropy at their common density. At width 0 the unary part is a bitmap.

    widths      a byte a block
    low bits    the lowest bit of every gap that has one (width > 0), the next of all with width > 1, and so on
    unary       of all gaps, in order

Low bits of one weight, and the unary part, are each filled up to whole bytes with zeros. Both ways go without a loop
over the positions, in memory proportional to their number.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

#: gaps; of 64 to 1,024, the fewest bytes on EASE cut to 0.5 to 50 % and on 100 entries in each of 41,000 columns
BLOCK = 128
GAPS = BLOCK << 15  # that are worked on at a time


def encode(gaps: np.ndarray) -> np.ndarray:
    """(bytes,) uint8: the code of places that are told by their (n,) gaps, int32 or int64.

    A gap is how many places were passed over since the one before, for the first since the beginning. Beside them it
    takes 3 bytes a gap or so.
    """
    widths = np.concatenate([np.zeros(0, np.uint8), *(_widths(gaps[part]) for part in _parts(len(gaps)))])
    width = np.repeat(widths, BLOCK)[: len(gaps)]
    low = [_plane(gaps, width, bit) for bit in range(width.max(initial=0))]
    return np.concatenate([widths, *low, _unary(gaps, width)])


def _plane(gaps: np.ndarray, width: np.ndarray, bit: int) -> np.ndarray:
    """One bit of all gaps that have it among their low bits."""
    bits = [(gaps[part][width[part] > bit] >> bit & 1).astype(bool) for part in _parts(len(gaps))]
    return np.packbits(np.concatenate(bits))


def _unary(gaps: np.ndarray, width: np.ndarray) -> np.ndarray:
    """What is above the low bits of all gaps."""
    length = sum(int((gaps[part] >> width[part]).sum(dtype=np.int64)) for part in _parts(len(gaps)))
    bits, begun = np.zeros(length + len(gaps), bool), 0
    for part in _parts(len(gaps)):
        ends = begun + np.cumsum((gaps[part] >> width[part]) + 1, dtype=np.int64)
        bits[ends - 1] = True
        begun = ends[-1]
    return np.packbits(bits)


def _parts(n: int) -> Iterator[slice]:
    """Whole blocks of gaps, some at a time."""
    for first in range(0, n, GAPS):
        yield slice(first, min(n, first + GAPS))


def decode(code: np.ndarray, n: int, size: int) -> np.ndarray:
    """(n,) int64: the places that were encoded, all below `size` (up to 2^62).

    Raises ValueError for what is no code of n places.
    """
    at = -(-n // BLOCK)
    widths = code[:at]
    if len(widths) < at or widths.max(initial=0) >= 63:
        raise ValueError(f"the widths of {n:,} positions are damaged")
    width = np.repeat(widths, BLOCK)[:n]
    places = np.zeros(n, np.int64)  # gaps, to begin with
    for bit in range(width.max(initial=0)):
        at += _read_plane(code[at:], bit, width, places)
    _read_unary(code[at:], width, places, size)
    places += 1
    np.cumsum(places, out=places)
    places -= 1
    return places


def _read_plane(code: np.ndarray, bit: int, width: np.ndarray, gaps: np.ndarray) -> int:
    """The bytes that one low bit of the gaps takes; it is set in them."""
    count = int(np.count_nonzero(width > bit))
    if len(code) * 8 < count:
        raise ValueError(f"the low bits of {len(gaps):,} positions end early")
    bits, begun = np.unpackbits(code[: -(-count // 8)], count=count), 0
    for part in _parts(len(gaps)):
        there = np.flatnonzero(width[part] > bit)
        gaps[part][there] |= bits[begun : begun + len(there)].astype(np.int64) << bit
        begun += len(there)
    return -(-count // 8)


def _read_unary(code: np.ndarray, width: np.ndarray, gaps: np.ndarray, size: int) -> None:
    """What is above the low bits is added to the gaps."""
    done, before = 0, -1
    for start in range(0, len(code), GAPS // 8):
        ends = np.flatnonzero(np.unpackbits(code[start : start + GAPS // 8])) + 8 * start
        high, part = np.diff(ends, prepend=before) - 1, slice(done, done + len(ends))
        done += len(ends)
        if done > len(gaps):
            break
        if (high > size >> width[part].astype(np.int64)).any():  # so that no sum of two goes beyond 64 bits unseen
            raise ValueError(f"a position is beyond {size:,}")
        gaps[part] += high << width[part]
        before = ends[-1] if len(ends) else before
    if done != len(gaps):
        raise ValueError(f"{len(gaps):,} values, and {'more' if done > len(gaps) else f'{done:,}'} positions")


def _widths(gaps: np.ndarray) -> np.ndarray:
    """(blocks,) uint8: the width for each block of gaps that takes the fewest bits."""
    starts = np.arange(0, len(gaps), BLOCK)
    sizes = np.diff(starts, append=len(gaps))
    best, fewest = np.zeros(len(starts), np.uint8), np.full(len(starts), np.iinfo(np.int64).max)
    for width in range(int(gaps.max(initial=0)).bit_length() + 1):
        bits = width * sizes
        if len(gaps):
            bits += np.add.reduceat(gaps >> width, starts, dtype=np.int64)
        best[bits < fewest] = width
        fewest = np.minimum(bits, fewest)
    return best
