"""The swim lanes of a lab over time: runs, and in each a board per model that served, the newest last.

It reads a lab and knows no widget. Each call reads a bounded amount; the next call reads more.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import pairwise

from netlab.capture.view import CapturedSegments
from netlab.lab.experiments.swim_lanes import Board, LiveLanes
from netlab.lab.lab import Lab
from netlab.ui.lanes.lanes_picture import BoardGroup

MOST = 6
"""Boards that are shown; the oldest are dropped."""

BATCH = 2000
"""Segments read per call."""

Turn = tuple[int, str]
"""When a model began to serve, or a run began (an empty name: ended), in nanoseconds since the epoch; and its name."""


def split(board: Board, turns: Sequence[Turn]) -> tuple[Board, ...]:
    """The board split into one per turn in which clients came; ``turns`` are in order."""
    if not turns:
        return (board,)
    parts = ((model, _between(board, *ends)) for model, ends in _ends(board, turns))
    boards = [replace(part, title=model) for model, part in parts if part.lanes]
    return tuple(boards[-MOST:]) or (Board(turns[-1][1], (), board.now),)


def runs_of(board: Board, turns: Sequence[Turn], runs: Sequence[Turn]) -> tuple[BoardGroup, ...]:
    """The runs in which clients came, in order, each with its boards: at least one run, and at most `MOST` boards."""
    found: list[BoardGroup] = []
    for name, ends in _ends(board, [(0, ""), *runs]):
        part = _between(board, *ends)
        if part.lanes:
            found.append(BoardGroup(name, split(part, turns)))
    room, kept = MOST, list[BoardGroup]()
    for run in reversed(found):
        if room > 0:
            kept.insert(0, BoardGroup(run.name, run.boards[-room:]))
        room -= len(run.boards)
    return tuple(kept) or (BoardGroup("", split(board, turns)),)


def _ends(board: Board, turns: Sequence[Turn]) -> Iterator[tuple[str, tuple[int, int]]]:
    """Each turn's name, start and end; the first turn begins with the board."""
    first = (min(turns[0][0], board.start), turns[0][1])
    for (since, name), (until, _) in pairwise([first, *turns[1:], (max(board.now, turns[-1][0]) + 1, "")]):
        yield name, (since, until)


def _between(board: Board, since: int, until: int) -> Board:
    """The clients that came between two times, as they were at the end."""
    lanes = tuple(lane for lane in board.lanes if since <= lane.opened < until)
    return Board(board.title, lanes, min(until, board.now))


class LanesHistory:
    """Follows a lab. Call ``meet`` while clients are connected: only then are their names known.

    ``turns`` grows, in any thread, when another model serves, and ``runs`` when an experiment starts or ends.
    """

    def __init__(self, lab: Lab, turns: Sequence[Turn], runs: Sequence[Turn]) -> None:
        self._lab, self._turns, self._runs = lab, turns, runs
        self._capture: CapturedSegments | None = None
        self._following = LiveLanes(lab)

    def remember_clients(self) -> None:
        """Learn the names of the connected clients."""
        self._following.remember_clients()

    def read(self, now: int) -> tuple[BoardGroup, ...]:
        """The runs with clients, as of ``now`` (nanoseconds since the epoch); at least one run, with one board."""
        capture = self._lab.shown_capture
        if capture is not self._capture:
            if self._capture is not None:  # the earlier clients are gone with their capture
                self._following = LiveLanes(self._lab, log=self._lab.log.total)
            self._capture = capture
        return runs_of(self._following.board(now, at_most=BATCH), tuple(self._turns), tuple(self._runs))
