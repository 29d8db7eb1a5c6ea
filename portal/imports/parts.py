"""The XML parts of an XLSX file: unpacked and parsed piece by piece, everything counted.

A workbook is a ZIP of XML written by somebody else: a few kilobytes may unpack to gigabytes
or hold millions of empty cells. So nothing is read whole, and what goes beyond a bound is
refused.
"""

from __future__ import annotations

import posixpath
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass

# Entities and document types, by which XML attacks, are refused in `walk`.
from xml.parsers import expat  # nosec B407

from portal.kernel.errors import InvalidFields

LARGEST_UNPACKED = 100 * 1024 * 1024
MOST_PARTS = 2000
MOST_COLUMNS = 200
FIRST_ELEMENTS, MOST_ELEMENTS = 2_000_000, 20_000_000  # up to the titles, and in all
LONGEST_TAG = 1024 * 1024
LARGEST_CELL = 5000
PIECE = 64 * 1024
TOO_LARGE = "This workbook is too large inside. Split it into parts."
TOO_WIDE = f"This table has more than {MOST_COLUMNS} columns. Leave out what is not needed."

Attributes = dict[str, str]


@dataclass
class Source:
    """The parts, and how many elements of all of them were seen so far."""

    archive: zipfile.ZipFile
    limit: int = FIRST_ELEMENTS
    seen: int = 0

    def __post_init__(self) -> None:
        parts = self.archive.infolist()
        if len(parts) > MOST_PARTS or sum(one.file_size for one in parts) > LARGEST_UNPACKED:
            raise InvalidFields({"file": TOO_LARGE})

    def read_on(self) -> None:
        """The titles are read while somebody waits; the rest is the worker's."""
        self.limit = MOST_ELEMENTS

    def count(self) -> None:
        self.seen += 1
        if self.seen > self.limit:
            raise InvalidFields({"file": TOO_LARGE})


class Text:
    """What stands between two tags, as far as a cell is kept."""

    def __init__(self) -> None:
        self._pieces: list[str] = []
        self._left = LARGEST_CELL

    def add(self, words: str) -> None:
        if self._left > 0:
            self._pieces.append(words[: self._left])
            self._left -= len(words)

    def __str__(self) -> str:
        return "".join(self._pieces)


def relations(source: Source, part: str, folder: str) -> dict[str, tuple[str, str]]:
    """Kind and part by relation id."""
    found: dict[str, tuple[str, str]] = {}

    def seen(name: str, attributes: Attributes) -> None:
        if name == "Relationship":
            target = attributes["Target"]
            path = target.lstrip("/") if target.startswith("/") else posixpath.join(folder, target)
            found[attributes["Id"]] = attributes["Type"], posixpath.normpath(path)
            if len(found) > MOST_PARTS:
                raise InvalidFields({"file": TOO_LARGE})

    exhaust(walk(source, part.lstrip("/"), started=seen))
    return found


def walk(
    source: Source,
    part: str,
    started: Callable[[str, Attributes], None],
    ended: Callable[[str], None] | None = None,
    said: Callable[[str], None] | None = None,
) -> Iterator[None]:
    """Parse a part piece by piece, yielding after each; names come without their prefix."""

    def start(name: str, attributes: Attributes) -> None:
        source.count()
        plain = {key.rpartition(":")[2]: value for key, value in attributes.items()}
        started(name.rpartition(":")[2], plain)

    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.StartElementHandler = start
    parser.StartDoctypeDeclHandler = _refuse_doctype
    if ended is not None:
        parser.EndElementHandler = lambda name: ended(name.rpartition(":")[2])
    if said is not None:
        parser.CharacterDataHandler = said
    fed = 0
    with source.archive.open(part) as unpacked:
        while piece := unpacked.read(PIECE):
            parser.Parse(piece, False)
            fed += len(piece)
            if fed - parser.CurrentByteIndex > LONGEST_TAG:
                raise InvalidFields({"file": TOO_LARGE})
            yield
    parser.Parse(b"", True)
    yield


def _refuse_doctype(*_words: object) -> None:
    raise ValueError("a workbook declares no document type")


def exhaust(steps: Iterator[None]) -> None:
    for _step in steps:
        pass
