"""What completes a line about buffers and views, and what is said of it while it is typed."""

from __future__ import annotations

import pytest

from netlab.lab.views.completing import ViewCompletion
from netlab.lab.views.view_table import ViewTable
from tests.lab.views.test_view_lines import OPERATIONS, Console


@pytest.fixture(scope="module")
def completion() -> ViewCompletion:
    console = Console()
    console.run("v = view(0, 8)", "value = len(v)", "a = bytearray(4)", "h = array('H', [1])", "b = bytes(a)")
    return ViewCompletion(console.views)


@pytest.mark.parametrize(
    ("line", "first"),
    [
        ("va", ["value"]),
        ("v.ca", ["v.cast("]),
        ("w = v.re", ["w = v.release()", "w = v.readonly"]),
        ("v[::2].to", ["v[::2].tolist()", "v[::2].tobytes()", "v[::2].toreadonly()"]),
        ("a.", ["a.extend(", "a.append(", "a.hex("]),
        ("h.ty", ["h.typecode"]),
        ("b.", ["b.hex("]),
        ("bytes(v", ["bytes(value", "bytes(view("]),
        ("w = vie", ["w = view("]),
        ("x = s", ["x = segment(", "x = struct.unpack_from(", "x = struct.unpack("]),
        ("z.b", ["z.buffer"]),
        ("z.buffer.rel", ["z.buffer.release()"]),
        ("z.owner.ext", ["z.owner.extend("]),
        ("w = z", ["w = z.buffer", "w = z.owner"]),
        ("del va", ["del value"]),
        ("v == va", ["v == value"]),
        ("nothing.", []),
        ("Hello ", []),
        ("seg", []),
        ("v.cast", ["v.cast("]),
        ("v.cast('H')", []),
        ("", []),
    ],
)
def test_completions(completion: ViewCompletion, line: str, first: list[str]) -> None:
    found = completion.candidates(line)
    assert found[: len(first)] == first and bool(found) == bool(first)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("v.cast('H", "cast(format, shape)"),
        ("w = view(0, 64)", "view(start, stop)"),
        ("w = v[0:2]", "runs here; nothing is sent"),
        ("v.ca", "cast(format, shape)"),
        ("v[", "runs here; nothing is sent"),
        ("bytes(v.toreadonly())", "toreadonly()"),
        ("Hello", None),
        ("view(0, 64)", None),
        ("16 MiB", None),
    ],
)
def test_what_is_said_of_a_line_while_it_is_typed(completion: ViewCompletion, line: str, said: str | None) -> None:
    found = completion.explain(line, OPERATIONS)
    assert (found is None) if said is None else (found is not None and found.startswith(said))


def test_without_a_buffer_nothing_of_the_client_s_own_is_offered() -> None:
    assert ViewCompletion(ViewTable("z", lambda: None)).candidates("w = z") == []
