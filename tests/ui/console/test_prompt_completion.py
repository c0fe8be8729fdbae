"""What the console completes and explains."""

from __future__ import annotations

from dataclasses import replace

import pytest
from textual.command import CommandPalette
from textual.pilot import Pilot
from textual.widgets import OptionList, Static

from netlab.lab.client.operations import UNKNOWN, Operation
from netlab.lab.console import ConsoleCommand
from netlab.lab.views.completing import ViewCompletion
from netlab.lab.views.view_table import ViewTable
from netlab.ui.console.prompt_completion import Completion, byte_count, listed
from tests.support.screen.staging import StagedApp, played
from tests.support.waiting import until

COMPLETION = Completion(
    operations={
        "send": Operation("send", "(data: bytes)", "Send bytes; how many were taken."),
        "recv": Operation("recv", "(size: int = 8192)", "Wait for bytes."),
        "system.listMethods": Operation("system.listMethods", "()", "All methods."),
    },
    commands=(
        ConsoleCommand("model", "NAME", "serve with another model", lambda lab, rest: None),
        ConsoleCommand("connect", "", "open a client", lambda lab, rest: None),
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


def test_of_commands_that_do_not_fit_the_number_is_said() -> None:
    names = [f":{name}" for name in ("connect", "use", "close", "half-close", "reset")]
    assert listed(names, 100) == ":connect  :use  :close  :half-close  :reset"
    cut = listed(names, 42)
    assert cut == ":connect  … 4 more, tab cycles through all" and len(cut) <= 42
    assert COMPLETION.explain(":", 8).startswith(":model  … 1 more")


@played((80, 24))
async def test_tab_goes_through_all_commands_and_back_to_what_was_typed(app: StagedApp, pilot: Pilot[None]) -> None:
    prompt, commands = app.seen.console.prompt, app.seen.completion.commands
    await pilot.press("colon")
    await until(
        pilot, lambda: "more, tab" in str(app.seen.console.query_one("#explained", Static).render()), "it says so"
    )
    for command in commands:
        await pilot.press("tab")
        assert prompt.value == f":{command.name}"
    await pilot.press("tab")
    assert prompt.value == ":"
    await pilot.press("c", "tab", "tab")
    assert prompt.value == f":{[command.name for command in commands if command.name.startswith('c')][1]}"


@played()
async def test_the_palette_is_in_the_same_order_each_time(app: StagedApp, pilot: Pilot[None]) -> None:
    await until(pilot, lambda: app.seen.experiments_and_lanes.experiments, "all that there is to offer")
    seen = []
    for _ in range(3):
        await pilot.press("ctrl+p")
        await until(pilot, lambda: isinstance(app.screen, CommandPalette), "the palette")
        await until(pilot, lambda: app.screen.query_one(OptionList).option_count > 40, "many commands")
        await app.workers.wait_for_complete([each for each in app.workers if each.node is app.screen])
        options = app.screen.query_one(OptionList)
        seen.append([str(options.get_option_at_index(index).prompt) for index in range(options.option_count)])
        await pilot.press("escape")
        await until(pilot, lambda: len(app.screen_stack) == 1, "closed")
    assert seen[0] == seen[1] == seen[2]
    assert "help: help" in seen[0][0] and "screen: " in seen[0][-1]


def remote(asked: list[str], *operations: Operation) -> Completion:
    return Completion(variable="s", operations={each.name: each for each in operations}, ask=asked.append)


@pytest.mark.parametrize(
    ("typed", "asked"),
    [
        ("se", ["se"]),
        ("s.se", ["se"]),
        ("set(", ["set"]),
        ("set('spam', ", ["set"]),
        ("system.m", ["system.m"]),
        ("get(", []),
        ("hello there", []),
        ("5", []),
        (":se", []),
    ],
)
def test_what_the_server_can_tell_is_asked_for(typed: str, asked: list[str]) -> None:
    told: list[str] = []
    known = Operation("get", "(string) -> any", "The value."), Operation("set", UNKNOWN, "")
    assert remote(told, *known).ask_about(typed) == bool(asked)
    assert told == asked
    assert not COMPLETION.ask_about(typed)


def test_it_is_said_that_the_server_can_be_asked() -> None:
    assert remote([]).explain("se") == "press tab to ask the server what it offers"
    assert remote([], Operation("set", UNKNOWN, "")).explain("set(") == "set(…) · press tab to ask the server about it"
    assert remote([], Operation("set", "(any) -> nil", "Store.")).explain("s.set(") == "set(any) -> nil · Store."
    described = Operation("system.listMethods", "() -> array", "All.")
    assert remote([], described).explain("system.listMethods(") == "system.listMethods() -> array · All."


def test_lines_about_views_are_completed_and_explained_beside_the_operations() -> None:
    views = ViewTable("s", lambda: None)
    views.keep("value", memoryview(b"abc"))
    completion = replace(COMPLETION, views=ViewCompletion(views))
    assert completion.candidates("va") == ["value"] and completion.candidates("value.rel") == ["value.release()"]
    assert completion.candidates("s.se") == COMPLETION.candidates("s.se") != []
    assert completion.explain("value.release()").startswith("release()")
    assert completion.explain("Hello") == COMPLETION.explain("Hello")
