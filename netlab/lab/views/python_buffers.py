"""Asks CPython what it does not say in Python: where a buffer lies, and how many exports it has.

Elsewhere the answers are None. Each is checked once against objects whose answer is known, so a build with another
layout has no answer instead of a wrong one.
"""

from __future__ import annotations

import array
import ctypes
import mmap
import sys
import sysconfig
from collections.abc import Callable
from functools import cache
from typing import TypeAlias

_FULL_RO = 0x11C  # PyBUF_FULL_RO of CPython's pybuffer.h: any shape, any strides, read-only is enough
_CPYTHON = sys.implementation.name == "cpython"
_COUNTED = _CPYTHON and not sysconfig.get_config_var("Py_GIL_DISABLED")
_WORD = ctypes.sizeof(ctypes.c_ssize_t)
_HEAD = 2 * _WORD  # PyObject_HEAD; with ob_size, three words

Exporter: TypeAlias = "memoryview | bytearray | bytes | array.array[int] | mmap.mmap"
"""What exports a buffer here."""


class _PyBuffer(ctypes.Structure):
    """``Py_buffer`` of CPython's pybuffer.h."""

    _fields_ = (
        ("buf", ctypes.c_void_p),
        ("obj", ctypes.c_void_p),
        ("len", ctypes.c_ssize_t),
        ("itemsize", ctypes.c_ssize_t),
        ("readonly", ctypes.c_int),
        ("ndim", ctypes.c_int),
        ("format", ctypes.c_char_p),
        ("shape", ctypes.POINTER(ctypes.c_ssize_t)),
        ("strides", ctypes.POINTER(ctypes.c_ssize_t)),
        ("suboffsets", ctypes.POINTER(ctypes.c_ssize_t)),
        ("internal", ctypes.c_void_p),
    )


def address_of(exporter: Exporter) -> int | None:
    """Where the element with the index 0 lies, also of a read-only or strided view; None elsewhere than in CPython.

    The buffer is exported for that moment. Raises what the object raises: a released view `ValueError`.
    """
    if not _CPYTHON:
        return None
    get, release = _functions()
    found = _PyBuffer()
    get(exporter, ctypes.byref(found), _FULL_RO)
    try:
        return found.buf or 0
    finally:
        release(ctypes.byref(found))


@cache
def _functions() -> tuple[Callable[..., int], Callable[..., None]]:
    get, release = ctypes.pythonapi.PyObject_GetBuffer, ctypes.pythonapi.PyBuffer_Release
    get.argtypes, get.restype = [ctypes.py_object, ctypes.POINTER(_PyBuffer), ctypes.c_int], ctypes.c_int
    release.argtypes, release.restype = [ctypes.POINTER(_PyBuffer)], None
    return get, release


def exports_of(owner: object) -> int | None:
    """How many exports an object has, which forbid that it is resized or closed; None if that cannot be known.

    Several views may share one export: the slices of a view hold the one that it holds.
    """
    place = _EXPORTS.get(type(owner)) if _COUNTED else None
    if place is None or not place.right:
        return None
    return ctypes.c_ssize_t.from_address(id(owner) + place.offset).value


def export_of(view: memoryview) -> int | None:
    """A number for the export that a view holds: the same for all views that share it. None if it cannot be known."""
    if not _COUNTED or not _exports_are_there():
        return None
    return ctypes.c_size_t.from_address(id(view) + _HEAD + _WORD).value  # ``mbuf`` of PyMemoryViewObject


class _Place:
    """Where an object's count of exports stands, as far as it is right there."""

    def __init__(self, offset: int, make: Callable[[], Exporter]) -> None:
        self.offset, self._make = offset, make

    @property
    def right(self) -> bool:
        """Whether the count follows the exports of an object made for this."""
        return _follows(self)

    def counts(self) -> bool:
        """Export an object two times and no more, and compare."""
        made = self._make()
        if self.offset + _WORD > type(made).__basicsize__:
            return False
        seen, held = [self._count(made)], []
        for _ in range(2):
            held.append(memoryview(made))
            seen.append(self._count(made))
        while held:
            held.pop().release()
            seen.append(self._count(made))
        return seen == [0, 1, 2, 1, 0]

    def _count(self, made: Exporter) -> int:
        return ctypes.c_ssize_t.from_address(id(made) + self.offset).value


@cache
def _follows(place: _Place) -> bool:
    return place.counts()


@cache
def _exports_are_there() -> bool:
    at = _HEAD + _WORD
    one, other = memoryview(bytearray(2)), memoryview(bytearray(2))
    words = [ctypes.c_size_t.from_address(id(each) + at).value for each in (one, one[1:], one.cast("b"), other)]
    return words[0] == words[1] == words[2] != words[3]


_EXPORTS: dict[type, _Place] = {
    bytearray: _Place(_HEAD + 4 * _WORD, lambda: bytearray(1)),  # ob_exports of bytearrayobject.h
    array.array: _Place(_HEAD + 5 * _WORD, lambda: array.array("B", [0])),  # ob_exports of arraymodule.c
    mmap.mmap: _Place(_HEAD + 4 * _WORD, lambda: mmap.mmap(-1, 1)),  # exports of mmapmodule.c, where off_t is a word
}
