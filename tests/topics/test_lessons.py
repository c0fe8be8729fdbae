"""The lessons' lines to type, typed: each does what the lesson says, and what fails is what it says will."""

from __future__ import annotations

import ast
import re
import textwrap
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

import netlab.hardening
from netlab.certificates import certs
from netlab.lab import Lab
from netlab.lab.client.session import Session
from netlab.lab.state import Entry, EntryKind
from netlab.platforms import unread_count
from netlab.topics.contract import Topic
from netlab.topics.discovery import topics
from netlab.topics.recipe import recipe_files
from tests.support.waiting import wait_until, waits_in

FAILING: dict[str, list[str]] = {
    "xmlrpc": ["Fault: <Fault 404", "Fault: <Fault -32602", "OverflowError"],
    "multiprocessing": ["AuthenticationError", "EOFError"],
    "hmac": ["SecretRefused"],
    "tls": ["SSLCertVerificationError", "SSLError|ConnectionResetError|BrokenPipeError"],
    "zerocopy": ["TypeError: memoryview: casts", "TypeError: cannot modify", "BufferError", "ValueError: operation"],
}
"""The errors that a lesson leads to, in their order; none where nothing stands here."""

RESULTS: dict[str, list[str]] = {
    "tcp": ["b'Hello'", "b'HelloWorld'", "b'Hello'", r"b'HelloWorld\n'", "b'!'"],
    "xmlrpc": ["['spam']", "[1, 2, 3]", "3.0"],
    "multiprocessing": ["{'a': (1, 2)}", "True", "[1, 2, 3]"],
    "hmac": ["b'Hello'"],
    "tls": ["b'Hello'"],
    "zerocopy": ["(1,)", "6", "112", "False"],
}
"""Some of the results that a lesson shows, in their order."""

WIDEST = 72
"""Columns of code that stand beside the lab, 120 wide, or across it, 80 wide, without being broken."""


def code(text: str) -> list[str]:
    """The lines within fences."""
    return [line for block in text.split("```")[1::2] for line in block.splitlines()[1:]]


def lines_to_type(topic: Topic) -> list[str]:
    shown = code(topic.text("lesson.md").partition("## Try\n")[2].partition("\n## ")[0])
    lines = [line.partition("  #")[0].rstrip() for line in shown]
    return [line for line in lines if line and not line.startswith("#")]


@pytest.mark.parametrize("file", ["lesson.md", "then_now.md"])
@pytest.mark.parametrize("topic", topics().values(), ids=lambda topic: topic.name)
def test_no_line_of_code_is_broken(topic: Topic, file: str) -> None:
    lines = code(topic.text(file))
    assert lines
    assert [line for line in lines if len(line) > WIDEST] == []


def bare(code: str) -> str:
    """Code without comments and without blanks, in which its lines may be broken otherwise."""
    return re.sub(r"\s|,(?=\s*[)\]])", "", re.sub(r"  # .*", "", code))


class Bare(ast.NodeTransformer):
    """Leaves out annotations and docstrings."""

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        for argument in (*node.args.args, *node.args.kwonlyargs):
            argument.annotation = None
        node.returns = None
        node.body = node.body[ast.get_docstring(node) is not None :]
        return self.generic_visit(node)


def statements(nodes: Sequence[ast.AST]) -> Iterator[str]:
    """Statements without what was left out, one by one; a class by what is in it."""
    for node in nodes:
        if isinstance(node, ast.ClassDef):
            yield from statements(node.body)
        elif isinstance(node, ast.stmt) and ast.unparse(node) != "...":
            yield ast.unparse(Bare().visit(node))


def shown_as_now(text: str) -> list[str]:
    """The code that is not the tutorial's, in the parts between ``...``."""
    found, now = list[str](), True
    for before, block in re.findall(r"(.*?)```python\n(.*?)```", text, re.DOTALL):
        introduction = before.strip().rpartition("\n\n")[2]
        now = not introduction.startswith("The tutorial") if introduction else now
        found += re.split(r"^ *\.\.\.\n", block, flags=re.MULTILINE) if now else []
    return found


@pytest.mark.parametrize("topic", topics().values(), ids=list(topics()))
def test_what_is_shown_as_now_is_the_code_that_runs(topic: Topic) -> None:
    sources = [topic.text(f"{part}.py") for part in recipe_files(topic)]
    sources += [path.read_text() for path in Path(netlab.hardening.__file__).parent.glob("*.py")]
    running = "".join(map(bare, sources))
    there = {each for source in sources for each in statements(list(ast.walk(ast.parse(source))))}

    def runs(code: str) -> bool:
        """Whether it stands there as it is, or each of its statements does."""
        as_it_is = all(bare(part) in running for part in code.split("..."))
        return as_it_is or all(each in there for each in statements(ast.parse(textwrap.dedent(code)).body))

    shown = shown_as_now(topic.text("then_now.md"))
    assert shown
    assert [code for code in shown if not runs(code)] == []


def idle(session: Session) -> threading.Thread:
    """A thread that ends when the session has run all its lines."""
    waiting = threading.Thread(target=session.wait_idle, daemon=True)
    waiting.start()
    return waiting


def stays_in_the_queue(lab: Lab, session: Session) -> bool:
    """Whether it waits for another client to leave; with a thread for each client nobody does that for long."""
    return lab.state.model == "single" and len(lab.sessions) > 1 and "accept queue" in waits_in(session)


def has_arrived(session: Session | None, count: int) -> bool:
    """Whether so many bytes wait in the client's socket to be read."""
    assert session and session.client
    return unread_count(session.client.socket) >= count


def type_lines(lab: Lab, lines: list[str]) -> list[Entry]:
    """Type lines, each when the one before has its answer, or gets none before another client leaves."""
    seen: dict[Session, None] = {}
    sent = 0
    for line in lines:
        if sent and line.startswith("recv("):  # by the time that a person has typed this, all of the echo is there
            wait_until(lambda n=sent: has_arrived(lab.current, n), f"{sent} bytes of the echo")
            sent = 0
        sent += sum(len(ast.literal_eval(each)) for each in re.findall(r"^send\((b'.*')\)", line))
        lab.submit(line)
        seen |= dict.fromkeys(lab.sessions)
        for session in lab.sessions:
            waiting = idle(session)
            wait_until(
                lambda s=session, w=waiting: not w.is_alive() or stays_in_the_queue(lab, s),
                f"an answer to {line}",
            )
    return sorted((entry for session in seen for entry in session.transcript), key=lambda entry: entry.time_ns)


@pytest.mark.parametrize("topic", topics().values(), ids=lambda topic: topic.name)
def test_what_a_lesson_says_happens(topic: Topic, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if topic.certificates:
        folder = certs.ensure(tmp_path / "certs")
        monkeypatch.setattr("netlab.lab.lab.lab_certificates", lambda: folder)
    lines = lines_to_type(topic)
    assert len(lines) >= 5
    with Lab(topic) as lab:
        entries = type_lines(lab, lines)
    errors = [entry.text for entry in entries if entry.kind is EntryKind.ERROR]
    expected = FAILING.get(topic.name, [])
    assert len(errors) == len(expected), errors
    assert all(re.match(pattern, error) for pattern, error in zip(expected, errors, strict=True)), errors
    results = iter([entry.text for entry in entries if entry.kind is EntryKind.RESULT])
    assert all(wanted in results for wanted in RESULTS.get(topic.name, []))
