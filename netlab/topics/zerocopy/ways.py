"""Ways to receive a large payload, and what each of them copies.

The kernel copies every byte once, from the socket into memory that the program names. That copy counts as 1. What a way
copies beyond it, and how much memory it holds, is counted where it happens.
"""

import io
import mmap
import socket
import sys
from collections.abc import Callable

from netlab.topics.zerocopy.counting import SMALL, CountingFile
from netlab.topics.zerocopy.transfer import Transfer
from netlab.topics.zerocopy.tutorial_ways import tutorial_concatenate, tutorial_slices

LARGE = 1 << 20
HUGE = 1 << 25  # from here on huge pages are taken: for less, a fresh mapping costs more than they save


def concatenate(sock: socket.socket, transfer: Transfer) -> memoryview:
    """The tutorial's first way, repaired. Each ``+=`` copies all that came before: the square of the size."""
    data = b""
    while len(data) < transfer.size:
        piece = sock.recv(min(transfer.size - len(data), SMALL))
        transfer.hold(transfer.arrived(len(piece)) + len(data) + len(piece))
        transfer.copied += len(data) + len(piece)
        transfer.hold(-len(data) - len(piece))
        data += piece
        transfer.place(memoryview(data))
    return memoryview(data)


def join(sock: socket.socket, transfer: Transfer) -> memoryview:
    """Keep the pieces and join them once at the end: each byte is copied twice, and held twice for a moment."""
    pieces = []
    while transfer.filled < transfer.size:
        piece = sock.recv(min(transfer.size - transfer.filled, SMALL))
        transfer.hold(transfer.arrived(len(piece)))
        pieces.append(piece)
    transfer.hold(transfer.size)
    transfer.copied += transfer.size
    return transfer.place(memoryview(b"".join(pieces)))


def into_slice(sock: socket.socket, transfer: Transfer) -> memoryview:
    """The tutorial's second way, repaired. ``recv`` makes a bytes object that the slice assignment copies again."""
    view = transfer.place(memoryview(bytearray(transfer.size)))
    transfer.hold(transfer.size)
    while transfer.filled < transfer.size:
        at = transfer.filled
        piece = sock.recv(min(transfer.size - at, SMALL))
        transfer.hold(transfer.arrived(len(piece)))
        view[at : at + len(piece)] = piece
        transfer.copied += len(piece)
        transfer.hold(-len(piece))
    return view


def fill(sock: socket.socket, transfer: Transfer, view: memoryview, step: int = LARGE, flags: int = 0) -> memoryview:
    """Fill the view in place, from its first byte to its last."""
    transfer.hold(transfer.size)
    transfer.place(view)
    while transfer.filled < transfer.size:
        at = transfer.filled
        piece = view[at : at + step]
        transfer.arrived(sock.recv_into(piece, 0, flags))
    return view


def recv_into(sock: socket.socket, transfer: Transfer) -> memoryview:
    """The kernel copies into the buffer itself: each byte once, no memory but the buffer."""
    return fill(sock, transfer, memoryview(bytearray(transfer.size)))


def waitall(sock: socket.socket, transfer: Transfer) -> memoryview:
    """As ``recv_into``, but the kernel should return only when all is here; it may still return with less."""
    return fill(sock, transfer, memoryview(bytearray(transfer.size)), transfer.size, socket.MSG_WAITALL)


def readinto(sock: socket.socket, transfer: Transfer) -> memoryview:
    """Through a buffered file: large reads bypass its buffer and land in ours, the last few do not."""
    view = transfer.place(memoryview(bytearray(transfer.size)))
    transfer.hold(transfer.size + SMALL)
    io.BufferedReader(CountingFile(sock, transfer), SMALL).readinto(view)
    transfer.hold(-SMALL)
    return view


def huge_pages(sock: socket.socket, transfer: Transfer) -> memoryview:
    """As ``recv_into``, but from 32 MiB on into pages of 2 MiB: 512 times fewer page faults."""
    if sys.platform == "linux" and hasattr(mmap, "MADV_HUGEPAGE") and transfer.size >= HUGE:
        buffer = mmap.mmap(-1, transfer.size, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)  # shared memory has small pages
        buffer.madvise(mmap.MADV_HUGEPAGE)
        return fill(sock, transfer, memoryview(buffer))
    return recv_into(sock, transfer)


WAYS: dict[str, Callable[[socket.socket, Transfer], memoryview]] = {
    "tutorial_concatenate": tutorial_concatenate,
    "tutorial_slices": tutorial_slices,
    "concatenate": concatenate,
    "join": join,
    "slice": into_slice,
    "recv_into": recv_into,
    "waitall": waitall,
    "readinto": readinto,
    "huge_pages": huge_pages,
}
INTO_VIEWS = ("recv_into", "waitall", "huge_pages")
QUADRATIC = ("tutorial_concatenate", "concatenate")
