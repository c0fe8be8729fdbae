"""What the console completes and explains."""

from __future__ import annotations

import pytest

from netlab.lab.commands import Command
from netlab.lab.operations import Operation
from netlab.ui.completion import Completion, byte_count

COMPLETION = Completion(
    operations={
        "send": Operation("send", "(data: bytes)", "Send bytes; how many were taken."),
        "recv": Operation("recv", "(size: int = 8192)", "Wait for bytes."),
        "system.listMethods": Operation("system.listMethods", "()", "All methods."),
    },
    commands=(
        Command("model", "NAME", "serve with another model", lambda lab, rest: None),
        Command("connect", "", "open a client", lambda lab, rest: None),
    ),
    values={"model": ("single", "threading")},
)


@pytest.mark.parametrize(
    ("typed", "completed"),
    [
        ("se", "send("),
        ("s.re", "s.recv("),
        ("system.l", "system.listMethods("),
        ("Hello", None),
        ("send(b", None),
        ("", None),
        (":m", ":model"),
        (":model t", ":model threading"),
        (":model threading", None),
        (":nothing", None),
    ],
)
def test_completes(typed: str, completed: str | None) -> None:
    assert COMPLETION.complete(typed) == completed


@pytest.mark.parametrize(
    ("typed", "explained"),
    [
        ("", ""),
        ("Hello", "5 bytes"),
        ("ä", "2 bytes"),
        ("x", "1 byte"),
        ("send(", "send(data: bytes) · Send bytes; how many were taken."),
        ("send(b'Hello')", "5 bytes · send(data: bytes) · Send bytes; how many were taken."),
        (":model x", ":model NAME · serve with another model"),
        (":", ":model  :connect"),
    ],
)
def test_explains(typed: str, explained: str) -> None:
    assert COMPLETION.explain(typed) == explained


def test_a_lone_surrogate_and_deep_nesting_are_counted_or_not_but_never_raise() -> None:
    assert byte_count("send(" + "(" * 100_000) == 0
    assert COMPLETION.explain("\ud800") == "3 bytes"
