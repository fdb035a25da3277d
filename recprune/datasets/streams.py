"""The bytes of a text file, packed or not, and its lines: bounded, decoded, numbered."""

from __future__ import annotations

import gzip
import io
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, cast

from recprune.interactions import DataError

SAMPLE = 1 << 16  # bytes that decide about separator and header
SAMPLE_LINES = 50
LONGEST = 1 << 24  # bytes of one line: what is longer is no log, and would be held in memory whole
UNPACKED = 100_000_000  # bytes up to which nobody asks how well a packed file packs
BOMB = 200  # times its size that a larger one may unpack to: text packs to a tenth
BLANK_LINES = 1_000_000  # in a row
BOM = b"\xef\xbb\xbf"
FAULTS = (OSError, EOFError, zlib.error)  # of reading a file to its end
OTHERS = {  # what begins so is no text
    b"PAR1": "a Parquet file; name it .parquet",
    b"PK\x03\x04": "a zip file; name it .zip",
    b"\xff\xfe": "UTF-16; save the file as UTF-8",
    b"\xfe\xff": "UTF-16; save the file as UTF-8",
}
UNIT = b"\x1f"  # the control character that separates units: stands for `::`, which the fast parser does not know


def check_regular(path: Path) -> None:
    """Raises DataError for what is no file of bytes: a pipe, which would be waited for, or a device."""
    if not path.is_file():
        raise DataError(f"{path}: no regular file")


class Unpacked(io.RawIOBase):
    """The content of a gzip file. Raises DataError where that is far more than a log packs into so few bytes."""

    def __init__(self, path: Path):
        super().__init__()
        self.path, self.stream, self.size = path, gzip.GzipFile(path), 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer) -> int:
        """As many bytes as there are at once; none at the end."""
        found = self.stream.readinto(buffer)
        self.size += found
        if self.size > max(UNPACKED, BOMB * self.path.stat().st_size):
            raise DataError(f"{self.path}: unpacks to more than {self.size / 1e9:.1f} GB; no log does")
        return found

    def close(self) -> None:
        self.stream.close()
        super().close()


def open_bytes(path: Path) -> BinaryIO:
    """The file's content, unpacked where it is a gzip file. Raises DataError where it cannot be opened."""
    check_regular(path)
    try:
        with open(path, "rb") as stream:
            packed = stream.read(2) == b"\x1f\x8b"
        if path.name.lower().endswith(".gz") and not packed:
            raise DataError(f"{path}: named .gz, and is not a gzip file")
        return cast(BinaryIO, io.BufferedReader(Unpacked(path), 1 << 20)) if packed else open(path, "rb")
    except OSError as error:
        raise unreadable(path, error) from None


def lines_of(path: Path) -> Iterator[tuple[int, bytes]]:
    """(number, bytes) of every line.

    Raises DataError for a line that is too long, for blank ones without end, or a file that ends early.
    """
    number = blank = 0
    try:
        with open_bytes(path) as stream:
            while line := stream.readline(LONGEST + 1):
                number += 1
                blank = 0 if line.strip() else blank + 1
                if blank > BLANK_LINES:
                    raise DataError(
                        f"{path}: line {number}: more than {BLANK_LINES:,} blank lines; the file is damaged"
                    )
                if len(line) > LONGEST:
                    raise DataError(f"{path}: line {number}: longer than {LONGEST >> 20} MB; this is no log of text")
                yield number, line.removeprefix(BOM) if number == 1 else line
    except FAULTS as error:
        raise unreadable(path, error) from None


def decoded(path: Path, encoding: str) -> Iterator[tuple[int, str]]:
    """(number, text) of every line. Raises DataError for bytes that are not text."""
    for number, line in lines_of(path):
        try:
            yield number, line.decode(encoding)
        except UnicodeDecodeError as error:
            raise DataError(
                f"{path}: line {number}: byte {line[error.start]:#04x} at {error.start + 1} is not {encoding}; "
                "save the file as UTF-8"
            ) from None


def sample(path: Path, encoding: str) -> list[str]:
    """The first lines that are not blank: at least one, two where the file has them.

    Raises DataError for a file that is empty, or that is not text.
    """
    with open_bytes(path) as stream:
        try:
            head = stream.read(SAMPLE)
        except FAULTS as error:
            raise unreadable(path, error) from None
    other = next((what for magic, what in OTHERS.items() if head.startswith(magic)), None)
    if other or b"\0" in head:
        raise DataError(f"{path}: this is {other or 'binary, not text'}")
    found: list[str] = []
    size = 0
    for number, line in decoded(path, encoding):
        if "\r" in line.rstrip("\r\n") and number == 1:
            raise DataError(
                f"{path}: line 1: a carriage return (CR) within the line; save it with LF or CRLF at line ends"
            )
        found += [line.rstrip("\r\n")] if line.strip() else []
        size += len(line)
        if len(found) >= SAMPLE_LINES or (len(found) >= 2 and size > SAMPLE):
            break
    if not found:
        raise DataError(f"{path}: the file is empty")
    return found


class Watched(io.RawIOBase):
    """A stream that says afterwards what came by, and gives `::` as one character where it separates.

    quotes   a double quote came by
    foreign  a character came by that no text has: a byte of zeros, or, where it stands for `::`, UNIT
    """

    def __init__(self, stream: BinaryIO, separator: str):
        super().__init__()
        self.stream, self.double = stream, separator == "::"
        self.quotes, self.foreign = False, b""
        self.left = b""  # a colon at the end of a block, until it is known what follows

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        """At most `size` bytes; none at the end."""
        block = self.stream.read(size)
        self.quotes = self.quotes or b'"' in block
        self.foreign = self.foreign or next((c for c in (b"\0", UNIT)[: 1 + self.double] if c in block), b"")
        if not self.double:
            return block
        ended = len(block) == 0
        block, self.left = self.left + block, b""
        if not ended and block.endswith(b":"):
            rest = block.rstrip(b":")
            block, self.left = rest, block[len(rest) :]
            if not block:  # nothing but colons so far: an empty answer would mean the end
                return self.read(size)
        return block.replace(b"::", UNIT)


def unreadable(path: Path, error: Exception) -> DataError:
    """A DataError for a file that cannot be read to its end."""
    if isinstance(error, EOFError):
        return DataError(f"{path}: the gzip file is truncated; get it again")
    if isinstance(error, gzip.BadGzipFile | zlib.error):
        return DataError(f"{path}: the gzip file is damaged ({error}); get it again")
    return DataError(f"{path}: {error.strerror or error if isinstance(error, OSError) else error}")
