"""The fault form and the keys around it: what a person sets acts on the wire, and what acts is shown."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest
from textual.pilot import Pilot
from textual.widgets import Input, OptionList, Static

from netlab.capture.model import Direction, Transport
from netlab.ui.faults.fault_draft import Draft, Which
from netlab.ui.faults.fault_form import FaultForm
from netlab.wire.impairment import catalog
from tests.support.screen.staging import StagedApp, enter, played, serving, settled
from tests.support.waiting import until

NOOP = """
from netlab.wire.impairment.fault import FaultKind
from netlab.wire.impairment.requests import Forward
KIND = FaultKind("noop", "", "", "", lambda words: lambda: lambda segment, clock, random: [Forward(segment.payload)])
"""

Compare = Callable[..., bool]
sizes = pytest.mark.parametrize("size", [(120, 40), (80, 24)], ids=["120x40", "80x24"])


@pytest.mark.parametrize(
    "spec",
    ["delay 100ms", "delay 100ms±20ms ->", "loss 30%", "reorder 1 every 2 <-", "corrupt bit 3 byte 7 first 2", "stall",
     "cut first 3 each ->", "delay 1s first 2 -> if 'Hello' or >100", "./mine.py 3 fast <- if fin"],
)  # fmt: skip
def test_a_draft_says_what_it_was_made_of(spec: str) -> None:
    assert Draft.of(spec).spec == spec


def test_a_draft_loses_none_of_several_conditions() -> None:
    assert Draft.of("corrupt byte 1 30% first 2 each <-").spec == "corrupt byte 1 first 2 each 30% <-"


@pytest.mark.parametrize("transport", Transport)
def test_every_example_can_be_added_as_it_stands(transport: Transport) -> None:
    for kind in catalog.kinds(transport):
        assert Draft.example(kind).problem(transport) == ""


def test_a_draft_says_what_is_wrong() -> None:
    assert "write a number" in Draft(catalog.kind_named("loss"), which=Which.FIRST).problem(Transport.UDP)
    assert "lost bytes again" in Draft.of("loss").problem(Transport.TCP)
    assert Draft.of("slice 1 <-").way is Direction.TO_CLIENT


async def opened(app: StagedApp, pilot: Pilot[None]) -> FaultForm:
    await pilot.press("escape", "f")
    await until(pilot, lambda: isinstance(app.screen, FaultForm), "the form")
    await pilot.pause()
    assert isinstance(app.screen, FaultForm)
    return app.screen


def verdict(form: FaultForm) -> str:
    return str(form.query_one("#fault-verdict", Static).content)


@played(size=(80, 24))
async def test_a_fault_is_added_taken_up_again_and_taken_away(app: StagedApp, pilot: Pilot[None]) -> None:
    form = await opened(app, pilot)
    wire = app.seen.lab.wire
    assert verdict(form) == "✓ :fault delay 100ms"
    await pilot.press("tab", *"x")
    assert verdict(form).startswith("✗")
    await pilot.press("enter", "backspace", "tab", "right", "tab", "right", "enter")
    await until(pilot, lambda: wire.faults == ("delay 100ms 30% →",), "it acts")
    form.query_one("#fault-active", OptionList).focus()
    await until(pilot, lambda: form.query_one("#fault-active", OptionList).highlighted == 0)
    await pilot.press("enter")
    await until(pilot, lambda: wire.faults == (), "taken up")
    await until(pilot, lambda: form.query_one("#fault-numbers", Input).has_focus, "its numbers")
    await pilot.press("enter")
    await until(pilot, lambda: wire.faults == ("delay 100ms 30% →",), "put back")
    form.query_one("#fault-active", OptionList).focus()
    await pilot.press("delete")
    await until(pilot, lambda: wire.faults == (), "taken away")
    await pilot.press("escape")
    await until(pilot, lambda: len(app.screen_stack) == 1)


@played()
async def test_the_form_says_where_the_first_are_counted(app: StagedApp, pilot: Pilot[None]) -> None:
    form = await opened(app, pilot)
    which = form.query_one("#fault-which")
    which.focus()
    await pilot.press("right", "right")
    await until(pilot, lambda: verdict(form).startswith("✓ :fault delay 100ms first 3\n"))
    assert "on the whole wire: all flows, both directions" in verdict(form)
    await pilot.press("right")
    await until(pilot, lambda: verdict(form).startswith("✓ :fault delay 100ms first 3 each\n"))
    assert "in each direction of each flow" in verdict(form)


@played()
async def test_one_key_clears_all_from_the_form_and_from_the_panes(app: StagedApp, pilot: Pilot[None]) -> None:
    wire = app.seen.lab.wire
    form = await opened(app, pilot)
    await pilot.press("enter", "down", "enter")
    await until(pilot, lambda: len(wire.faults) == 2)
    form.query_one("#fault-numbers", Input).focus()
    await pilot.press("F")
    await until(pilot, lambda: wire.faults == (), "cleared in the form")
    assert form.query_one("#fault-numbers", Input).value == "50ms"
    await pilot.press("escape")
    await until(pilot, lambda: len(app.screen_stack) == 1)
    wire.fault("slice 1")
    await until(pilot, lambda: "wire: slice 1" in str(app.seen.query_one("StatusLine").render()), "the status line")
    await pilot.press("F")
    await until(pilot, lambda: wire.faults == (), "cleared from the panes")
    await until(pilot, lambda: "wire clean" in str(app.seen.query_one("StatusLine").render()))


@played(first="udp")
async def test_datagrams_have_faults_of_their_own(app: StagedApp, pilot: Pilot[None]) -> None:
    form = await opened(app, pilot)
    kinds = form.query_one("#fault-kinds", OptionList)
    names = [str(kinds.get_option_at_index(index).prompt).split()[0] for index in range(kinds.option_count)]
    assert {"loss", "duplicate", "reorder"} <= set(names) and "slice" not in names
    kinds.highlighted = names.index("loss")
    await until(pilot, lambda: verdict(form) == "✓ :fault loss 30%")
    assert form.query_one("#fault-numbers", Input).value == ""


@played(size=(80, 24))
async def test_a_fault_for_what_a_filter_means_and_one_of_a_file(app: StagedApp, pilot: Pilot[None]) -> None:
    form = await opened(app, pilot)
    wire, mine = app.seen.lab.wire, app.seen.lab.capture.path.with_name("mine.py")
    form.query_one("#fault-filter", Input).focus()
    await pilot.press(*"Fun")
    assert "in the filter after if, column 1: Fun is not understood" in verdict(form), "F is a letter here"
    await pilot.press("home", "apostrophe", "end", "apostrophe", "enter")
    await until(pilot, lambda: wire.faults == ("delay 100ms if 'Fun'",), "it acts")
    kinds = form.query_one("#fault-kinds", OptionList)
    kinds.focus()
    await pilot.press("end", "enter")
    assert "write the file" in verdict(form)
    mine.write_text("oh no")
    form.query_one("#fault-numbers", Input).value = str(mine)
    await until(pilot, lambda: "mine.py does not load: line 1: SyntaxError" in verdict(form))
    mine.write_text(NOOP)
    form.query_one("#fault-numbers", Input).value = f"{mine} 3"
    await until(pilot, lambda: verdict(form) == f"✓ :fault {mine} 3")
    await pilot.press("tab", "enter")
    await until(pilot, lambda: wire.faults == ("delay 100ms if 'Fun'", f"{mine} 3"), "it acts, too")


@played()
async def test_a_second_enter_adds_no_second_fault(app: StagedApp, pilot: Pilot[None]) -> None:
    form = await opened(app, pilot)
    await pilot.press("enter", "enter")
    verdict = form.query_one("#fault-verdict", Static)
    await until(pilot, lambda: len(app.seen.lab.wire.faults) == 1, "it acts")
    await pilot.press("enter")
    await until(pilot, lambda: "is active already" in str(verdict.render()), "it says so")
    assert len(app.seen.lab.wire.faults) == 1
    await pilot.press("tab", "backspace", "backspace", "backspace", *"5ms", "enter")
    await until(pilot, lambda: len(app.seen.lab.wire.faults) == 2, "another one")


async def form_shown(pilot: Pilot[None]) -> None:
    app = await serving(pilot)
    app.seen.lab.wire.fault("delay 100ms±20ms ->", "slice 1 first 3")
    await settled(pilot)
    form = await opened(app, pilot)
    await pilot.press("down", "down", "down", "tab", "tab", "right")
    await until(pilot, lambda: form.query_one("#fault-active", OptionList).option_count == 2)


async def fates_shown(pilot: Pilot[None]) -> None:
    app = await serving(pilot)
    app.seen.lab.wire.fault("corrupt bit 0 byte 4 ->", "delay 20ms")
    await enter(pilot, "Hello")
    await until(pilot, lambda: app.seen.lab.state.accounts.to_client == 5)
    await settled(pilot)


PICTURED = ["delay", "jitter", "loss", "duplicate", "reorder", "corrupt", "throttle", "slice", "stall", "cut", "reset"]
"""The faults in the picture of the form, whichever others are added."""


@sizes
def test_the_form(snap_compare: Compare, size: tuple[int, int], monkeypatch: pytest.MonkeyPatch) -> None:
    found = [kind for kind in catalog.kinds(Transport.TCP) if kind.name in PICTURED]
    monkeypatch.setattr(catalog, "kinds", lambda transport: tuple(found))
    assert compared(snap_compare, size, form_shown)


@sizes
@pytest.mark.usefixtures("staged_times")
def test_a_fault_in_the_wire_list(snap_compare: Compare, size: tuple[int, int]) -> None:
    assert compared(snap_compare, size, fates_shown)


def compared(snap_compare: Compare, size: tuple[int, int], play: Callable[[Pilot[None]], Awaitable[None]]) -> bool:
    return snap_compare(StagedApp(), terminal_size=size, run_before=play)
