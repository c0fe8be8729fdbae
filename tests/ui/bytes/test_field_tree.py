"""What the fields' title says of a message that is not whole in what is shown."""

from __future__ import annotations

import pytest

from netlab.capture.model import Direction
from netlab.dissect.fields import Dissection
from netlab.ui.bytes.fields.dissecting import Extent, dissect
from netlab.ui.bytes.fields.field_tree import incomplete


@pytest.mark.parametrize(
    ("needs", "later", "words"),
    [
        (5, 0, ["waits for 5 more bytes"]),
        (1, 0, ["waits for 1 more byte"]),
        (5, 5, ["5 more bytes in later segments"]),
        (5, 100, ["5 more bytes in later segments"]),
        (5, 1, ["1 more byte in later segments", "waits for 4 more bytes"]),
    ],
)
def test_what_has_come_is_not_waited_for(needs: int, later: int, words: list[str]) -> None:
    def dissector(data: memoryview, direction: Direction, offset: int = 0) -> Dissection:
        return Dissection((), needs=needs)

    extent = Extent(memoryview(b"x"), Direction.TO_CLIENT, 0, 0, 1, later)
    assert incomplete(dissect(extent, dissector)) == words
