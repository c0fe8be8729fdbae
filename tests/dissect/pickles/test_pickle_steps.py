"""Pickles followed step by step: what each opcode does is what loading does, and nothing is loaded."""

from __future__ import annotations

import io
import os
import pickle
import pickletools
import tracemalloc
from collections import OrderedDict
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from netlab.dissect.pickles.opcode_effects import OPERATIONS
from netlab.dissect.pickles.pickle_steps import ITEM_ROOM, ROOM, Followed, follow
from netlab.dissect.pickles.sentences import SENTENCES
from netlab.dissect.pickles.value_text import text_of
from netlab.hardening.plain_pickle import PLAIN_NAMES, load
from tests.support.pickled_values import NoData, as_object

OPCODES = {opcode.name for opcode in pickletools.opcodes}
MOST = 3000


def followed(pickled: bytes, kept: int = MOST) -> Followed:
    return follow(memoryview(pickled), 0, len(pickled), most=MOST, kept=kept)


def leaves() -> st.SearchStrategy[object]:
    numbers = st.integers(-(2**80), 2**80) | st.floats(allow_nan=False) | st.complex_numbers(allow_nan=False)
    return st.none() | st.booleans() | numbers | st.text(max_size=20) | st.binary(max_size=20) | st.just(...)


def hashables() -> st.SearchStrategy[object]:
    return st.recursive(leaves(), lambda each: st.tuples(each, each) | st.frozensets(each, max_size=3), max_leaves=4)


def values() -> st.SearchStrategy[object]:
    def containers(each: st.SearchStrategy[object]) -> st.SearchStrategy[object]:
        lists = st.lists(each, max_size=5)
        return lists | lists.map(tuple) | st.dictionaries(hashables(), each, max_size=4)

    sets = st.sets(hashables(), max_size=4)
    return st.recursive(leaves() | sets | st.binary(max_size=9).map(bytearray), containers, max_leaves=12)


def test_every_opcode_has_a_sentence_and_is_followed() -> None:
    assert set(SENTENCES) == set(OPERATIONS) == OPCODES
    assert all(sentence.endswith(".") and sentence.count("{}") <= 1 for sentence in SENTENCES.values())


@given(values(), st.integers(0, 5))
@settings(max_examples=60, deadline=None)
def test_what_is_followed_is_what_loading_makes(value: object, protocol: int) -> None:
    pickled = pickle.dumps(value, protocol)
    found = followed(pickled)
    steps = [(step.name, step.start) for step in found.steps]
    assert steps == [(opcode.name, at) for opcode, _, at in pickletools.genops(pickled)]
    assert (found.problem, found.runs, found.end) == ("", [], len(pickled))
    assert found.root is not None
    made = as_object(found.root.value)
    assert (made, type(made)) == (pickle.loads(pickled), type(value))
    if "set" not in repr(value) and "{" not in repr(value):  # their order is the pickle's
        assert text_of(found.root.value, 10**6) == repr(value)


soup = st.lists(
    st.sampled_from(
        [opcode.code.encode("latin-1") for opcode in pickletools.opcodes]
        + [b"K\x01", b"\x8c\x01a", b"\x8c\x02os", b"\x8c\x06system", b"cos\nsystem\n", b"cbuiltins\nset\n", b"1\n"]
        + [
            b"](K\x02e",
            b"}K\x03K\x04s",
            b"C\x02hi",
            b"q\0",
            b"h\0",
            b"\x94",
            b"(K\x01t",
            b")",
            b"\x93",
            b"R",
            b"U\x01x",
        ]
    ),
    max_size=30,
).map(lambda parts: b"".join(parts) + b".")


naming = soup.map(lambda data: data[:-1] + b"cos\nsystem\n.")


class Named(Exception):
    """A name was asked for."""


class Watched(pickle._Unpickler):  # type: ignore[name-defined, misc] # in Python, as a memo's place costs memory in C
    """Loads a pickle as long as it names nothing: nothing is imported or called."""

    def find_class(self, module: str, name: str) -> object:
        """What plain data needs is an empty tuple, which cannot be called; all else ends the loading."""
        if f"{module}.{name}" not in PLAIN_NAMES:
            raise Named
        return ()


@given(st.binary(max_size=60) | st.binary(max_size=60).map(lambda tail: b"\x80\x04" + tail) | soup | naming)
@settings(max_examples=250, deadline=None)
def test_any_bytes_are_followed_and_no_name_is_missed(data: bytes) -> None:
    data += b"\n\n\n"  # a line that does not end is one to the loader in Python, though not to the one in C
    found = followed(data)
    assert [step.number for step in found.steps] == list(range(1, found.count + 1))
    assert [step.start for step in found.steps[1:]] == [step.end for step in found.steps[:-1]]
    assert all(step.start < step.end <= len(data) for step in found.steps)
    assert all(len(step.stack) <= ROOM + ITEM_ROOM and len(step.memo) <= ROOM + ITEM_ROOM + 20 for step in found.steps)
    assert all(len(found.so_far(step, 100)) <= 101 for step in found.steps)
    if b"\x96" in data:
        return  # a BYTEARRAY8 may announce any length, which loading takes
    try:
        Watched(io.BytesIO(data)).load()
    except Named:
        assert found.runs, found.steps
    except Exception:  # noqa: BLE001 - what loading makes of it is the next test's
        pass


@given(soup)
@settings(max_examples=200, deadline=None)
def test_what_the_server_would_load_is_only_data(data: bytes) -> None:
    try:
        loaded = load(data)
    except Exception:  # noqa: BLE001 - it is refused, or fails
        return
    found = followed(data)
    assert (found.problem, found.runs) == ("", [])
    assert found.root is not None
    with suppress(NoData, RecursionError):  # a name alone; what contains itself
        assert as_object(found.root.value) == loaded


@pytest.mark.parametrize(
    ("pickled", "steps"),
    [
        (b"cos\nsystem\n(S'id'\ntR.", {1: "imports os, to find os.system", 5: "calls os.system('id')"}),
        (b"ios\nsystem\n.", {1: "imports os, to find os.system"}),
        (b"(S'id'\nios\nsystem\n.", {3: "calls os.system('id')"}),
        (b"(cos\nsystem\nS'id'\no.", {2: "imports os, to find os.system", 4: "calls os.system('id')"}),
        (b"\x80\x04\x8c\x02os\x8c\x06system\x93\x8c\x02id\x85R.",
         {4: "imports os, to find os.system", 7: "calls os.system('id')"}),
        (b"\x80\x02cm\nC\n)\x81.", {2: "imports m, to find m.C", 4: "makes m.C()"}),
        (b"\x80\x04cm\nC\n)}\x92.", {2: "imports m, to find m.C", 5: "makes m.C(*(), **{})"}),
        (b"\x80\x02cm\nC\n)\x81}\x8c\x01x\x4b\x01sb.",
         {2: "imports m, to find m.C", 4: "makes m.C()", 9: "sets the state of m.C(): {'x': 1}"}),
        (b"cos\nenviron\nS'PATH'\nS'x'\ns.", {1: "imports os, to find os.environ", 4: "sets items of os.environ"}),
        (b"\x80\x02\x82\x07.", {2: "imports what is registered as extension 7"}),
        (b"cbuiltins\nset\nU\x01xRcos\nsystem\n.",
         {3: "calls builtins.set(*'x')", 4: "imports os, to find os.system"}),
        (b"K\x01(ucos\nsystem\n.", {4: "imports os, to find os.system"}),
        (b"\x95\xff\0\0\0\0\0\0\0cos\nsystem\n.", {2: "imports os, to find os.system"}),
        (b"cbuiltins\nset\n(K\x01tR.", {1: "", 5: "calls builtins.set(1)"}),
        (b"cbuiltins\neval\n(S'1'\ntR.", {1: "imports builtins, to find builtins.eval", 5: "calls builtins.eval('1')"}),
    ],
)  # fmt: skip
def test_the_step_that_would_run_code_is_named_with_what_it_would_call(pickled: bytes, steps: dict[int, str]) -> None:
    found = followed(pickled)
    running = {step.number: step.runs for step in found.runs}
    assert running == {number: runs for number, runs in steps.items() if runs}


def test_the_object_grows_and_what_comes_later_is_an_ellipsis() -> None:
    found = followed(pickle.dumps({"a": (1, [2.5]), "b": None}, 5))
    grown = dict.fromkeys(found.so_far(step, 100) for step in found.steps)
    assert list(grown) == [
        "",
        "{…}",
        "{'a': …}",
        "{'a': (1, …), …}",
        "{'a': (1, […]), …}",
        "{'a': (1, [2.5]), …}",
        "{'a': (1, [2.5]), 'b': …}",
        "{'a': (1, [2.5]), 'b': None}",
    ]


def test_stack_and_memo_are_as_they_are_after_a_step() -> None:
    found = followed(pickle.dumps(["x", ["x"]], 2))
    assert [(step.name, step.stack, step.memo) for step in found.steps[:6]] == [
        ("PROTO", "empty", ""),
        ("EMPTY_LIST", "[]", ""),
        ("BINPUT", "[]", "0 = []"),
        ("MARK", "[] · mark", "0 = []"),
        ("BINUNICODE", "[] · mark · 'x'", "0 = []"),
        ("BINPUT", "[] · mark · 'x'", "0 = [] · 1 = 'x'"),
    ]
    assert (found.steps[-1].sentence, found.steps[-1].stack) == (SENTENCES["STOP"], "['x', ['x']]")


@pytest.mark.parametrize(
    ("pickled", "problem"),
    [
        (b"", "it ends before its STOP"),
        (b"N", "it ends before its STOP"),
        (b"0.", "there is nothing on the stack"),
        (b"(.", "there is a mark where a value should be"),
        (b"t.", "there is no mark on the stack"),
        (b"h\x07.", "the memo has no number 7"),
        (b"\x80\x09N.", "there is no protocol 9"),
        (b"}]Ns.", "a list cannot be a key or be in a set: it has no hash"),
        (b"}(Nu.", "the last key has no value"),
        (b"NNa.", "a None takes no items this way"),
        (b"K", "it is cut off here"),
        (b"S'x\n.", "its text has no quotes around it"),
        (b"Ix\n.", "'x' is no number"),
        (b"\xff.", "there is no opcode 0xff"),
        (b"\x95\xff\0\0\0\0\0\0\0N.", "the frame is longer than what is left of the pickle"),
        (b"N(R.", "there is a mark where a value should be"),
        (b"N)R.", "a None cannot be called"),
    ],
)
def test_where_loading_fails_the_step_says_why(pickled: bytes, problem: str) -> None:
    assert followed(pickled).problem == problem
    with pytest.raises(Exception):  # noqa: B017 - each with another one: what matters is that it fails
        pickle.loads(pickled)  # names nothing, so loading it is harmless


def test_what_an_object_was_given_is_shown_with_it() -> None:
    pickled = pickle.dumps(OrderedDict(a=1), 4)
    found = followed(pickled)
    assert found.root is not None
    assert text_of(found.root.value, 100) == "collections.OrderedDict() with items ['a', 1]"


def test_a_value_is_never_cut_without_an_ellipsis() -> None:
    for value in ("x" * 500, b"y" * 500, 7**5000, ["z"] * 500, "ü\\" * 300, {i: i for i in range(200)}):
        for protocol in range(6):
            pickled = pickle.dumps(value, protocol)
            found = followed(pickled, kept=10)
            assert found.root is not None
            assert "…" in text_of(found.root.value, 60)
            assert len(text_of(found.root.value, 60)) <= 61


def test_what_contains_itself_or_the_same_over_and_over_has_an_end() -> None:
    itself: list[object] = []
    itself.append(itself)
    found = followed(pickle.dumps(itself))
    assert found.root is not None
    assert text_of(found.root.value, 100) == "[" * 24 + "…" + "]" * 24
    laughs: list[object] = ["ha"]
    for _ in range(60):
        laughs = [laughs, laughs]
    found = followed(pickle.dumps(laughs))
    assert found.root is not None
    assert len(text_of(found.root.value, 400)) == 401


def test_a_large_pickle_is_not_copied() -> None:
    pickled = memoryview(pickle.dumps([b"x" * (32 << 20), "y" * (32 << 20)], 4))
    tracemalloc.start()
    found = follow(pickled, 0, len(pickled), most=MOST, kept=MOST)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 150_000
    assert found.steps[-1].stack.startswith("[b'xxx")


def test_only_so_many_steps_are_followed_but_what_runs_late_is_kept() -> None:
    found = followed(b"N0" * 500 + b"cos\nsystem\n.", kept=10)
    assert [step.number for step in found.steps] == [*range(1, 11), 1001]
    assert (found.count, found.problem) == (1002, "")
    assert followed(b"N0" * MOST + b".", kept=10).problem == "only its first 3,000 steps were followed"


def test_nothing_is_executed(tmp_path: Path) -> None:
    class Hostile:
        def __reduce__(self) -> object:
            return os.mkdir, (str(tmp_path / "made"),)

    found = followed(pickle.dumps(Hostile()))
    assert found.runs[-1].runs == f"calls {os.mkdir.__module__}.mkdir({str(tmp_path / 'made')!r})"
    assert not (tmp_path / "made").exists()
