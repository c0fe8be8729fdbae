"""The person's configuration: what is right is taken, what is wrong is told."""

from __future__ import annotations

from pathlib import Path

import pytest
from textual.pilot import Pilot

from netlab.ui.keys.commands import COMMANDS, EVERY_COMMAND
from netlab.ui.keys.keymap import Config, check_keys, read_config
from netlab.ui.keys.pane_keys import pane_keys
from netlab.ui.palette import CommandProvider
from netlab.ui.wire.segment_list import SegmentList
from tests.support.screen.staging import StagedApp, enter, played
from tests.support.waiting import until


def test_no_file_is_an_empty_configuration(tmp_path: Path) -> None:
    assert read_config(tmp_path / "config.toml") == Config()


def test_keys_and_theme_are_taken(tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    file.write_text('theme = "textual-light"\n[keys]\n"server.toggle" = "f9,ctrl+s"\n')
    assert read_config(file) == Config("textual-light", {"server.toggle": "f9,ctrl+s"})


def test_a_file_that_is_no_toml_is_told(tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    file.write_text("[keys")
    assert "is not TOML" in read_config(file).problems[0]


@pytest.mark.parametrize(
    ("name", "key", "told"),
    [
        ("no.such", "f9", "unknown command 'no.such'"),
        ("server.toggle", "nonsense", "'nonsense' is not the name of a key"),
        ("server.toggle", "ctrl+q", "ctrl+q is reserved: quit"),
        ("server.toggle", "q", "q is already the key of quit"),
        ("server.toggle", "", "needs at least one key"),
        ("copy", "3", "3 selects a tab"),
        ("prompt.older", "escape", "already the key of prompt.leave"),
    ],
)
def test_a_wrong_entry_is_left_out_and_told(name: str, key: str, told: str) -> None:
    accepted, problems = check_keys({name: key})
    assert accepted == {}
    assert told in problems[0]


def test_two_commands_may_swap_their_keys() -> None:
    accepted, problems = check_keys({"server.model": "c", "copy": "m"})
    assert accepted == {"server.model": "c", "copy": "m"}
    assert problems == []


def test_quit_may_get_another_key_but_not_lose_it_to_one_that_wanted_it_first() -> None:
    accepted, problems = check_keys({"quit": "f10", "server.toggle": "q"})
    assert (accepted, problems) == ({"quit": "f10", "server.toggle": "q"}, [])


def test_every_command_has_an_id_and_a_key_of_its_own() -> None:
    ids = [command.id for command in EVERY_COMMAND]
    assert len(ids) == len(set(ids))
    assert check_keys({command.id: command.key for command in EVERY_COMMAND})[1] == []


def test_every_command_says_in_a_sentence_what_it_does() -> None:
    assert all(command.tooltip and command.label for command in EVERY_COMMAND)


def test_the_footer_has_at_most_eight() -> None:
    assert len({command.footer for command in COMMANDS} - {0}) <= 8


def test_the_keys_of_panes_can_be_remapped_and_clash_within_their_pane_only() -> None:
    accepted, problems = check_keys({"wire.mark": "y", "wire.bytes": "s", "tab.9": "f9"})
    assert (accepted, problems) == ({"wire.mark": "y", "wire.bytes": "s", "tab.9": "f9"}, [])
    accepted, problems = check_keys({"wire.mark": "G"})
    assert accepted == {}
    assert problems == ["keys: wire.mark: G is already the key of wire.follow"]


def test_every_id_of_a_pane_is_bound_in_one_place_and_differs_from_the_commands() -> None:
    ids = [name for place in pane_keys().values() for name in place]
    assert len(ids) == len(set(ids))
    assert {"wire.mark", "transcript.up", "reader.find", "help.close"} <= set(ids)
    for name, place in pane_keys().items():
        assert check_keys(place)[1] == [], name


@played(config=Config(keys={"wire.mark": "y"}))
async def test_a_remapped_key_of_a_pane_acts(app: StagedApp, pilot: Pilot[None]) -> None:
    await enter(pilot, "Hello")
    lines = app.seen.query_one(SegmentList)
    await until(pilot, lambda: lines.rows.count >= 3, "segments")
    await pilot.press("escape", "y")
    await until(pilot, lambda: bool(lines.rows.marks), "a mark")
    assert "wire: mark  (y)" in [title for title, _, _ in CommandProvider(app.screen)._found()]


@played()
async def test_the_palette_offers_what_panes_do_and_does_it(app: StagedApp, pilot: Pilot[None]) -> None:
    await enter(pilot, "Hello")
    lines = app.seen.query_one(SegmentList)
    await until(pilot, lambda: lines.rows.count >= 3, "segments")
    offered = {title: run for title, _, run in CommandProvider(app.screen)._found()}
    assert len(offered) > 60
    offered["wire: mark  (space)"]()
    await until(pilot, lambda: bool(lines.rows.marks), "a mark")
    assert app.focused is lines
    assert any(title.startswith("bytes: ") for title in offered)
    assert "model: pool" in offered
