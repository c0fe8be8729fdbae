"""Recorded TLS connections as text, with the ladder that they make.

``at NS`` is when the client connected, ``outcome`` what the lab's client made of it (``accepted``, or OpenSSL's reason;
no such line: nobody knows), ``key`` a line of the key log, ``→``, ``←`` and hex a piece, ``FIN`` for one without bytes.
To renew the ladders after they were meant to change: ``python -m tests.support.tls_ladder FILE …``.
"""

from __future__ import annotations

import ssl
import sys
from dataclasses import dataclass, field
from pathlib import Path

from netlab.capture.model import Direction, Kind
from netlab.dissect.picture import SeenFlow
from netlab.dissect.reading.in_memory import BEGAN_NS, MILLISECOND
from netlab.dissect.tls.ladder import draw
from netlab.topics.tls.plaintext import open_records
from tests.support.dissection_text import RULE
from tests.support.seen import OPEN, Cross, as_text, flow_of

WIDTH = 80


@dataclass
class Recording:
    """One connection, and what is known of it."""

    at_ns: int = BEGAN_NS
    pieces: list[Cross] = field(default_factory=list)
    keys: str = ""
    facts: dict[str, object] = field(default_factory=dict)

    def stream(self, way: Direction) -> memoryview:
        return memoryview(b"".join(piece.data for piece in self.pieces if piece.way is way))

    @property
    def began(self) -> Cross:
        """The opening, at its time."""
        return OPEN.late((self.at_ns - BEGAN_NS) / MILLISECOND)

    def seen(self, *, keys: bool = True, pieces: list[Cross] | None = None, **facts: object) -> SeenFlow:
        """As a capture shows it, with the keys and what the client says, or without."""
        known = {**(self.facts if keys else {}), **facts}
        if keys and self.keys:
            known["records"] = open_records(self.keys, *map(self.stream, (Direction.TO_SERVER, Direction.TO_CLIENT)))
        return flow_of("tls", self.began, *(self.pieces if pieces is None else pieces), facts=known, port=20443)


def outcome(said: str) -> Exception | None:
    """What the client's call raised, by OpenSSL's reason."""
    if said == "accepted":
        return None
    error = ssl.SSLCertVerificationError(1, said)
    error.verify_message = said
    return error


def read(text: str) -> tuple[Recording, str]:
    """A recording and its ladder."""
    head, _, expected = text.partition(RULE + "\n")
    found = Recording()
    for line in head.splitlines():
        word, _, rest = line.partition(" ")
        if word == "at":
            found.at_ns = int(rest)
        elif word == "outcome":
            found.facts["outcome"] = outcome(rest)
        elif word == "key":
            found.keys += rest + "\n"
        elif rest == "FIN":
            found.pieces.append(Cross(Direction(word), kind=Kind.FIN))
        else:
            found.pieces.append(Cross(Direction(word), bytes.fromhex(rest)))
    return found, expected


def ladders(recording: Recording) -> str:
    """Drawn with all that is known, then with nothing but the bytes, and folded."""
    whole = as_text(draw(recording.seen(), WIDTH))
    bare = draw(recording.seen(keys=False), WIDTH)
    assert bare is not None
    folded = "\n".join(filter(None, [bare.title, bare.note, *(row.text for row in bare.rows)]))
    return f"{whole}{RULE}\n{folded}\n"


if __name__ == "__main__":
    for path in map(Path, sys.argv[1:]):
        before = path.read_text(encoding="utf-8")
        head = before.partition(RULE + "\n")[0]
        path.write_text(f"{head}{RULE}\n{ladders(read(before)[0])}", encoding="utf-8")
