"""The app with real labs: what a person types and sees."""

from __future__ import annotations

import asyncio
import socket

import pytest
from textual import events
from textual.pilot import Pilot
from textual.widgets import Input, Static, TabbedContent

from netlab.lab.state import Phase
from netlab.topics.contract import Topic
from netlab.topics.discovery import Broken, find_topics
from netlab.ui.keys.footer import chosen
from netlab.ui.keys.help import Help
from netlab.ui.keys.keymap import Config
from netlab.ui.tab.arrangement.layout import PaneBar
from netlab.ui.tab.status import Banner
from netlab.ui.widgets.chooser import Chooser
from tests.support.screen.staging import StagedApp, enter, played, serving
from tests.support.waiting import until


@played()
async def test_hello_comes_back_and_crossed_the_wire(app: StagedApp, pilot: Pilot[None]) -> None:
    assert "Type Hello and press enter" in app.transcript
    await pilot.press(*"Hello", "enter")
    await until(pilot, lambda: ">>> s.send(b'Hello')\n5\n>>> s.recv(8192)\nb'Hello'" in app.transcript, "the answer")
    await until(pilot, lambda: app.seen.wire.highlighted is not None, "a segment")
    await until(pilot, lambda: "accepted" in app.seen.log_pane.text, "the log")


@played()
async def test_the_second_client_of_single_waits_and_ctrl_c_abandons(app: StagedApp, pilot: Pilot[None]) -> None:
    await enter(pilot, "Hello")
    await enter(pilot, ":connect")
    await enter(pilot, "World")
    await until(pilot, lambda: "in the accept queue" in app.seen.console.waiting, "it waits")
    assert "ctrl+c abandons" in app.seen.console.waiting
    await pilot.press("escape", "p")
    await until(pilot, lambda: app.seen.panes.pane_of(app.focused) == "lanes", "the lanes, while it waits")
    assert app.seen.console.waiting
    await pilot.press("ctrl+c")
    await until(pilot, lambda: not app.seen.console.waiting, "abandoned")
    await pilot.press("greater_than_sign")
    await until(pilot, lambda: app.focused is app.seen.console.prompt, "the console")
    await until(pilot, lambda: "Abandoned" in app.transcript)
    await enter(pilot, ":use 1")
    await until(pilot, lambda: app.seen.lab.current is app.seen.lab.sessions[0])
    await enter(pilot, ":close")
    await enter(pilot, ":use 2")
    await until(pilot, lambda: app.seen.lab.current is app.seen.lab.sessions[-1])
    await enter(pilot, "recv(8192)")
    await until(pilot, lambda: "b'World'" in app.transcript.split("Abandoned")[-1], "served after the first left")


@played()
async def test_a_key_changes_the_model_without_a_port_error(app: StagedApp, pilot: Pilot[None]) -> None:
    address = app.seen.lab.state.address
    await pilot.press("escape", "m")
    await until(pilot, lambda: isinstance(app.screen, Chooser))
    await pilot.press("down", "enter")
    await until(pilot, lambda: app.seen.lab.state.model == "threading", "the other model")
    await until(pilot, lambda: app.seen.lab.state.phase is Phase.SERVING)
    assert app.seen.lab.state.address == address
    await pilot.press("colon")
    await enter(pilot, "again")
    await until(pilot, lambda: "b'again'" in app.transcript.splitlines(), "the echo")


@played()
async def test_s_stops_and_starts(app: StagedApp, pilot: Pilot[None]) -> None:
    await pilot.press("escape", "s")
    await until(pilot, lambda: app.seen.lab.state.phase is Phase.STOPPED)
    await pilot.press("s")
    await until(pilot, lambda: app.seen.lab.state.phase is Phase.SERVING)


def test_a_port_in_use_is_told_with_what_to_try_and_the_other_tabs_go_on() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()

        @played(port=taken.getsockname()[1])
        async def play(app: StagedApp, pilot: Pilot[None]) -> None:
            await until(pilot, lambda: app.seen.query_one(Banner).has_class("-shown"), "a banner")
            told = app.seen.query_one(Banner).render().plain
            assert "already in use" in told
            assert ":port 0" in told
            await enter(pilot, ":port 0")
            await until(pilot, lambda: app.seen.lab.state.phase is Phase.SERVING, "another port")
            await until(pilot, lambda: not app.seen.query_one(Banner).has_class("-shown"))

        play()


@played()
async def test_digits_change_the_tab_and_put_the_cursor_into_its_console(app: StagedApp, pilot: Pilot[None]) -> None:
    await pilot.press("escape", "2")
    await until(pilot, lambda: app.tab is not None and app.tab.topic.name == "udp", "the other tab")
    await until(pilot, lambda: app.focused is app.seen.console.prompt)
    await pilot.press("escape", "1")
    await until(pilot, lambda: app.seen.topic.name == "tcp")
    await until(pilot, lambda: app.focused is app.seen.console.prompt)


@played()
async def test_letters_are_typed_in_the_console_and_act_outside(app: StagedApp, pilot: Pilot[None]) -> None:
    await pilot.press(*"q?/\\s[1")
    assert app.seen.console.prompt.value == "q?/\\s[1"
    assert len(app.screen_stack) == 1
    await pilot.press("escape", "question_mark")
    await until(pilot, lambda: isinstance(app.screen, Help))
    await pilot.press("escape")
    await until(pilot, lambda: len(app.screen_stack) == 1)


@played()
async def test_slash_is_typed_into_the_filter_too(app: StagedApp, pilot: Pilot[None]) -> None:
    await pilot.press("escape", "slash")
    await until(pilot, lambda: isinstance(app.focused, Input) and app.focused is not app.seen.console.prompt)
    await pilot.press(*"a/b")
    assert isinstance(app.focused, Input)
    assert app.focused.value == "a/b"


@played(size=(80, 24))
async def test_tab_visits_every_pane_and_comes_back(app: StagedApp, pilot: Pilot[None]) -> None:
    visited = []
    for _ in range(12):
        await pilot.press("tab")
        await pilot.pause()
        visited.append(app.seen.panes.pane_of(app.focused))
        assert app.focused is not None
        assert app.focused.region.height > 0
    assert set(visited) == {"console", "wire", "bytes", "log"}


@played()
async def test_tab_completes_before_it_moves_on(app: StagedApp, pilot: Pilot[None]) -> None:
    await until(pilot, lambda: app.seen.completion.operations, "the operations")
    await pilot.press(*"se", "tab")
    assert app.seen.console.prompt.value == "send("
    await pilot.press("ctrl+u", *":mod", "tab")
    assert app.seen.console.prompt.value == ":model"


@played()
async def test_history_comes_back_with_the_arrow(app: StagedApp, pilot: Pilot[None]) -> None:
    await enter(pilot, ":help")
    await pilot.press("up")
    assert app.seen.console.prompt.value == ":help"


@played((80, 24))
async def test_lines_that_are_longer_than_the_screen_are_said_to_go_on(app: StagedApp, pilot: Pilot[None]) -> None:
    await pilot.press("escape", "v")
    await until(pilot, lambda: "v: hardening" in str(getattr(app.seen.panes.reader, "border_title", "")), "the source")
    await pilot.press("v")
    await until(pilot, lambda: "→ scrolls" in str(getattr(app.seen.panes.reader, "border_title", "")), "the title")
    await pilot.resize_terminal(200, 40)
    await until(pilot, lambda: "→ scrolls" not in str(getattr(app.seen.panes.reader, "border_title", "")), "room")


@played()
async def test_what_is_read_stands_beside_the_console_and_goes_again(app: StagedApp, pilot: Pilot[None]) -> None:
    await pilot.press("escape", "v")
    await until(pilot, lambda: app.seen.panes.reader is not None and app.seen.panes.reader.has_focus, "the source")
    await pilot.press("v")
    await until(pilot, lambda: app.seen.panes.reader and app.seen.panes.reader.page.title == "hardening")
    await until(pilot, lambda: app.seen.panes.reader and app.seen.panes.reader.has_focus)
    await pilot.press("escape")
    await until(pilot, lambda: app.seen.panes.reader is None)
    await until(pilot, lambda: app.seen.panes.pane_of(app.focused) == "wire")


@played(config=Config(keys={"server.toggle": "f9"}))
async def test_a_key_can_be_remapped(app: StagedApp, pilot: Pilot[None]) -> None:
    await pilot.press("f9")
    await until(pilot, lambda: app.seen.lab.state.phase is Phase.STOPPED)


@played()
async def test_the_status_line_follows_the_lab(app: StagedApp, pilot: Pilot[None]) -> None:
    await enter(pilot, "Hello")
    line = app.seen.query_one("StatusLine")
    await until(pilot, lambda: "1 client  10 B" in str(line.render()), "both ways counted")
    assert "● serving 127.0.0.1:20000  model single  wire clean → :41233" in str(line.render())


@played()
async def test_pasted_lines_run_one_after_the_other(app: StagedApp, pilot: Pilot[None]) -> None:
    app.seen.console.prompt.post_message(events.Paste(">>> s.send(b'one')\n3\n>>> s.recv(8192)\nb'one'\n"))
    await until(pilot, lambda: app.transcript.count("b'one'") == 2, "both calls and the answer")
    assert ">>> s.send(b'one')\n3\n>>> s.recv(8192)\nb'one'" in app.transcript


@played(size=(80, 24))
async def test_new_lines_do_not_move_what_a_person_scrolled_up_to_read(app: StagedApp, pilot: Pilot[None]) -> None:
    await enter(pilot, ":help")
    await until(pilot, lambda: ":clear-faults" in app.transcript)
    await pilot.press("pageup")
    await pilot.pause()
    seen = app.seen.console.transcript.scroll_offset
    app.seen.console.say("changes\n" * 50)
    await pilot.pause()
    assert app.seen.console.transcript.scroll_offset == seen
    await pilot.press("shift+tab", "end")
    await pilot.pause()
    assert app.seen.console.transcript.follows


@played()
async def test_copy_says_which_way_it_went(app: StagedApp, pilot: Pilot[None]) -> None:
    await pilot.press("escape", "c")
    await until(pilot, lambda: isinstance(app.screen, Chooser))
    await pilot.press("enter")
    await until(pilot, lambda: app.clipboard == str(app.seen.lab.state.address), "the address")


@played()
async def test_brackets_go_from_client_to_client(app: StagedApp, pilot: Pilot[None]) -> None:
    await enter(pilot, ":connect")
    await enter(pilot, ":connect slow")
    await until(pilot, lambda: getattr(app.seen.lab.current, "name", None) == "slow")
    await pilot.press("escape", "left_square_bracket")
    await until(pilot, lambda: getattr(app.seen.lab.current, "number", None) == 1, "the one before")
    await pilot.press("right_square_bracket")
    await until(pilot, lambda: getattr(app.seen.lab.current, "name", None) == "slow", "and back")


@played()
async def test_the_footer_never_has_more_than_eight_and_always_help_and_palette(
    app: StagedApp, pilot: Pilot[None]
) -> None:
    for _ in range(8):
        keys = chosen({key: active.binding for key, active in app.screen.active_bindings.items()})
        labels = [binding.description for _, binding in keys]
        assert len(labels) <= 8
        assert labels[0] == "help"
        assert labels[-1] == "palette"
        await pilot.press("tab")
        await pilot.pause()


@played(more=[Broken("ninth", "ImportError: no such thing"), Broken("tenth", "ImportError: nor this")])
async def test_digits_lead_to_ten_tabs(app: StagedApp, pilot: Pilot[None]) -> None:
    for key, name in {"9": "ninth", "0": "tenth", "2": "udp"}.items():
        await pilot.press("escape", key)
        await until(pilot, lambda name=name: app.query_one(TabbedContent).active == f"tab-{name}", name)


def test_a_topic_that_does_not_load_is_a_tab_that_says_why() -> None:
    async def run() -> None:
        app = StagedApp(more=[Broken("ninth", "ImportError: no such thing")])
        async with app.run_test(size=(120, 40)) as pilot:
            await serving(pilot)
            await pilot.press("escape", str(len(app.tab_titles)))
            await until(pilot, lambda: app.tab is None, "that tab")
            await pilot.pause()
            told = [str(static.render()) for static in app.query(".broken").results(Static)]
            assert any("ImportError: no such thing" in text for text in told)

    asyncio.run(run())


@played((80, 24), first="hmac")
async def test_a_warning_that_nobody_sees_is_counted_beside_the_logs_name(app: StagedApp, pilot: Pilot[None]) -> None:
    def bar() -> str:
        return str(app.screen.query_one(PaneBar).render())

    await enter(pilot, ":secret wrong")
    await enter(pilot, ":connect")
    await until(pilot, lambda: "log !1" in bar(), "the mark")
    app.seen.panes.go("log")
    await until(pilot, lambda: "!" not in bar(), "it was seen")


@played((80, 24))
async def test_what_to_try_next_goes_on_with_what_was_tried(app: StagedApp, pilot: Pilot[None]) -> None:
    def shown() -> str:
        return str(app.screen.query_one("#explained", Static).render())

    await enter(pilot, "Hello")
    await until(pilot, lambda: shown().startswith("next: :connect, then Hello again: "), "the first step")
    await enter(pilot, ":connect")
    await until(pilot, lambda: shown().startswith("next: Hello again: "), "what is left")


BESIDE_THE_READER = 64
"""Characters of two lines of the console there, less what breaking between words may leave empty."""


@pytest.mark.parametrize("topic", find_topics(), ids=lambda topic: topic.name)
def test_each_topics_next_step_is_shown_until_it_is_done(topic: Topic) -> None:
    steps = topic.then
    assert len(f"next: {steps}") <= BESIDE_THE_READER, "the console beside the lesson, 120 wide, would cut it"
    assert steps.after("something else") == steps
    for line in steps.lines:
        assert str(steps).startswith(line)
        steps = steps.after(f" {line} ")
    assert not steps.lines and not str(steps)
