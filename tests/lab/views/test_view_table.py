"""What Python knows of buffers and views, made by hand, and that looking at them leaves nothing behind."""

from __future__ import annotations

import array
import mmap
import sys
import tempfile
import threading
import tracemalloc
from dataclasses import dataclass
from pathlib import Path

import pytest

from netlab.capture.capture_file import Capture
from netlab.lab.errors import LabError
from netlab.lab.views.coverage import cover
from netlab.lab.views.looking import group_of
from netlab.lab.views.python_buffers import address_of, exports_of
from netlab.lab.views.view_facts import Group, ViewFacts
from netlab.lab.views.view_table import MOST_NAMES, ViewTable
from tests.support.large_capture import MARK, SIZE, write_large_capture


@dataclass
class Holding:
    """A client with a buffer."""

    owner: object
    buffer: memoryview


def table(client: object = None, **names: object) -> ViewTable:
    made = ViewTable("z", lambda: client)
    for name, value in names.items():
        made.keep(name, value)
    return made


def only(groups: tuple[Group, ...]) -> Group:
    (group,) = groups
    return group


def facts(view: memoryview, name: str = "v") -> ViewFacts:
    return group_of(name, view).views[0]


def test_views_of_one_buffer_stand_together_with_all_that_python_says_of_them() -> None:
    a = bytearray(64)
    v = memoryview(a)
    group = only(table(a=a, v=v, w=v[4:12:2], m=v.cast("B", [8, 8]), r=v.toreadonly()[60:], also=v).table())
    buffer, views = group.buffer, {view.name: view for view in group.views}
    assert buffer is not None
    assert (buffer.kind, buffer.names, buffer.nbytes, buffer.readonly) == ("bytearray", ("a",), 64, False)
    assert buffer.address == address_of(a)
    assert list(views) == ["v", "w", "m", "r"] and views["v"].also == ("also",)
    w, m, r = views["w"], views["m"], views["r"]
    assert (w.nbytes, w.itemsize, w.format, w.ndim, w.shape, w.strides) == (4, 1, "B", 1, (4,), (2,))
    assert (w.address, w.offset) == (address_of(a) + 4, 4) and not w.c_contiguous and not w.readonly
    assert (m.shape, m.strides, m.c_contiguous, m.kind) == ((8, 8), (8, 1), True, "bytearray")
    assert r.readonly and r.offset == 60


def test_the_count_of_exports_is_not_the_number_of_views() -> None:
    a = bytearray(8)
    v = memoryview(a)
    known = table(v=v, w=v[2:], x=memoryview(a))
    hidden = memoryview(a)
    buffer = only(known.table()).buffer
    assert buffer is not None
    assert (buffer.exports, buffer.at_least, buffer.unnamed) == (3, 2, 1)
    hidden.release()
    v.release()  # its slice holds the same export
    group = only(known.table())
    assert group.buffer is not None and (group.buffer.exports, group.buffer.exports_text) == (2, "2")
    assert [(view.name, view.released, view.kind) for view in group.views] == [
        ("v", True, "bytearray"), ("w", False, "bytearray"), ("x", False, "bytearray"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("owner", "kind", "exports"),
    [(bytearray(8), "bytearray", 1), (array.array("H", [1, 2]), "array", 1), (mmap.mmap(-1, 8), "mmap", 1),
     (b"12345678", "bytes", None)],
)  # fmt: skip
def test_each_kind_of_buffer(owner: bytearray, kind: str, exports: int | None) -> None:
    buffer = only(table(v=memoryview(owner)).table()).buffer
    assert buffer is not None
    assert (buffer.kind, buffer.exports, buffer.at_least) == (kind, exports, 1)
    assert buffer.exports_text == ("1" if exports else "at least 1")
    assert buffer.address == address_of(owner)


def test_elsewhere_than_in_cpython_the_answers_are_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("netlab.lab.views.python_buffers._CPYTHON", False)
    monkeypatch.setattr("netlab.lab.views.python_buffers._COUNTED", False)
    v = memoryview(bytearray(8))
    group = only(table(v=v, w=v[2:]).table())
    buffer, view = group.buffer, group.views[0]
    assert buffer is not None
    assert (buffer.address, buffer.exports_text, view.address, view.offset) == (None, "at least 1", None, None)
    assert (view.shape, view.kind, cover(view)) == ((8,), "bytearray", None)


def test_a_client_s_own_view_is_listed_and_its_buffer_also_when_that_was_released() -> None:
    owner = bytearray(b"netlab")
    client = Holding(owner, memoryview(owner))
    known = table(client)
    group = only(known.table())
    assert group.buffer is not None and group.buffer.names == ("z.owner",)
    assert [view.name for view in group.views] == ["z.buffer"] and known.own == group.buffer.key
    client.buffer.release()
    group = only(known.table())
    assert group.buffer is not None and group.buffer.exports == 0
    assert [(view.name, view.released) for view in group.views] == [("z.buffer", True)]
    with known.bytes_of(group.buffer.key) as seen:
        assert seen is not None and bytes(seen) == b"netlab"


def test_a_released_view_of_a_buffer_that_is_gone_belongs_to_none() -> None:
    v = memoryview(bytearray(8))
    known = table(v=v)
    v.release()
    group = only(known.table())
    assert group.buffer is None and [(view.name, view.kind) for view in group.views] == [("v", "")]


def test_looking_leaves_no_export_behind() -> None:
    a = bytearray(8)
    known = table(a=a)
    key = known.table()[0].buffer
    assert key is not None
    with known.bytes_of(key.key) as seen:
        assert seen is not None and seen.readonly and exports_of(a) == 1
    assert exports_of(a) == 0
    a.extend(b"x")


def test_while_a_line_runs_a_look_neither_waits_nor_takes_a_view() -> None:
    a = bytearray(8)
    known = table(a=a)
    before, seen = known.table(), list[object]()

    def look() -> None:
        seen.append(known.table(wait=False))
        assert before[0].buffer is not None
        with known.bytes_of(before[0].buffer.key) as view:
            seen.append(view)

    with known.alone():
        a.append(1)
        looking = threading.Thread(target=look)
        looking.start()
        looking.join()
    assert seen == [before, None]
    assert known.table() != before


def test_names_are_bounded_in_number_and_in_what_they_hold() -> None:
    known = table(**{f"v{number}": 0 for number in range(MOST_NAMES)})
    known.keep("v0", 1)
    with pytest.raises(LabError, match="del NAME"):
        known.keep("one_more", 0)
    mapped = mmap.mmap(-1, SIZE // 2)  # takes no memory before it is written to
    known.keep("v1", memoryview(mapped))
    known.keep("v2", memoryview(mapped)[1:])
    with pytest.raises(LabError, match="the most is"):
        known.keep("v3", memoryview(mmap.mmap(-1, SIZE // 2 + 1)))


# No copy


def test_looking_at_a_large_buffer_copies_nothing() -> None:
    owner = mmap.mmap(-1, SIZE)
    client = Holding(owner, memoryview(owner))
    known = table(
        client, v=client.buffer[::3], w=client.buffer.cast("I"), m=client.buffer.cast("B", [1 << 14, 1 << 14])
    )
    known.table()
    key = known.own
    assert key is not None
    tracemalloc.start()
    try:
        group = only(known.table())
        coverage = [each for each in map(cover, group.views) if each is not None]
        shown = [list(each.elements(SIZE // 2, SIZE // 2 + 64)) for each in coverage]
        with known.bytes_of(key) as seen:
            assert seen is not None
            piece = bytes(seen[SIZE - 16 :])
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert (len(coverage), [len(each) for each in shown], len(piece)) == (4, [64, 21, 16, 64], 16)
    assert peak < 256 << 10


def test_looking_at_a_segment_of_a_mapped_capture_copies_nothing(tmp_path: Path) -> None:
    with Capture(write_large_capture(tmp_path / "large.pcapng")) as capture:
        capture.grow()
        known = table(v=memoryview(bytearray(1)))
        known.table()
        tracemalloc.start()
        try:
            view = capture.payload(1)
            known.keep("s", view)
            group = known.table()[1]
            coverage = cover(group.views[0])
            shown = group_of("segment 2", view)
            assert coverage is not None and group.buffer is not None
            with known.bytes_of(group.buffer.key) as whole:
                assert whole is not None
                end = bytes(whole[coverage.end - len(MARK) : coverage.end])
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
    assert (end, coverage.nbytes, shown.views[0].address) == (MARK, SIZE, group.views[0].address)
    assert (group.buffer.kind, group.buffer.readonly, group.views[0].readonly) == ("mmap", True, True)
    assert peak < 128 << 10


# Coverage


@pytest.mark.parametrize(
    "view",
    [
        memoryview(bytearray(range(64))),
        memoryview(bytearray(range(64)))[3:50:7],
        memoryview(bytearray(range(64)))[::-1],
        memoryview(bytearray(range(64)))[60:2:-9],
        memoryview(bytearray(range(64))).cast("I")[1:12:4],
        memoryview(bytearray(range(64))).cast("H")[::-3],
        memoryview(bytearray(range(64))).cast("B", [8, 8])[::-2],
        memoryview(bytearray(range(64))).cast("H", [2, 4, 4]),
        memoryview(bytearray(range(64)))[7:7],
        memoryview(b"x").cast("B", []),
    ],
    ids=lambda view: f"{view.shape}{view.strides}",
)
def test_each_byte_belongs_to_the_element_that_the_view_says(view: memoryview) -> None:
    known = facts(view)
    coverage = cover(known)
    assert coverage is not None
    with memoryview(view.obj) as whole, whole.cast("B") as flat:
        found = {}
        for byte in range(-2, flat.nbytes + 2):
            element = coverage.at(byte)
            if element is None:
                continue
            assert element.start <= byte < element.end and element == coverage.element(element.index)
            found[element.index] = element
            value = view[element.index[0]] if view.ndim == 1 else view[element.index]
            assert flat[element.start : element.end].tobytes() == value.to_bytes(view.itemsize, sys.byteorder)
    assert len(found) == coverage.count and coverage.nbytes == view.nbytes
    assert list(coverage.elements(0, 64)) == sorted(found.values(), key=lambda each: each.start)
    shown = [byte for byte in range(coverage.start, coverage.end) if coverage.at(byte)]
    assert coverage.has_gaps == (len(shown) < coverage.end - coverage.start)


def test_a_read_only_mapping_has_an_address_too() -> None:
    with tempfile.TemporaryFile() as file:
        file.write(b"0123456789")
        file.flush()
        mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        view = memoryview(mapped)[4:]
        group = group_of("s", view)
        assert group.buffer is not None
        assert (group.buffer.kind, group.buffer.readonly, group.views[0].offset) == ("mmap", True, 4)
        own = group_of("v", memoryview(mmap.mmap(-1, 1))).buffer
        assert own is not None and (group.buffer.mapped_file, own.mapped_file) == (True, False)
        view.release()
