"""Looks at views and buffers: makes their facts, copies none of their bytes, and holds nothing afterwards."""

from __future__ import annotations

import array
import mmap
from collections.abc import Iterable, Sequence
from contextlib import suppress
from types import ModuleType
from typing import TYPE_CHECKING, NamedTuple, TypeAlias, cast

from netlab.lab.views.view_facts import BufferFacts, BufferKey, Group, ViewFacts

if TYPE_CHECKING:
    from netlab.lab.views.python_buffers import Exporter

OWNERS = (bytearray, array.array, mmap.mmap, bytes)
"""Objects that own bytes."""
Owner: TypeAlias = "bytearray | array.array[int] | mmap.mmap | bytes"


class Released(NamedTuple):
    """What is remembered of a view, to say which buffer it showed once it is released."""

    buffer: BufferKey
    kind: str


class Named(NamedTuple):
    """A view or a buffer, the name under which a line reaches it, and what was remembered of it."""

    name: str
    what: object
    before: Released | None = None


def key_of(owner: object) -> BufferKey:
    """What names a buffer as long as it exists."""
    return BufferKey(id(owner))


def is_released(view: memoryview) -> bool:
    """Whether a view was released."""
    try:
        return view.nbytes < 0
    except ValueError:
        return True


def is_mapped_file(mapped: mmap.mmap) -> bool:
    """Whether a mapping is read-only, as that of a capture is: it takes no memory of its own."""
    return _size(mapped)[1]


def remembered(view: memoryview) -> Released | None:
    """What to remember of a view; None if it is released already."""
    with suppress(ValueError):
        return Released(key_of(view.obj), type(view.obj).__name__)
    return None


def groups(named: Sequence[Named]) -> tuple[Group, ...]:
    """The facts of all these views and buffers, by buffer, in the order in which they are given."""
    owners: dict[BufferKey, object] = {}
    names: dict[BufferKey, list[str]] = {}
    views: dict[BufferKey | None, list[ViewFacts]] = {}
    for each in named:
        if isinstance(each.what, OWNERS):
            key = key_of(each.what)
            owners.setdefault(key, each.what)
            names.setdefault(key, []).append(each.name)
        elif isinstance(each.what, memoryview) and not is_released(each.what):
            owners.setdefault(key_of(each.what.obj), each.what.obj)
    for name, also, view, before in _by_view(named):
        facts = _facts(name, also, view, before, owners)
        views.setdefault(facts.buffer, []).append(facts)
    found = [
        Group(_buffer(owner, names.get(key, ()), views.get(key, ())), tuple(views.get(key, ())))
        for key, owner in owners.items()
    ]
    return (*found, Group(None, tuple(views[None]))) if None in views else tuple(found)


def group_of(name: str, view: memoryview) -> Group:
    """The facts of one view and its buffer, such as those of the segment that a pane shows."""
    return groups([Named(name, view)])[0]


def _by_view(named: Sequence[Named]) -> Iterable[tuple[str, tuple[str, ...], memoryview, Released | None]]:
    """Each view once, under its first name, with its other names."""
    names: dict[int, list[str]] = {}
    for each in named:
        names.setdefault(id(each.what), []).append(each.name)
    for each in named:
        if isinstance(each.what, memoryview) and (known := names.pop(id(each.what), None)):
            yield known[0], tuple(known[1:]), each.what, each.before


def _facts(
    name: str, also: tuple[str, ...], view: memoryview, before: Released | None, owners: dict[BufferKey, object]
) -> ViewFacts:
    if is_released(view):
        if before is None or type(owners.get(before.buffer)).__name__ != before.kind:  # another may be there since
            return ViewFacts(name, also=also, released=True)
        return ViewFacts(name, before.kind, also, before.buffer, released=True)
    at, base = address(view), address(view.obj)
    key = key_of(view.obj)
    return ViewFacts(
        name=name,
        kind=type(view.obj).__name__,
        also=also,
        buffer=key,
        export=_python().export_of(view) or key,
        address=at,
        offset=None if at is None or base is None else at - base,
        nbytes=view.nbytes,
        itemsize=view.itemsize,
        format=view.format,
        ndim=view.ndim,
        shape=tuple(view.shape or ()),
        strides=tuple(view.strides or ()),
        suboffsets=tuple(view.suboffsets or ()),
        readonly=view.readonly,
        c_contiguous=view.c_contiguous,
    )


def _buffer(owner: object, names: Sequence[str], views: Sequence[ViewFacts]) -> BufferFacts:
    nbytes, readonly = _size(owner)
    living = {view.export for view in views if not view.released}
    return BufferFacts(
        key=key_of(owner),
        kind=type(owner).__name__,
        names=tuple(names),
        address=address(owner),
        nbytes=nbytes,
        readonly=readonly,
        exports=exports(owner),
        at_least=len(living),
    )


def _python() -> ModuleType:
    """What asks CPython; late, because ctypes takes 2.5 ms that starting need not spend."""
    from netlab.lab.views import python_buffers

    return python_buffers


def address(exporter: object) -> int | None:
    """Where it lies; None if it does not say, as a mapping that was closed."""
    with suppress(ValueError, TypeError, BufferError):
        found: int | None = _python().address_of(cast("Exporter", exporter))
        return found
    return None


def exports(owner: object) -> int | None:
    """How many exports it has; None if that is not known."""
    found: int | None = _python().exports_of(owner)
    return found


def _size(owner: object) -> tuple[int, bool]:
    """Its bytes, and whether they cannot be written to; none of a mapping that was closed."""
    with suppress(ValueError, TypeError, BufferError), memoryview(cast("bytes", owner)) as view:
        return view.nbytes, view.readonly
    return 0, True
