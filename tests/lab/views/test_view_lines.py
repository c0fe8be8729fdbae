"""Console lines about buffers and views: what is one, what it does, what it copies, and why Python refuses it."""

from __future__ import annotations

import array
import mmap
import random
import sys
import tempfile
import tracemalloc
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from netlab.lab.errors import LabError
from netlab.lab.views.looking import exports, is_released
from netlab.lab.views.performing import ATTRIBUTES, METHODS, PythonRefused, perform
from netlab.lab.views.reading_lines import FUNCTIONS, Known, read_line
from netlab.lab.views.view_table import ViewTable
from tests.support.large_capture import SIZE

OPERATIONS = ("receive", "view", "copy", "resize", "write")


@dataclass
class Holding:
    """A client with a buffer."""

    owner: bytearray
    buffer: memoryview


class Console:
    """The lines of one client."""

    def __init__(self, *, remote: bool = False, operations: tuple[str, ...] = OPERATIONS) -> None:
        owner = bytearray(range(64))
        self.client = Holding(owner, memoryview(owner))
        with tempfile.TemporaryFile() as file:
            file.write(b"a payload that was captured")
            file.flush()
            self.mapped = memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
        self.views = ViewTable("z", lambda: self.client, lambda number: self.mapped[number:])
        self._remote, self._operations = remote, operations

    def reads(self, line: str) -> str | None:
        """How the transcript shows the line; None if it is about something else."""
        read = read_line(line, Known(self.views.names, "z", self._operations, self._remote))
        return None if read is None else read.text

    def run(self, *lines: str) -> tuple[object, str]:
        """The value that the last line shows, and its note."""
        outcome = None
        for line in lines:
            read = read_line(line, Known(self.views.names, "z", self._operations, self._remote))
            assert read is not None, line
            outcome = perform(read.statement, self.views)
        assert outcome is not None
        return outcome.value if outcome.shown else None, outcome.note

    def refused(self, *lines: str) -> tuple[str, str]:
        """The exception of the last line as Python words it, and the reason."""
        if lines[1:]:
            self.run(*lines[:-1])
        with pytest.raises(PythonRefused) as caught:
            self.run(lines[-1])
        return f"{type(caught.value.error).__name__}: {caught.value.error}", caught.value.reason


@pytest.fixture
def console() -> Console:
    return Console()


# Which lines they are


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("v = view(0, 64)", "v = z.buffer[0:64]"),
        ("v = z.view(0, 64)", "v = z.buffer[0:64]"),
        ("v = view()", "v = z.buffer"),
        ("a = bytearray(64)", "a = bytearray(64)"),
        ("h = array('H', [1, 2])", "h = array('H', [1, 2])"),
        ("s = segment(7)", "s = segment(7)"),
        ("w=v [4 : 8]", "w = v[4:8]"),
        ("v[::2]", "v[::2]"),
        ('v[0:4] = b"abcd"', "v[0:4] = b'abcd'"),
        ("v.cast('B', [8, 8])", "v.cast('B', [8, 8])"),
        ("v.cast('B', shape=[8, 8])", "v.cast('B', shape=[8, 8])"),
        ("m = v", "m = v"),
        ("v[0, 1]", "v[0, 1]"),
        ("v[0:n]", "v[0:n]"),
        ("len(v)", "len(v)"),
        ("v == v[4:8]", "v == v[4:8]"),
        ("v", "v"),
        ("del v", "del v"),
        ("z.buffer.release()", "z.buffer.release()"),
        ("z.owner", "z.owner"),
        ("struct.unpack_from('!H', v, 2)", "struct.unpack_from('!H', v, 2)"),
    ],
)
def test_a_line_about_views_is_shown_as_python(console: Console, line: str, shown: str) -> None:
    console.run("v = z.buffer[0:]", "n = len(v)")
    assert console.reads(line) == shown


@pytest.mark.parametrize(
    "line",
    ["view(0, 64)", "z.view(0, 64)", "copy(0, 4)", "send(v)", "Hello v", "16 MiB", "x = 5", "del x", "a.b", "v is v",
     "v + v", "v; v", "GET /view(0) HTTP/1.1", "bytearray", "v < v", "", "view", "if v: pass", "v += 1", "x, y = v, v"],
)  # fmt: skip
def test_other_lines_are_left_to_others(line: str) -> None:
    console = Console(operations=(*OPERATIONS, "send"))
    console.run("v = z.buffer[0:]")
    assert console.reads(line) is None


def test_with_a_server_that_has_operations_of_its_own_a_call_is_the_server_s() -> None:
    console = Console(remote=True, operations=())
    console.run("v = z.buffer[0:]")
    assert [console.reads(line) for line in ("segment(7)", "len('ab')", "get(v)")] == [None] * 3
    assert [console.reads(line) for line in ("s = segment(7)", "len(v)")] == ["s = segment(7)", "len(v)"]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("v[4:8", "not complete Python"),
        ("w = view(0, 64", "not complete Python"),
        ("print(v)", "not called here"),
        ("v.__class__", "no attribute '__class__'"),
        ("v.cast(x)", "nothing is named x"),
        ("v.cast(**{})", r"\*\* is not supported"),
        ("v[0] = x", "nothing is named x"),
        ("v[(lambda: 0)()]", "neither a literal nor a view|not called here"),
        ("w = bytearray(open('/etc/passwd'))", "not called here"),
        ("w = bytearray(b'x' * 99999999)", "the most is"),
        ("z = bytearray(4)", "z already stands for the client"),
        ("view = bytearray(4)", r"view already stands for view\(\)"),
        ("len = bytearray(4)", r"len already stands for len\(\)"),
        ("match = bytearray(4)", "Python's own name"),
        ("segment('a')", "the number of a segment"),
        ("w = bytearray(99999999999)", "99,999,999,999 bytes"),
        ("v.obj.clear()", "not used here"),
        ("v.cast", r"v.cast\(…\) calls it"),
        ("v[0].to_bytes()", "not used here"),
    ],
)
def test_what_no_line_may_say_is_refused_in_a_sentence(console: Console, line: str, said: str) -> None:
    console.run("v = z.buffer[0:]")
    with pytest.raises((LabError, PythonRefused), match=said):
        console.run(line)
    assert set(console.views.names) == {"v"}


# What they copy


@pytest.mark.parametrize(
    ("line", "value", "note"),
    [
        ("v[4:8].tobytes()", bytes([4, 5, 6, 7]), "4 bytes copied: the copy begins at 0x"),
        ("bytes(v)", bytes(range(64)), "64 bytes copied: the copy begins at 0x"),
        ("bytes(v)[0:2]", b"\x00\x01", "66 bytes copied"),
        ("v.tolist()[0:2]", [0, 1], "0 bytes copied"),
        ("v[0:4].tolist()", [0, 1, 2, 3], "0 bytes copied: the numbers were read where they lie"),
        ("v[0:2].hex(' ')", "00 01", "0 bytes copied: the text was made of them"),
        ("len(v)", 64, "0 bytes copied"),
        ("v[5]", 5, "0 bytes copied: read where it lies, byte 5 of the bytearray"),
        ("v[-1]", 63, "0 bytes copied: read where it lies, byte 63 of the bytearray"),
        ("m[1, 2]", 10, "0 bytes copied: read where it lies, byte 10 of the bytearray"),
        ("v == bytes(v)", True, "64 bytes copied: compared where they lie"),
        ("v != v[::-1]", True, "0 bytes copied: compared where they lie"),
        ("struct.unpack_from('!H', v, 2)", (515,), "0 bytes copied: the numbers were read where they lie"),
        ("struct.unpack('!H', bytes(v[2:4]))", (515,), "2 bytes copied: the numbers were read from the copy"),
        ("v.shape", (64,), "0 bytes copied"),
        ("h.tolist()", [1, 2], "0 bytes copied"),
        ("z.owner[0:2]", bytearray(b"\0\1"), "2 bytes copied"),
        ("b[:]", b"ab", "0 bytes copied: it is the same bytes"),
        ("b[0:1]", b"a", "1 byte copied"),
    ],
)
def test_values_and_how_many_bytes_were_copied(console: Console, line: str, value: object, note: str) -> None:
    console.run("v = view(0, 64)", "m = v.cast('B', [8, 8])", "h = array('H', [1, 2])", "b = bytes(bytearray(b'ab'))")
    shown, said = console.run(line)
    assert shown == value and type(shown) is type(value)
    assert said.startswith(note)


@pytest.mark.parametrize(
    ("line", "note"),
    [
        ("w = v[4:8]", ", byte 4 of the bytearray"),
        ("w = v[::2]", ", byte 0 of the bytearray, and shows 32 of 63 bytes there"),
        ("w = v[::-1]", ", byte 63 of the bytearray, backwards"),
        ("w = v.cast('H')", ", byte 0 of the bytearray"),
        ("w = v.toreadonly()", ", byte 0 of the bytearray"),
        ("w = memoryview(v)", ", byte 0 of the bytearray"),
        ("w = segment(7)[2:]", ", byte 9 of the mmap"),
    ],
)
def test_a_view_copies_nothing_and_lies_where_its_buffer_does(console: Console, line: str, note: str) -> None:
    console.run("v = view(0, 64)")
    _, said = console.run(line)
    assert said.startswith("0 bytes copied: the view begins at 0x") and said.endswith(note)


def test_writing_through_one_view_changes_the_others(console: Console) -> None:
    console.run("v = view(0, 64)", "w = v[2:4]", "m = v.cast('B', [8, 8])", "b = bytes(v)")
    assert console.run("v[0:4] = b'abcd'")[1] == "4 bytes copied into the bytearray, from byte 0 on"
    assert console.run("w.tobytes()")[0] == b"cd"
    assert console.run("m[0, 1] = 90")[1] == "1 byte copied into the bytearray, from byte 1 on"
    assert console.run("v[0:4].tobytes()")[0] == b"aZcd" and console.run("b[0:4]")[0] == bytes(range(4))
    assert bytes(console.client.owner[:4]) == b"aZcd"


def test_the_tutorial_s_listing(console: Console) -> None:
    assert "6 bytes copied" in console.run("a = bytearray(b'Hello!')")[1]
    assert console.run("b = a[:2]")[1].startswith("2 bytes copied")
    console.run("b[:2] = b'bb'")
    assert console.run("a")[0] == bytearray(b"Hello!")
    assert console.run("m = memoryview(a)", "n = m[:2]")[1].startswith("0 bytes copied")
    console.run("n[:2] = b'bb'")
    assert console.run("a")[0] == bytearray(b"bbllo!")


# Exports


def test_a_resize_is_refused_until_the_last_view_is_released(console: Console) -> None:
    resize = "BufferError: Existing exports of data: object cannot be re-sized"
    assert console.refused("v = view(0, 4)", "w = v[1:]", "z.owner.extend(b'x')") == (
        resize,
        "its bytes may move when its length changes, and views would show freed memory; "
        "1 export of the bytearray is held by z.buffer, v, w",
    )
    assert console.run("v.release()")[1] == "released; 1 export of the bytearray is held by z.buffer, w"
    assert console.run("del w")[1] == "w is gone, and its view; 1 export of the bytearray is held by z.buffer"
    assert console.refused("z.owner[0:0] = b'xx'")[0] == resize
    assert console.run("z.buffer.release()")[1] == "released; no export of the bytearray is left: it can be resized"
    assert console.run("z.owner.extend(b'x')")[1].startswith("1 byte copied to its end; it has 65 bytes now, ")
    assert exports(console.client.owner) == 0


def test_an_export_that_has_no_name_is_counted(console: Console) -> None:
    held = memoryview(console.client.owner)
    assert console.run("z.buffer.release()")[1] == "released; 1 export of the bytearray is held by 1 that has no name"
    held.release()


def test_one_s_own_buffers_grow(console: Console) -> None:
    assert console.run("a = bytearray(b'net')", "a.extend(b'lab')", "a")[0] == bytearray(b"netlab")
    assert console.run("a.append(33)", "h = array('H', [1])", "h.extend([2, 3])", "h")[0] == array.array("H", [1, 2, 3])
    assert console.refused("k = memoryview(h)", "h.append(4)")[0] == (
        "BufferError: cannot resize an array that is exporting buffers"
    )
    assert console.run("j = k", "del k")[1] == "k is forgotten; the view has another name"
    assert console.run("del j", "h.append(4)")[1].startswith("2 bytes copied to its end")


# Refusals


@pytest.mark.parametrize(
    ("line", "error", "reason"),
    [
        ("v.cast('>H')", "ValueError: memoryview: destination format must be", "struct.unpack_from('>H', …) reads"),
        ("v[::2].cast('H')", "TypeError: memoryview: casts are restricted", "bytes(…) puts them together, in a copy"),
        ("v.cast('H').cast('I')", "TypeError: memoryview: cannot cast between", "as in v.cast('B').cast('I')"),
        ("m[0]", "NotImplementedError: multi-dimensional sub-views", "as in m[0, 1]"),
        ("v[0:4] = b'abc'", "ValueError: memoryview assignment: lvalue and", "both sides need as many elements"),
        ("r[0] = 1", "TypeError: cannot modify read-only memory", "read-only, though the bytearray is not"),
        ("s[0] = 1", "TypeError: cannot modify read-only memory", "the file is mapped for reading only"),
        ("b[0] = 1", "TypeError: 'bytes' object does not support", "bytearray(…) makes a copy that does"),
        ("memoryview(b)[0] = 1", "TypeError: cannot modify read-only memory", "bytes never change"),
        ("old[0]", "ValueError: operation forbidden on released", "it was released"),
        ("bytes(old)", "ValueError: operation forbidden on released", "it was released"),
        ("v[64]", "IndexError: index out of bounds", ""),
        ("v[0] = 300", "ValueError: memoryview: invalid value", ""),
        ("a[0] = 300", "ValueError: byte must be in range(0, 256)", ""),
        ("v[::0]", "ValueError: slice step cannot be zero", ""),
        ("v.append()", "AttributeError: 'memoryview' object has no attribute 'append'", ""),
        ("r.append(1)", "AttributeError: 'memoryview' object has no attribute 'append'", ""),
        ("v.append(1)", "AttributeError: 'memoryview' object has no attribute 'append'", ""),
        ("struct.unpack_from('!I', v, 62)", "error: unpack_from requires a buffer", ""),
        ("view(0, 1, 2)[0]", "TypeError: view() takes a start and a stop", ""),
        ("bytes('text')[0]", "TypeError: string argument without an encoding", ""),
        ("v['a']", "TypeError: memoryview: invalid slice key", ""),
    ],
)  # fmt: skip
def test_python_s_own_words_and_one_reason(console: Console, line: str, error: str, reason: str) -> None:
    console.run(
        "v = view(0, 64)", "m = v.cast('B', [8, 8])", "r = v.toreadonly()", "s = segment(2)", "a = bytearray(4)"
    )
    console.run("b = bytes(a)", "old = v[0:1]", "old.release()")
    said, why = console.refused(line)
    assert said.startswith(error)
    assert (reason in why) if reason else why == ""


def test_a_refused_line_holds_nothing(console: Console) -> None:
    console.run("a = bytearray(4)")
    for line in ("memoryview(a)[9]", "memoryview(a).foo", "memoryview(a).cast('>H')", "a.extend(memoryview(a))"):
        try:
            console.run(line)
        except PythonRefused as error:
            kept = error
            assert exports(console.views.names["a"]) == 0, (line, kept)
    assert console.run("a.extend(b'x')")


# Bounds


@pytest.mark.parametrize(
    "line",
    ["bytes(z.buffer)", "z.buffer.tolist()", "z.buffer.hex()", "z.owner[::2]", "z.buffer.tobytes()",
     "z.buffer == z.buffer[0:]", "v[0:] = z.buffer", "a.extend(z.buffer)", "b = bytearray(z.buffer)",
     "struct.unpack_from('65537s', z.buffer)", "struct.unpack_from('99999999999x', z.buffer)",
     "h = array('B', z.buffer)", "v[0:4194306:2] = v[0:4194304][::2]", "bytes(v[0:4194304:2])",
     "v[0:200000] == v[0:200000].cast('b')", "h = array('B', v[0:200000])", "z.owner.hex()",
     "struct.unpack_from(f, v)"],
)  # fmt: skip
def test_what_would_take_long_is_refused_before_it_begins(line: str) -> None:
    console = Console()
    owner = mmap.mmap(-1, SIZE) if "owner.hex" not in line else bytearray(2 << 20)
    console.client = Holding(owner, memoryview(owner))  # type: ignore[arg-type]  # any buffer
    console.run("v = z.buffer[0:]", "a = bytearray(4)", "f = bytearray(b'x' * 2000).hex()")
    tracemalloc.start()
    try:
        with pytest.raises(LabError, match="the most is"):
            console.run(line)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 256 << 10


def test_lines_on_a_large_buffer_copy_only_what_they_say() -> None:
    console = Console()
    owner = mmap.mmap(-1, SIZE)
    console.client = Holding(owner, memoryview(owner))  # type: ignore[arg-type]  # any buffer
    lines = ["v = view()", "w = v[::2]", "m = v.cast('B', [16384, 16384])", "m[16383, 0]", "v[5:9] = b'abcd'",
             "len(w)", "v.toreadonly()", "i = v.cast('I')[1::7]", "i.shape", "struct.unpack_from('!H', v, 5)",
             "del w"]  # fmt: skip
    console.run(*lines)
    console = Console()
    console.client = Holding(owner, memoryview(owner))  # type: ignore[arg-type]  # any buffer
    tracemalloc.start()
    try:
        console.run(*lines)
        console.views.table()
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 256 << 10


# Any line


def _any_lines(chance: random.Random) -> Iterator[str]:
    names = [
        "v",
        "w",
        "a",
        "h",
        "s",
        "m",
        "b",
        "n",
        "z.buffer",
        "z.owner",
        "view(0, 9)",
        "segment(3)",
        "nothing",
        "z",
        "5",
    ]
    methods = sorted({name for table in (ATTRIBUTES, METHODS) for each in table.values() for name in each})
    values = ["0", "-1", "b'ab'", "'H'", "'B', [2, 4]", "[1, 2]", "", "10 ** 9", "99999999999", "None", "1.5", "' '",
              "v", "'c', (8,)", "'>Q'", "'é'", "b'x' * 9", "...", "True", "{}", "lambda: 0", "'H', [1, 2]"]  # fmt: skip

    def expression(depth: int) -> str:
        inner = chance.choice(names) if depth == 0 or chance.random() < 0.3 else expression(depth - 1)
        part = chance.choice(values)
        match chance.randrange(8):
            case 0:
                return (
                    f"{inner}[{chance.choice(['0', '-1', '1:5', '::2', '::-1', '0, 1', ':', part, '3:n', '1:2, 3:4'])}]"
                )
            case 1 | 2:
                return f"{inner}.{chance.choice(methods)}({part})"
            case 3:
                return f"{chance.choice(FUNCTIONS)}({', '.join(filter(None, [inner, part]))})"
            case 4:
                return f"{chance.choice(FUNCTIONS)}({part})"
            case 5:
                return f"{inner} {chance.choice(['==', '!=', '<', 'is', '+'])} {chance.choice(names)}"
            case 6:
                return f"{inner}.{chance.choice(methods)}"
        return inner

    while True:
        one = expression(chance.randrange(4))
        match chance.randrange(5):
            case 0:
                yield f"{chance.choice(names)} = {one}"
            case 1:
                yield f"{chance.choice(names)}[{chance.choice(['0', '0:2', '::2', '0, 1', ':'])}] = {one}"
            case 2:
                yield f"del {chance.choice(names)}" if chance.random() < 0.1 else one
            case 3:
                yield one[: chance.randrange(len(one) + 1)]
            case _:
                yield one


@pytest.mark.parametrize("seed", range(3))
def test_any_line_gives_a_value_a_refusal_or_a_sentence(seed: int) -> None:
    chance, done = random.Random(seed), 0
    console = Console()
    console.run("v = view()", "a = bytearray(8)", "n = len(a)")
    for line in (line for line, _ in zip(_any_lines(chance), range(400), strict=False)):
        try:
            read = read_line(line, Known(console.views.names, "z", OPERATIONS))
            if read is not None:
                outcome = perform(read.statement, console.views)
                repr(outcome.value)[:100]
                assert outcome.note
                done += 1
        except (PythonRefused, LabError) as error:
            assert str(error)
        console.views.table()
        if is_released(console.client.buffer):
            console.client.buffer = memoryview(console.client.owner)
        if len(console.views.names) < 2:
            console.run("v = view()" if "v" not in console.views.names else "a = bytearray(8)")
    assert done > 20
    assert sys.getrefcount(console.client.owner) < 200
