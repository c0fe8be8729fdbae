"""The swim lanes of a lab as they become: one board for each time that a model served, the newest last.

It reads a lab and knows no widget. What is read is bounded each time; the rest is read the next time.
"""

from __future__ import annotations

from collections.abc import Sequence

from netlab.lab.lab import Lab
from netlab.lab.lanes import Board, Following
from netlab.ui.captured import Captured

MOST = 6
"""Boards that are shown; the oldest go."""

BATCH = 2000
"""Segments read in one look."""

Turn = tuple[int, str]
"""Since when (nanoseconds since the epoch) a model has served."""


def split(board: Board, turns: Sequence[Turn]) -> tuple[Board, ...]:
    """The board as one for each turn in which clients came, in order; ``turns`` are in order too."""
    if not turns:
        return (board,)
    first = (min(turns[0][0], board.start), turns[0][1])
    ends = [*turns[1:], (board.now + 1, "")]
    boards = []
    for (since, model), (until, _) in zip([first, *turns[1:]], ends, strict=True):
        lanes = tuple(lane for lane in board.lanes if since <= lane.opened < until)
        if lanes:
            boards.append(Board(model, lanes, min(until, board.now)))
    return tuple(boards[-MOST:]) or (Board(turns[-1][1], (), board.now),)


class LanesHistory:
    """Follows a lab. ``meet`` is to be called while clients are connected: only then their names are known.

    ``turns`` grows, in any thread, when another model serves.
    """

    def __init__(self, lab: Lab, turns: Sequence[Turn]) -> None:
        self._lab, self._turns = lab, turns
        self._capture: Captured | None = None
        self._following = Following(lab)

    def meet(self) -> None:
        """Learn the names of the clients that there are."""
        self._following.meet()

    def read(self, now: int) -> tuple[Board, ...]:
        """The boards with any client, as they are now (nanoseconds since the epoch); at least one board."""
        capture = self._lab.shown_capture
        if capture is not self._capture:
            if self._capture is not None:  # what was seen before is gone with its capture
                self._following = Following(self._lab, log=self._lab.log.total)
            self._capture = capture
        return split(self._following.board(now, at_most=BATCH), tuple(self._turns))
