"""The swim lanes of a lab as they become: runs, and in each a board for each time that a model served, the newest last.

It reads a lab and knows no widget. What is read is bounded each time; the rest is read the next time.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import pairwise

from netlab.capture.view import CapturedSegments
from netlab.lab.experiments.swim_lanes import Board, LiveLanes
from netlab.lab.lab import Lab
from netlab.ui.lanes.lanes_picture import Run

MOST = 6
"""Boards that are shown; the oldest go."""

BATCH = 2000
"""Segments read in one look."""

Turn = tuple[int, str]
"""Since when (nanoseconds since the epoch) a model has served, or a run has been under way (with no name: none)."""


def split(board: Board, turns: Sequence[Turn]) -> tuple[Board, ...]:
    """The board as one for each turn in which clients came, in order; ``turns`` are in order too."""
    if not turns:
        return (board,)
    parts = ((model, _between(board, *ends)) for model, ends in _ends(board, turns))
    boards = [replace(part, title=model) for model, part in parts if part.lanes]
    return tuple(boards[-MOST:]) or (Board(turns[-1][1], (), board.now),)


def runs_of(board: Board, turns: Sequence[Turn], runs: Sequence[Turn]) -> tuple[Run, ...]:
    """The runs in which clients came, in order, each with its boards; one at least, and `MOST` boards at most."""
    found: list[Run] = []
    for name, ends in _ends(board, [(0, ""), *runs]):
        part = _between(board, *ends)
        if part.lanes:
            found.append(Run(name, split(part, turns)))
    room, kept = MOST, list[Run]()
    for run in reversed(found):
        if room > 0:
            kept.insert(0, Run(run.name, run.boards[-room:]))
        room -= len(run.boards)
    return tuple(kept) or (Run("", split(board, turns)),)


def _ends(board: Board, turns: Sequence[Turn]) -> Iterator[tuple[str, tuple[int, int]]]:
    """Each turn's name, when it began and when it ended; the first began before anything."""
    first = (min(turns[0][0], board.start), turns[0][1])
    for (since, name), (until, _) in pairwise([first, *turns[1:], (max(board.now, turns[-1][0]) + 1, "")]):
        yield name, (since, until)


def _between(board: Board, since: int, until: int) -> Board:
    """The clients that came in a time, as they were at its end."""
    lanes = tuple(lane for lane in board.lanes if since <= lane.opened < until)
    return Board(board.title, lanes, min(until, board.now))


class LanesHistory:
    """Follows a lab. ``meet`` is to be called while clients are connected: only then their names are known.

    ``turns`` grows, in any thread, when another model serves, and ``runs`` when an experiment begins or ends.
    """

    def __init__(self, lab: Lab, turns: Sequence[Turn], runs: Sequence[Turn]) -> None:
        self._lab, self._turns, self._runs = lab, turns, runs
        self._capture: CapturedSegments | None = None
        self._following = LiveLanes(lab)

    def remember_clients(self) -> None:
        """Learn the names of the clients that there are."""
        self._following.remember_clients()

    def read(self, now: int) -> tuple[Run, ...]:
        """The runs with any client, as they are now (nanoseconds since the epoch); at least one, with one board."""
        capture = self._lab.shown_capture
        if capture is not self._capture:
            if self._capture is not None:  # what was seen before is gone with its capture
                self._following = LiveLanes(self._lab, log=self._lab.log.total)
            self._capture = capture
        return runs_of(self._following.board(now, at_most=BATCH), tuple(self._turns), tuple(self._runs))
