"""Which processes hold a socket, and what a process started: read from proc(5), Linux only.

Standard library only. It looks only at the person's own processes, and at those that it is given: the rest cannot be
read, or is nobody else's business. Names are as the processes chose them: make them safe before they are shown.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Collection, Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final, NamedTuple

TIME_LIMIT: Final = 0.3
"""Seconds that a search takes at most; 20,000 descriptors take 50 ms."""
_PROC: Final = "/proc"


class Holders(NamedTuple):
    """The processes that hold each inode, in the order of their ids; ``complete`` is False if time ran out."""

    of: dict[int, tuple[int, ...]]
    complete: bool = True


class Process(NamedTuple):
    """A living process: its id, its short name as the kernel has it (15 bytes at most), and how many threads it has."""

    pid: int
    name: str
    threads: int


def holders(inodes: Collection[int], among: Iterable[int] | None = None, seconds: float = TIME_LIMIT) -> Holders:
    """Which processes hold these sockets: of ``among``, else of all that the person owns."""
    wanted = {f"socket:[{inode}]": inode for inode in inodes if inode}
    found: dict[int, set[int]] = {inode: set() for inode in wanted.values()}
    deadline = time.monotonic() + seconds
    for pid in own_processes() if among is None else among:
        for link in _links(pid, deadline):
            if link in wanted:
                found[wanted[link]].add(pid)
    of = {inode: tuple(sorted(pids)) for inode, pids in found.items()}
    return Holders(of, complete=time.monotonic() <= deadline)


def own_processes() -> list[int]:
    """The ids of all processes of this process's user; none where there is no ``/proc``."""
    try:
        with os.scandir(_PROC) as entries:
            return sorted(int(entry.name) for entry in entries if entry.name.isdigit() and _is_own(entry))
    except OSError:
        return []


def descendants(pid: int) -> frozenset[int]:
    """A process and all that it and its children have started and that live; none if it is gone."""
    found: set[int] = set()
    next_ones = {pid} if Path(_PROC, str(pid)).exists() else set()
    while next_ones:
        found |= next_ones
        next_ones = {child for parent in next_ones for child in _children(parent)} - found
    return frozenset(found)


def process(pid: int) -> Process | None:
    """What is known of a process; None if it is gone."""
    folder = Path(_PROC, str(pid))
    try:
        name = (folder / "comm").read_bytes().removesuffix(b"\n").decode(errors="replace")
        return Process(pid, name, (folder / "task").stat().st_nlink - 2)
    except OSError:
        return None


def _is_own(entry: os.DirEntry[str]) -> bool:
    if sys.platform != "win32":
        with suppress(OSError):  # it has just ended
            return entry.stat().st_uid == os.geteuid()
    return False


def _links(pid: int, deadline: float) -> Iterator[str]:
    """Where the descriptors of a process lead, until the deadline."""
    try:
        with os.scandir(f"{_PROC}/{pid}/fd") as entries:
            for entry in entries:
                if time.monotonic() > deadline:
                    return
                with suppress(OSError):  # closed meanwhile
                    yield os.readlink(entry.path)  # noqa: PTH115 (Path takes four times as long, for each descriptor)
    except OSError:  # another user's process, or one that has just ended
        return


def _children(pid: int) -> Iterator[int]:
    """The children of all threads of a process."""
    with suppress(OSError):  # it has just ended
        for thread in Path(_PROC, str(pid), "task").iterdir():
            with suppress(OSError):  # the thread has just ended
                yield from map(int, (thread / "children").read_text().split())
