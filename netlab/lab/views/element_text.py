"""An element of a view as text: its index, and its value from its bytes."""

from __future__ import annotations

import struct
from collections.abc import Sequence


def subscript(index: Sequence[int]) -> str:
    """An index as Python writes it: ``[3]``, ``[0, 1]``, and ``[()]`` if there is no dimension."""
    return f"[{', '.join(map(str, index)) or '()'}]"


def value_of(form: str, element: bytes | memoryview) -> str:
    """The value of an element's bytes, as Python shows it; in hex if `struct` does not know its format."""
    try:
        (value,) = struct.unpack(form, element)
    except (struct.error, ValueError):
        return f"0x{bytes(element).hex()}"
    return repr(value)
