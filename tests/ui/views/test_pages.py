"""The pages of the views pane as text: all that Python knows, which bytes, values; at both widths."""

from __future__ import annotations

import array
import mmap
import struct
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import pytest

from netlab.lab.views.coverage import cover
from netlab.lab.views.looking import Named, group_of, groups
from netlab.lab.views.view_facts import BufferKey, Group
from netlab.ui.views.attributes import attribute_rows
from netlab.ui.views.chosen_view import Choice
from netlab.ui.views.listing import STEPS, held, listing_rows
from netlab.ui.views.map_page import map_rows
from netlab.ui.views.maps import NOT_SHOWN, PARTLY, SHOWN, map_of, values_of
from netlab.ui.views.rows import ChosenView, ViewRow, find, subjects

WIDTHS = pytest.mark.parametrize("width", [73, 78, 118])


class Held:
    """Buffers and views with names."""

    def __init__(self, **named: object) -> None:
        self.named = named

    @property
    def groups(self) -> tuple[Group, ...]:
        return groups([Named(name, what) for name, what in self.named.items()])

    @contextmanager
    def lends(self, key: BufferKey) -> Iterator[memoryview | None]:
        owners = [what.obj if isinstance(what, memoryview) else what for what in self.named.values()]
        owner = next(owner for owner in owners if id(owner) == key)
        with memoryview(owner) as view, view.cast("B") as flat:  # type: ignore[arg-type]
            yield flat


def several() -> Held:
    a, h = bytearray(b"aaaaaa" + bytes(58)), array.array("H", [1, 2])
    v = memoryview(a)
    return Held(
        a=a, v=v, w=v[::2], m=v.cast("B", [8, 8]), r=v.toreadonly(), h=h, g=memoryview(h), p=mmap.mmap(-1, 4096)
    )


def text(rows: Sequence[ViewRow]) -> str:
    return "\n".join(row.text for row in rows)


@WIDTHS
def test_every_attribute_of_every_view_has_a_place(width: int) -> None:
    made = several()
    rows = attribute_rows(made.groups, None, width)
    assert max(len(row.text) for row in rows) <= width
    shown = text(rows)
    for word in ["nbytes", "itemsize", "format", "ndim", "shape", "strides", "readonly", "c_contiguous", "address"]:
        assert word in shown
    for group in made.groups:
        for view in group.views:
            mine = " ".join(
                row.text for row in rows if row.subject == ChosenView(group.buffer and group.buffer.key, view.name)
            )
            values = [view.itemsize, repr(view.format), view.ndim, view.shape, view.strides, view.readonly]
            for value in (view.name, f"{view.address:#x}", f"{view.nbytes:,}", view.kind, *values, view.c_contiguous):
                assert str(value) in mine, (view.name, value)


def test_a_view_takes_one_line_where_it_fits_and_two_where_not() -> None:
    made = several()
    assert sum(row.style == "view" for row in attribute_rows(made.groups, None, 118)) == 5
    assert sum(row.style == "view" for row in attribute_rows(made.groups, None, 73)) == 10


def test_exports_say_what_they_forbid_and_a_released_view_is_named() -> None:
    a = bytearray(4)
    v = memoryview(a)
    w = v[1:]
    made = Held(a=a, v=v, w=w)
    assert "it cannot be resized" in text(attribute_rows(made.groups, None, 118))
    v.release()
    assert "it cannot be resized" in text(attribute_rows(made.groups, None, 118))
    w.release()
    shown = text(attribute_rows(made.groups, None, 118))
    assert "it can be resized" in shown
    assert shown.count("released") == 2
    assert "its bytes never change" in text(attribute_rows(Held(b=b"abc").groups, None, 118))
    assert "resized or closed" in text(attribute_rows(Held(p=mmap.mmap(-1, 9)).groups, None, 118))
    assert "a = bytearray" in text(attribute_rows((), None, 78))


def test_what_is_chosen_is_marked_without_colour_and_found_again() -> None:
    made = several()
    there = subjects(made.groups)
    for subject in there:
        for rows in (attribute_rows(made.groups, subject, 78), map_rows(made.groups, subject, 78, made.lends)):
            (marked,) = [row for row in rows if row.text.startswith("▸")]
            assert marked.subject == subject
        buffer, view = find(made.groups, subject)
        assert buffer is not None
        assert (view.name if view is not None else "") == subject.view
    assert find(made.groups, ChosenView(None, "v")) == (None, None)


def test_what_is_chosen_stays_and_comes_back() -> None:
    a, choice = bytearray(8), Choice()
    v = memoryview(a)
    w, x = v[1:], v[2:]
    choice.settle(Held(a=a, v=v, w=w).groups)
    assert choice.subject == ChosenView(BufferKey(id(a)), "v"), "the first view"
    choice.step(Held(a=a, v=v, w=w).groups, 1)
    choice.settle(Held(a=a, v=v).groups)
    assert choice.subject == ChosenView(BufferKey(id(a)), "v"), "w is gone"
    choice.settle(Held(a=a, v=v, w=w).groups)
    assert choice.subject == ChosenView(BufferKey(id(a)), "w"), "and comes back"
    choice.awaited = "x"
    choice.settle(Held(a=a, v=v, w=w, x=x).groups)
    assert choice.subject == ChosenView(BufferKey(id(a)), "x"), "a key has made it"
    x.release()
    choice.settle(Held(a=a, v=v, w=w, x=x).groups)
    assert choice.subject is not None
    assert choice.subject.view == "x", "it is still listed"
    choice.step(Held(a=a, v=v).groups, 1)
    assert choice.subject == ChosenView(BufferKey(id(a))), "from nowhere to the first"
    choice.settle(())
    assert choice.subject is None


@pytest.mark.parametrize("part", [slice(None), slice(None, None, 2), slice(4, 8), slice(None, None, -3)])
def test_a_map_marks_the_bytes_that_a_view_shows(part: slice) -> None:
    view = memoryview(bytearray(24))[part]
    covered = cover(group_of("v", view).views[0])
    assert covered is not None
    shown = {at for each in covered.elements(0, 24) for at in range(each.start, each.end)}
    assert map_of(covered, 24, 30) == "".join(SHOWN if at in shown else NOT_SHOWN for at in range(24))
    assert len(map_of(covered, 24, 7)) == 6
    parts = [{at in shown for at in range(cell, cell + 4)} for cell in range(0, 24, 4)]
    assert map_of(covered, 24, 7) == "".join(
        PARTLY if len(p) == 2 else SHOWN if p == {True} else NOT_SHOWN for p in parts
    )


def test_a_map_of_a_gigabyte_is_made_at_once() -> None:
    with mmap.mmap(-1, 1 << 30) as pages, memoryview(pages) as view, view[5 : 1 << 29] as half:
        covered = cover(group_of("v", half).views[0])
    assert covered is not None
    drawn = map_of(covered, 1 << 30, 32)
    assert drawn == PARTLY + SHOWN * 15 + NOT_SHOWN * 16


def test_values_are_those_that_python_lists() -> None:
    flat = memoryview(bytearray(range(24)))
    for view in (
        flat.cast("H"),
        flat.cast("I")[::-1],
        flat.cast("B", [4, 6]),
        flat.cast("B").cast("H", [3, 4])[::2],
        flat.cast("d"),
    ):
        covered = cover(group_of("v", view).views[0])
        assert covered is not None
        assert values_of(covered, flat, 1000) == str(view.tolist())
        cut = values_of(covered, flat, 12)
        assert cut == f"{str(view.tolist())[:11]}…"
    covered = cover(group_of("v", flat[::2]).views[0])
    assert covered is not None
    assert values_of(covered, flat, 1000) == repr(bytes(flat[::2]))
    assert len(values_of(covered, flat, 20)) <= 20


@WIDTHS
def test_a_write_through_one_view_is_seen_in_all_that_show_these_bytes(width: int) -> None:
    a = bytearray(b"aaaaaa")
    v = memoryview(a)
    made = Held(a=a, v=v, w=v[::2], e=v[4:])
    v[0:2] = b"bb"
    rows = {row.subject.view: row.text for row in map_rows(made.groups, None, width, made.lends) if row.subject}
    assert (rows["v"].split()[-1], rows["w"].split()[-1], rows["e"].split()[-1]) == ("b'bbaaaa'", "b'baa'", "b'aa'")
    assert max(map(len, rows.values())) <= width


@WIDTHS
def test_the_tutorials_listing_shows_which_slices_are_copies(width: int) -> None:
    objects: dict[str, object] = {"struct": struct}
    for done, step in enumerate(STEPS, 1):
        try:
            exec(step.line, objects)
        except TypeError:
            assert "TypeError" in step.remark
        named = {name: what for name, what in objects.items() if isinstance(what, bytes | bytearray | memoryview)}
        made = Held(**named)
        rows = listing_rows(held(made.groups, made.lends, 20), done, width, "space runs the next line")
        assert max(len(row.text) for row in rows) <= width
        shown = [row.text for row in rows]
    assert [line.split("  ")[-1] for line in shown[1:7]] == [
        "b'bbaaaa'", "b'aaaaaa'", "b'bbaaaa' = a", "b'aa'", "b'cc'", "b'bb' = a",
    ]  # fmt: skip
    assert [line.split()[-2] for line in shown[2:6:3]] == ["6", "2"]
    assert "c is b'cc', a is b'bbaaaa'" in shown[8]
    assert len(rows) <= 13, "it is on one small screen"
