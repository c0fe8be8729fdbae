"""The lines that keys send are Python, and do what the menu says; what it refuses, CPython refuses in these words."""

from __future__ import annotations

import pytest

from netlab.lab.views.looking import Named, group_of, groups
from netlab.lab.views.view_facts import ViewFacts
from netlab.ui.views.casts import casts
from netlab.ui.views.key_lines import (
    cast_line,
    elements_of,
    new_name,
    parse_slice,
    release_line,
    slice_line,
    write_line,
)
from netlab.ui.views.views_pane import can


def facts(view: memoryview) -> ViewFacts:
    return group_of("v", view).views[0]


def views() -> dict[str, memoryview]:
    flat = memoryview(bytearray(range(64)))
    return {
        "bytes": flat, "odd": flat[:9], "short": flat[:3], "stepped": flat[::2], "grid": flat.cast("B", [8, 8]),
        "stepped grid": flat.cast("B", [8, 8])[::2], "H": flat.cast("H"), "H grid": flat.cast("H", [4, 8]),
        "stepped H": flat.cast("H")[::2], "none": flat[:0],
    }  # fmt: skip


@pytest.mark.parametrize("name", views())
def test_the_menu_of_casts_is_right_about_each(name: str) -> None:
    v = views()[name]
    for cast in casts(facts(v)):
        made: dict[str, object] = {"v": v}
        try:
            exec(cast_line(facts(v), cast.arguments, "w"), made)
        except (TypeError, ValueError) as error:
            assert cast.refusal.startswith(str(error)), cast
        else:
            assert not cast.refusal, cast
            assert isinstance(made["w"], memoryview)


def test_byte_order_is_refused_and_the_menu_says_what_does_it() -> None:
    (big,) = [cast for cast in casts(facts(views()["bytes"])) if cast.arguments == "'>H'"]
    assert "native single character format" in big.refusal
    assert "struct.unpack_from" in big.refusal
    assert "'B', [8, 8]" in [cast.arguments for cast in casts(facts(views()["bytes"]))]


@pytest.mark.parametrize(
    ("typed", "written"),
    [
        ("4:8", "4:8"),
        ("::2", "::2"),
        ("2", "::2"),
        (" [::-1] ", "::-1"),
        (":4", ":4"),
        ("-3:", "-3:"),
        ("1:9:3", "1:9:3"),
    ],
)
def test_a_slice_as_it_is_typed(typed: str, written: str) -> None:
    v = views()["bytes"]
    text, part = parse_slice(typed)
    assert text == written
    made: dict[str, memoryview] = {"v": v}
    exec(slice_line(facts(v), typed, "w"), made)  # type: ignore[arg-type]
    assert made["w"] == v[part]
    assert len(made["w"]) == elements_of(facts(v), part)


@pytest.mark.parametrize("typed", ["::0", "a", "1:2:3:4", "-", "1 2", "[[1]]", "9" * 30])
def test_what_is_no_slice(typed: str) -> None:
    with pytest.raises(ValueError, match="slice"):
        parse_slice(typed)


def test_a_write_is_bytes_or_a_value() -> None:
    flat, grid = facts(views()["bytes"]), facts(views()["grid"])
    assert write_line(flat, (4,), "bb") == "v[4:6] = b'bb'"
    assert write_line(flat, (0,), "0x6262") == "v[0:2] = b'bb'"
    assert write_line(grid, (0, 1), "7") == "v[0, 1] = 7"
    assert write_line(facts(views()["H"]), (3,), "-258") == "v[3] = -258"
    assert write_line(facts(views()["bytes"][:2].cast("H", [])), (), "7") == "v[()] = 7"
    for typed in ("", "__import__('os')", "7; x = 1", "1e9"):
        with pytest.raises(ValueError, match="value"):
            write_line(grid, (0, 1), typed)
    with pytest.raises(ValueError, match=r"\w"):
        write_line(flat, (0,), "")


def test_a_new_name_is_free() -> None:
    v = memoryview(bytearray(3))
    named = [Named("a", v.obj), Named("v", v)]
    assert new_name(groups(named)) == "w"
    assert new_name(groups([*named, Named("w", v), Named("x", v[1:]), Named("y", bytearray(1))])) == "w1"
    assert release_line(facts(v)) == "v.release()"


def test_keys_act_only_where_they_can() -> None:
    v, ro = views()["bytes"], memoryview(b"abc")
    acts = ("cast", "step", "write", "release")
    assert [can(facts(v), act) for act in acts] == [True] * 4
    assert [can(facts(ro), act) for act in acts] == [True, True, False, True]
    assert [can(facts(v[:2].cast("H", [])), act) for act in acts] == [True, False, True, True]
    assert [can(group_of("segment(3)", ro).views[0], act) for act in acts] == [True, True, False, False]
    ro.release()
    assert not any(can(each, act) for each in (facts(ro), None) for act in acts)
