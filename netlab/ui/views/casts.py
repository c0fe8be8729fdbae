"""To which formats and shapes a view can be cast, and why not to others, in CPython's own words.

CPython is asked with a small memory of the same form, so that no view of the real one is taken for a menu.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from math import prod

from netlab.lab.views.view_facts import ViewFacts

FORMATS = {
    "B": "unsigned char: bytes as they are",
    "b": "signed char",
    "c": "char: bytes objects of length 1",
    "H": "unsigned short",
    "h": "short",
    "I": "unsigned int",
    "i": "int",
    "Q": "unsigned long long",
    "q": "long long",
    "f": "float",
    "d": "double",
    "e": "half-precision float",
    "?": "bool",
    ">H": "big-endian unsigned short",
}
"""What each format makes of the bytes: the native ones, and one that shows that byte order needs struct."""
_COLUMNS = (8, 16, 4)
_INSTEAD = "; struct.unpack_from('>H', v) reads them in that order"


@dataclass(frozen=True, slots=True)
class Cast:
    """One cast: its arguments as a line writes them, what it makes, and CPython's refusal if it cannot be."""

    arguments: str
    meaning: str
    refusal: str = ""


def casts(view: ViewFacts) -> list[Cast]:
    """Every cast that the menu offers for a view, those to grids after ``B``."""
    found = []
    for form, meaning in FORMATS.items():
        refusal = refusal_of(view, form)
        size = f"{struct.calcsize(form)} byte{'s' * (struct.calcsize(form) > 1)} each"
        found.append(Cast(repr(form), f"{meaning}, {size}" if form != "B" else meaning, refusal))
        if form == "B":
            found += _grids(view)
    return found


def _grids(view: ViewFacts) -> Iterator[Cast]:
    """The grids that bytes in one dimension can be cast to; at most two."""
    fitting = [each for each in _COLUMNS if view.nbytes and view.nbytes % each == 0 and view.nbytes > each]
    for each in fitting[:2]:
        shape = [view.nbytes // each, each]
        yield Cast(f"'B', {shape}", f"a grid: {shape[0]:,} rows of {each}", refusal_of(view, "B", shape))


def refusal_of(view: ViewFacts, form: str, shape: list[int] | None = None) -> str:
    """What CPython says to a cast; empty if it would do it."""
    try:
        with _alike(view) as small:
            small.cast(form, *([small.nbytes, 1],) * (shape is not None))  # type: ignore[call-overload]  # any format
    except (TypeError, ValueError) as error:
        return f"{error}{_INSTEAD if form[:1] in '<>=!' else ''}"
    return ""


def _alike(view: ViewFacts) -> memoryview:
    """A small view of the same format, dimensions and contiguity, whose length leaves the same remainder by 8."""
    size = view.nbytes % 8 + 8 if view.nbytes >= 8 else view.nbytes
    known = view.format if view.format in FORMATS else "B"
    shape = [*(1,) * (view.ndim - 1), size // struct.calcsize(known)]
    if not view.c_contiguous:
        shape[0] *= 3  # and of three, the first and the last
    flat = memoryview(bytearray(prod(shape) * struct.calcsize(known)))
    small = flat.cast(known, shape) if prod(shape) else flat.cast(known)  # type: ignore[call-overload]  # any format
    found: memoryview = small if view.c_contiguous else small[::2]
    return found
