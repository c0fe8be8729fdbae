"""How much one line may copy, make or compare: nothing that would take long or much memory is begun."""

from __future__ import annotations

import array
import mmap
import struct

from netlab.lab.errors import LabError
from netlab.lab.literals import MOST_ITEMS, MOST_MADE
from netlab.lab.views.looking import OWNERS, is_released

MOST = MOST_MADE
"""The most bytes that one line copies, makes or compares."""
MOST_ONE_BY_ONE = 1 << 20
"""The most elements that lie apart that one line copies, and the most bytes that `hex` writes out."""
MOST_COMPARED = 1 << 22
"""The most bytes that one line compares."""
MOST_UNPACKED = 1 << 16
"""The most bytes that a `struct` format reads."""
LONGEST_FORMAT = 1000
MOST_GROWN = 1 << 30
"""The most bytes that a client's own buffer may grow to."""


def size_in_bytes(value: object) -> int:
    """The bytes that an object shows or holds; 0 if it has none, or was released."""
    if isinstance(value, memoryview):
        return 0 if is_released(value) else value.nbytes
    if isinstance(value, array.array):
        return len(value) * value.itemsize
    return len(value) if isinstance(value, bytes | bytearray | mmap.mmap | str | list | tuple) else 0


def refuse_large(what: str, size: int, most: int = MOST, unit: str = "bytes") -> None:
    """Refuse more than a line may take."""
    if size > most:
        raise LabError(f"{what} {size:,} {unit}, and the most is {most:,}", "a slice has fewer, as in v[0:4096]")


def refuse_large_copy(value: object) -> None:
    """Refuse to copy what is too large; a number stands for so many zero bytes."""
    if isinstance(value, int) and value > MOST:
        raise LabError(f"that would make {value:,} bytes, and the most is {MOST:,}", "make a smaller one")
    refuse_large("that would copy", size_in_bytes(value))
    if isinstance(value, memoryview) and not is_released(value) and not value.contiguous:
        refuse_large("that would copy, one by one,", _count(value), MOST_ONE_BY_ONE, "elements")


def refuse_large_store(key: object, value: object) -> None:
    """Refuse to copy too much into a part of a buffer."""
    if isinstance(value, int):
        return
    refuse_large_copy(value)
    if isinstance(key, slice) and key.step not in (None, 1):
        refuse_large("that would copy, one by one,", _count(value), MOST_ONE_BY_ONE, "elements")


def refuse_large_slice(of: object, key: object) -> None:
    """Refuse a slice that would copy too much; one of a view copies nothing."""
    if isinstance(of, (*OWNERS, str, list, tuple)) and isinstance(key, slice) and _whole(key):
        item = of.itemsize if isinstance(of, array.array) else 1
        refuse_large("that slice would copy", len(range(*key.indices(len(of)))) * item)


def _whole(key: slice) -> bool:
    parts = (key.start, key.stop, key.step)
    return key.step != 0 and all(part is None or isinstance(part, int) for part in parts)


def refuse_long_list(value: object) -> None:
    """Refuse to make an object of each of very many elements."""
    if isinstance(value, memoryview) and not is_released(value):
        refuse_large("that would make", _count(value), MOST_ITEMS, "objects")
    elif isinstance(value, array.array):
        refuse_large("that would make", len(value), MOST_ITEMS, "objects")


def refuse_long_comparison(left: object, right: object) -> None:
    """Refuse to compare very much; elements of different formats are compared one by one."""
    refuse_large("that would compare", min(size_in_bytes(left), size_in_bytes(right)), MOST_COMPARED)
    if _format(left) != _format(right):
        refuse_large("that would compare, one by one,", min(_count(left), _count(right)), MOST_ITEMS, "elements")


def refuse_large_format(form: object) -> None:
    """Refuse a `struct` format that reads very much."""
    if isinstance(form, str | bytes):
        refuse_large("the format has", len(form), LONGEST_FORMAT, "characters")
        refuse_large("the format reads", struct.calcsize(form), MOST_UNPACKED)


def _format(value: object) -> str:
    if isinstance(value, memoryview):
        return "" if is_released(value) else value.format
    return value.typecode if isinstance(value, array.array) else "B"


def _count(value: object) -> int:
    if isinstance(value, memoryview):
        return 0 if is_released(value) else value.nbytes // value.itemsize
    return len(value) if isinstance(value, array.array) else size_in_bytes(value)
