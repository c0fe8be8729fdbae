"""What a waiting call says in two lines, however narrow: how to end the wait is never cut."""

from __future__ import annotations

import pytest

from netlab.ui.console.console_pane import waiting_line

CALL, PLACE = "z.compare('1 MiB')", " · 91 MiB of 107 MiB · 62 MiB/s"


@pytest.mark.parametrize("room", range(64, 130, 3))
def test_how_to_end_the_wait_is_never_cut(room: int) -> None:
    line = waiting_line("1.5 s", CALL, PLACE, room)
    assert len(line) <= room
    assert line.startswith("waiting 1.5 s for z.co")
    assert line.endswith(" · ctrl+c abandons")
    assert (CALL in line and PLACE in line) == (room >= 85)


def test_without_a_place_the_call_has_the_room() -> None:
    line = waiting_line("1.5 s", "s.send(b'" + "x" * 100 + "')", "", 74)
    assert line.endswith("xxx… · ctrl+c abandons") and len(line) == 74
