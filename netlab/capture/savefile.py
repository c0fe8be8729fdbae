"""Saving a capture: a whole file or none, on request with the secrets of its TLS sessions inside.

Knows the pcapng blocks at a file's beginning, and nothing of packets.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO, Final

from netlab.capture.files.destination import CaptureFile
from netlab.capture.files.pcapng import (
    DECRYPTION_SECRETS,
    INTERFACE,
    SECTION_HEADER,
    ByteOrder,
    byte_order,
    check_block,
)
from netlab.capture.model import CaptureError
from netlab.capture.new_file import written_whole

TLS_KEY_LOG: Final = 0x544C534B
"""The type of secrets that are lines of an NSS key log (draft-ietf-opsawg-pcapng, Decryption Secrets Block)."""
_SECTION_LENGTH_AT = 16
_LONGEST_OPENING = 1 << 20
_STEP = 1 << 20


def save(
    source: str | os.PathLike[str],
    length: int,
    destination: str | os.PathLike[str],
    *,
    secrets: bytes | None = None,
) -> Path | None:
    """Copy the first ``length`` bytes of the capture ``source`` to ``destination``; the new path of what was there.

    The destination is written whole or not at all, by the rule of `netlab.capture.new_file`. ``secrets`` (a TLS key
    log) are put inside, so that Wireshark shows the sessions decrypted. Raises `OSError` when there is no space, no
    permission or no such folder, and `CaptureError` when the source is shorter than ``length``, or secrets are given
    for a file that is no pcapng.
    """
    return save_files([CaptureFile(str(source), 0)], length, destination, secrets=secrets)


def save_files(
    files: Sequence[CaptureFile], length: int, destination: str | os.PathLike[str], *, secrets: bytes | None = None
) -> Path | None:
    """The same for a capture of several files, up to ``length`` in all: they become one section of one file.

    The oldest may be gone by now.
    """
    ends = [*(file.start for file in files[1:]), length]
    with contextlib.ExitStack() as opened, written_whole(Path(destination)) as new:
        sources = list[tuple[BinaryIO, int]]()
        for file, end in zip(files, ends, strict=True):
            try:
                sources.append((opened.enter_context(Path(file.path).open("rb")), end - file.start))
            except FileNotFoundError:
                if file is files[-1]:
                    raise
        for index, (source, size) in enumerate(sources):
            if index or secrets is not None:
                opening = _opening(source.read(min(size, _LONGEST_OPENING)))
                size -= source.seek(len(opening))
                new.file.write(b"" if index else _with_secrets(opening, secrets or b""))
            _copy(source, new.file, size)
    return new.kept


def secrets_block(order: ByteOrder, secrets: bytes) -> bytes:
    """A decryption secrets block that holds a TLS key log."""
    body = order.head.pack(TLS_KEY_LOG, len(secrets)) + secrets + bytes(-len(secrets) % 4)
    size = 12 + len(body)
    return order.head.pack(DECRYPTION_SECRETS, size) + body + order.word.pack(size)


def secrets_in(path: str | os.PathLike[str]) -> str:
    """The TLS key logs among a pcapng's first blocks, where `save` puts them; empty for any other file."""
    try:
        with Path(path).open("rb") as file:
            head = file.read(_LONGEST_OPENING)
        found, at = [], len(_opening(head))
        order = byte_order(memoryview(head), 0)
        while len(head) - at >= 20:
            kind, size = order.head.unpack_from(head, at)
            what, length = order.head.unpack_from(head, at + 8)
            if kind != DECRYPTION_SECRETS or not check_block(memoryview(head), order, at, size, len(head)):
                break
            if what == TLS_KEY_LOG:
                found.append(head[at + 16 : at + 16 + min(length, size - 20)].decode("ascii", "replace"))
            at += size
    except (OSError, CaptureError):
        return ""
    return "".join(found)


def _opening(head: bytes) -> bytes:
    """The section header and the interface blocks with which a file begins."""
    view, at = memoryview(head), 0
    if head[:4] != b"\n\r\r\n" or len(head) < 12:
        raise CaptureError("secrets can be saved only inside a pcapng capture")
    order = byte_order(view, 0)
    while len(head) - at >= 12:
        kind, size = order.head.unpack_from(view, at)
        if kind != (INTERFACE if at else SECTION_HEADER) or not check_block(view, order, at, size, len(head)):
            break
        at += size
    return head[:at]


def _with_secrets(opening: bytes, secrets: bytes) -> bytes:
    """A file's first blocks, and behind them the secrets, which must stand before the packets that they open."""
    order = byte_order(memoryview(opening), 0)
    unknown = order.offset.pack(-1)  # the section's length in its header would no longer be true
    after = _SECTION_LENGTH_AT + len(unknown)
    return opening[:_SECTION_LENGTH_AT] + unknown + opening[after:] + secrets_block(order, secrets)


def _copy(source: BinaryIO, destination: BinaryIO, length: int) -> None:
    while length:
        piece = source.read(min(_STEP, length))
        if not piece:
            raise CaptureError(f"the capture is {length:,} bytes shorter than was said")
        destination.write(piece)
        length -= len(piece)
