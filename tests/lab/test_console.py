from __future__ import annotations

import ast
import subprocess
import sys

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from netlab.lab.console import LINE_LIMIT, Bare, Call, parse
from netlab.lab.problems import LabError

OPERATIONS = ("send", "recv", "set", "keys")


@pytest.mark.parametrize(
    ("line", "call"),
    [
        ("send(b'Hello')", Call("send", (b"Hello",))),
        ("  recv( 8192 ) ", Call("recv", (8192,))),
        ("s.send(b'Hello')", Call("send", (b"Hello",))),
        ("set('spam', [1, {'a': (2, None)}])", Call("set", ("spam", [1, {"a": (2, None)}]))),
        ("recv(bufsize=-1)", Call("recv", (), (("bufsize", -1),))),
        ("keys()", Call("keys")),
    ],
)
def test_calls(line: str, call: Call) -> None:
    assert parse(line, OPERATIONS, "s") == call


@pytest.mark.parametrize(
    "line",
    ["Hello", "send", "Hello (world)", "f(x) and more", "1 + 1", "'text'", "a(b", "x.send(b)", "()", "(1)(2)", "ä\0"],
)
def test_bare_text(line: str) -> None:
    assert parse(line, OPERATIONS, "s") == Bare(line)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("send(b'Hello'", "not a complete Python call"),
        ("s.send(b'Hello", "not a complete Python call"),
        ("send(x)", "x is not a literal"),
        ("send(b'a' * 3)", "is not a literal"),
        ("send(*[1])", "is not a literal"),
        ("send(**{})", "** is not supported"),
        ("sendd(b'Hello')", "no operation sendd; did you mean send?"),
        ("frobnicate()", "there are keys, recv, send, set"),
        ("system.listMethods()", "no operation system.listMethods"),
        ("send({[]: 1})", "is not a literal"),
        ("x" * (LINE_LIMIT + 1), "characters"),
    ],
)
def test_what_a_person_gets_wrong_is_said_in_a_sentence(line: str, said: str) -> None:
    with pytest.raises(LabError) as raised:
        parse(line, OPERATIONS, "s")
    assert said in str(raised.value)


def test_a_server_may_have_operations_of_its_own() -> None:
    with pytest.raises(LabError, match=r"2 \*\* 40 is not a literal"):
        parse("anything(1, 2**40)", (), "p", remote=True)
    with pytest.raises(LabError, match="not a complete Python call"):
        parse("anything('x', [1", (), "p", remote=True)
    assert parse("get spam", (), "p", remote=True) == Bare("get spam")
    assert parse("system.listMethods()", OPERATIONS, "p", remote=True) == Call("system.listMethods")
    assert parse("p.system.methodHelp('set')", (), "p", remote=True) == Call("system.methodHelp", ("set",))


@given(st.text() | st.text(alphabet="send()[]{}'\"\\,*=b0x.: \n"))
@example("send(" + "(" * 500)
@example("send(" + "-" * 5000 + "1)")
@example("send('\\d')")
@example("send('\ud800')")
@example("send(1_0e9999)")
@example("send(" + "9" * 5000 + ")")
def test_any_text_is_a_call_or_bare_or_a_sentence(line: str) -> None:
    try:
        meaning = parse(line, OPERATIONS, "s")
    except LabError as error:
        assert error.problem.isprintable()
    else:
        assert isinstance(meaning, Call | Bare)


def test_what_python_finds_odd_in_a_line_is_not_printed_over_the_screen() -> None:
    code = r"""from netlab.lab.console import parse; print(parse(r"send('\d')", ('send',)))"""
    run = subprocess.run([sys.executable, "-W", "always", "-c", code], capture_output=True, text=True, check=True)
    assert "Call(" in run.stdout
    assert run.stderr == ""


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text() | st.binary(), st.lists))
def test_every_literal_arrives_as_it_was_written(value: object) -> None:
    assert ast.literal_eval(repr(value)) == value
    assert parse(f"send({value!r})", OPERATIONS) == Call("send", (value,))
