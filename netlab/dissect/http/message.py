"""One HTTP message while it is read."""

from __future__ import annotations

from dataclasses import dataclass, field

from netlab.dissect.fields import Field
from netlab.dissect.http.values import quoted

MOST_LINES = 20000
"""Headers, or chunks, of one message that are read at all."""


@dataclass(slots=True)
class HttpMessage:
    """One message while it is read: its fields so far, the position, and what it still waits for."""

    data: memoryview
    start: int
    position: int
    title: str = ""
    status: int = 0
    headers: list[tuple[str, str]] = field(default_factory=list)
    fields: list[Field] = field(default_factory=list)
    pieces: list[tuple[int, int]] = field(default_factory=list)
    summary: str = ""
    needs: int = 0
    whole: bool = False
    problem: str = ""
    answers: str | None = None
    """The method that a response answers; None if that is not known."""
    brief: bool = False
    """Whether only its summary is wanted."""
    head_end: int | None = None
    """Where the headers end; None if they have not come."""

    def values(self, name: str) -> list[str]:
        """What the headers of that name say."""
        return [value.strip() for key, value in self.headers if key == name]

    def add(self, name: str, end: int, kind: str, value: str, children: tuple[Field, ...] = ()) -> None:
        """Take the bytes up to ``end`` as the next field."""
        self.fields.append(Field(name, self.position, end, kind, value, children))
        self.position = end

    def leave(self, problem: str) -> None:
        """Leave the rest as raw bytes, for this reason."""
        self.problem = problem
        if self.position < len(self.data):
            self.add("rest", len(self.data), "bytes", quoted(self.data[self.position :]))
