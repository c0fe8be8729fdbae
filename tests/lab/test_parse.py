from __future__ import annotations

import ast
import subprocess
import sys

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from netlab.lab.errors import LabError
from netlab.lab.parse import LINE_LIMIT, Bare, parse
from netlab.lab.python_hints import reads_as_python
from netlab.topics.client_call import Call

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
        ("send(b'x' * 5000)", Call("send", (b"x" * 5000,))),
        ("send(3 * 'ab')", Call("send", ("ababab",))),
        ("set('a', [[0] * 2, (1,) * 2])", Call("set", ("a", [[0, 0], (1, 1)]))),
        ("set('a', 1+2j)", Call("set", ("a", 1 + 2j))),
        ("send(b'x' * -1)", Call("send", (b"",))),
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
        ("send(b'a' + 3)", "is not a literal"),
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
    code = r"""from netlab.lab.parse import parse; print(parse(r"send('\d')", ('send',)))"""
    run = subprocess.run([sys.executable, "-W", "always", "-c", code], capture_output=True, text=True, check=True)
    assert "Call(" in run.stdout
    assert run.stderr == ""


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text() | st.binary(), st.lists))
def test_every_literal_arrives_as_it_was_written(value: object) -> None:
    assert ast.literal_eval(repr(value)) == value
    assert parse(f"send({value!r})", OPERATIONS) == Call("send", (value,))


@pytest.mark.parametrize(
    "line",
    [
        "send(b'x' * 100_000_000)",
        "send('x' * 10_000 * 10_000)",
        "set('a', [[[0] * 1000] * 1000] * 1000)",
        "set('a', ['x' * 16_000_000, 'y' * 16_000_000])",
    ],
)
def test_a_multiplication_is_bounded_before_it_is_made(line: str) -> None:
    with pytest.raises(LabError, match="the most is"):
        parse(line, OPERATIONS)


@pytest.mark.parametrize(
    "line", ["send(2 * 3)", "send(b'x' * 'y')", "send(b'x' * True)", "send(b'x' ** 2)", "send(x * 2)"]
)
def test_other_arithmetic_is_no_literal(line: str) -> None:
    with pytest.raises(LabError, match="is not a literal"):
        parse(line, OPERATIONS)


@pytest.mark.parametrize(
    ("line", "command"),
    [
        ("s.close()", ":close"),
        ("s.shutdown(socket.SHUT_WR)", ":half-close"),
        ("s.socket.shutdown(socket.SHUT_WR)", ":half-close"),
        ("close()", ":close"),
        ("s.connect(('127.0.0.1', 20000))", ":connect"),
    ],
)
def test_what_a_command_does_says_which(line: str, command: str) -> None:
    with pytest.raises(LabError) as raised:
        parse(line, OPERATIONS, "s")
    assert raised.value.advice.startswith(command)


def test_an_operation_of_the_server_may_have_such_a_name() -> None:
    assert parse("close()", OPERATIONS, "p", remote=True) == Call("close")
    with pytest.raises(LabError):
        parse("p.close()", OPERATIONS, "p", remote=True)


def test_a_call_with_something_behind_it_is_not_text() -> None:
    for line in ("recv(10)[::2]", "send(b'x').real", "recv(1) + b'x'"):
        with pytest.raises(LabError, match="is followed by something else"):
            parse(line, OPERATIONS)


@pytest.mark.parametrize(
    ("text", "python"),
    [
        ("import socket", True),
        ("x = 5", True),
        ("for i in range(3): print(i)", True),
        ("len(b'x') + 1", True),
        ("Hello", False),
        ("Hello world", False),
        ("GET / HTTP/1.1", False),
        ("{'a': (1, 2)}", False),
        ("16 MiB", False),
        ("1 + 1", False),
    ],
)
def test_text_that_is_surely_python_is_told_from_text(text: str, python: bool) -> None:
    assert reads_as_python(text) == python
