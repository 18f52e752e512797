"""What a disk may hold after a power cut: replays a trace of `shim.c` up to any point.

What was synced is there. Of the rest any 512-byte sector may be there or not, a file may have any of the sizes that it
had meanwhile, and names follow one of two rules: as on ext4, where they reach the disk in order and any fsync brings
all of them, or as POSIX promises, where each name needs an fsync of its directory.
"""

from __future__ import annotations

import random
import shutil
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path, PurePath

from tests.crash.shim import Op

SECTOR = 512
_HEAD = struct.Struct("<BBHHHiiQQ")


class Names(StrEnum):
    """How names become durable."""

    EXT4 = "ext4"
    POSIX = "posix"


class Untraceable(RuntimeError):
    """The program wrote in a way that the tracer does not follow; nothing may be concluded."""


@dataclass(frozen=True, slots=True)
class Record:
    """One operation."""

    op: Op
    flag: int
    path: str
    other: str
    fd: int
    fd2: int
    offset: int
    size: int
    data: bytes


def read_trace(raw: bytes) -> list[Record]:
    """Every whole record."""
    records = []
    at = 0
    while at + _HEAD.size <= len(raw):
        op, flag, path, other, _, fd, fd2, offset, size = _HEAD.unpack_from(raw, at)
        at += _HEAD.size
        first = raw[at : at + path].decode()
        second = raw[at + path : at + path + other].decode()
        at += path + other
        data = b""
        if op == Op.WRITE:
            data = raw[at : at + size]
            at += size
        if op == Op.STRANGE:
            raise Untraceable(first)
        records.append(Record(Op(op), flag, first, second, fd, fd2, offset, size, data))
    return records


@dataclass(slots=True, eq=False)
class File:
    """One file: what is surely on the disk, and what came since."""

    durable: bytearray = field(default_factory=bytearray)
    pending: list[tuple[int, bytes | None]] = field(default_factory=list)
    """(offset, data) of a write, (size, None) of a truncation."""

    def sync(self) -> None:
        """All of it reaches the disk."""
        for offset, data in self.pending:
            _apply(self.durable, offset, data)
        self.pending.clear()

    def after_cut(self, dice: random.Random, luck: float) -> bytes:
        """What may be found; `luck`: the chance of each sector that was on its way."""
        if not self.pending:
            return bytes(self.durable)
        sizes = dice.randint(0, len(self.pending))
        found = bytearray(self.durable)
        size = len(found)
        for number, (offset, data) in enumerate(self.pending):
            if data is None:
                if number < sizes:
                    _apply(found, offset, None)
                    size = offset
                continue
            if number < sizes:
                size = max(size, offset + len(data))
            at = 0
            while at < len(data):
                upto = min(len(data), at + SECTOR - (offset + at) % SECTOR)
                if dice.random() < luck:
                    _apply(found, offset + at, data[at:upto])
                at = upto
        return bytes(found[:size]).ljust(size, b"\0")


def _apply(content: bytearray, offset: int, data: bytes | None) -> None:
    if data is None:
        del content[offset:]
        content.extend(bytes(offset - len(content)))
        return
    if offset > len(content):
        content.extend(bytes(offset - len(content)))
    content[offset : offset + len(data)] = data


@dataclass(slots=True, eq=False)
class Folder:
    """One directory: names now, and names surely on the disk."""

    now: dict[str, File | Folder] = field(default_factory=dict)
    durable: dict[str, File | Folder] = field(default_factory=dict)


@dataclass(slots=True, eq=False)
class Naming:
    """One change of names, all or nothing; not surely on the disk before the folders in `needs` are synced."""

    changes: tuple[tuple[Folder, str, File | Folder | None], ...]
    needs: set[int]

    def apply(self, names: dict[int, dict[str, File | Folder]]) -> None:
        """To the names by folder."""
        for folder, name, what in self.changes:
            entries = names.setdefault(id(folder), dict(folder.durable))
            if what is None:
                entries.pop(name, None)
            else:
                entries[name] = what


class Disk:
    """The disk below one directory."""

    def __init__(self, root: Path, *, names: Names, start: Path | None = None) -> None:
        """`start`: what lay there, durable, before the trace began."""
        self._root = PurePath(root)
        self._names = names
        self._top = Folder()
        self._open: dict[int, File | Folder] = {}
        self._pending: list[Naming] = []
        if start is not None:
            self._fill(self._top, start)

    def _fill(self, folder: Folder, place: Path) -> None:
        for path in place.iterdir():
            what: File | Folder = File(bytearray(path.read_bytes())) if path.is_file() else Folder()
            folder.now[path.name] = folder.durable[path.name] = what
            if isinstance(what, Folder):
                self._fill(what, path)

    def step(self, record: Record) -> None:
        """One operation of the trace."""
        match record.op:
            case Op.OPEN:
                self._opened(record)
            case Op.CLOSE:
                self._open.pop(record.fd, None)
            case Op.DUP:
                self._open[record.fd2] = self._open[record.fd]
            case Op.WRITE:
                self._file(record.fd).pending.append((record.offset, record.data))
            case Op.TRUNCATE:
                self._file(record.fd).pending.append((record.size, None))
            case Op.ALLOCATE:
                # Zeros up to there, as far as any reader sees.
                self._file(record.fd).pending.append((record.size - 1, b"\0"))
            case Op.SYNC:
                self._sync(self._open[record.fd])
            case Op.MKDIR:
                folder, name = self._place(record.path)
                self._name((folder, name, Folder()))
            case Op.UNLINK | Op.RMDIR:
                folder, name = self._place(record.path)
                self._name((folder, name, None))
            case Op.LINK:
                source, source_name = self._place(record.path)
                folder, name = self._place(record.other)
                self._name((folder, name, source.now[source_name]))
            case Op.RENAME:
                source, source_name = self._place(record.path)
                folder, name = self._place(record.other)
                self._name((folder, name, source.now[source_name]), (source, source_name, None))
            case Op.MARK | Op.READ:
                pass
            case Op.STRANGE:
                raise Untraceable(record.path)

    def cut(self, target: Path, dice: random.Random) -> None:
        """Write down what may be found now; `target` must not exist."""
        luck = dice.choice((0.0, 0.1, 0.5, 0.9, 1.0))
        names: dict[int, dict[str, File | Folder]] = {}
        if self._names is Names.EXT4:
            arrived = self._pending[: dice.randint(0, len(self._pending))]
        else:
            arrived = [naming for naming in self._pending if dice.random() < luck]
        for naming in arrived:
            naming.apply(names)
        self._write(self._top, target, names, dice, luck)

    def _write(
        self,
        folder: Folder,
        target: Path,
        names: dict[int, dict[str, File | Folder]],
        dice: random.Random,
        luck: float,
    ) -> None:
        target.mkdir()
        for name, what in names.get(id(folder), folder.durable).items():
            if isinstance(what, Folder):
                self._write(what, target / name, names, dice, luck)
            elif name.endswith("-shm"):
                # Written through memory, never synced: anything may be in it.
                (target / name).write_bytes(dice.randbytes(dice.choice((0, 0, 4096, 32768))))
            else:
                (target / name).write_bytes(what.after_cut(dice, luck))

    def _opened(self, record: Record) -> None:
        if PurePath(record.path) == self._root:
            self._open[record.fd] = self._top
            return
        folder, name = self._place(record.path)
        if record.flag & 1:
            self._name((folder, name, File()))
        what = folder.now[name]
        if record.flag & 2 and isinstance(what, File):
            what.pending.append((0, None))
        self._open[record.fd] = what

    def _sync(self, what: File | Folder) -> None:
        if isinstance(what, File):
            what.sync()
        rest = []
        for naming in self._pending:
            if self._names is Names.EXT4:
                naming.needs.clear()
            else:
                naming.needs.discard(id(what))
            if naming.needs:
                rest.append(naming)
            else:
                for folder, name, thing in naming.changes:
                    if thing is None:
                        folder.durable.pop(name, None)
                    else:
                        folder.durable[name] = thing
        self._pending = rest

    def _name(self, *changes: tuple[Folder, str, File | Folder | None]) -> None:
        for folder, name, what in changes:
            if what is None:
                folder.now.pop(name, None)
            else:
                folder.now[name] = what
        self._pending.append(Naming(changes, {id(folder) for folder, _, _ in changes}))

    def _place(self, path: str) -> tuple[Folder, str]:
        *above, name = PurePath(path).relative_to(self._root).parts
        folder = self._top
        for part in above:
            inner = folder.now[part]
            assert isinstance(inner, Folder)
            folder = inner
        return folder, name

    def _file(self, descriptor: int) -> File:
        what = self._open[descriptor]
        assert isinstance(what, File)
        return what


def cuts(
    records: list[Record],
    *,
    root: Path,
    start: Path | None,
    names: Names,
    count: int,
    dice: random.Random,
    image: Path,
) -> Iterator[list[str]]:
    """`count` power cuts at random points: `image` holds what may be found, the marks made by then are given."""
    disk = Disk(root, names=names, start=start)
    points = sorted(dice.randint(0, len(records)) for _ in range(count))
    marks: list[str] = []
    done = 0
    for point in points:
        for record in records[done:point]:
            disk.step(record)
            if record.op is Op.MARK:
                marks.append(record.path)
        done = point
        shutil.rmtree(image, ignore_errors=True)
        disk.cut(image, dice)
        yield marks
