"""A TLS connection as a ladder: the client left, the server right, an arrow for each message.

As in RFC 8446, ``{…}`` is protected by a handshake traffic secret and ``[…]`` by a later one; what has no brackets
crossed in clear.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice

from netlab.capture.model import Direction, Kind, Segment
from netlab.dissect.picture import MOST_ROWS, Picture, Row, SeenFlow, Tone
from netlab.dissect.tls import handshake, tls_records
from netlab.dissect.tls import tls_names as names
from netlab.dissect.tls.conversation import Said, conversation
from netlab.dissect.tls.ladder_lines import arrow, cut, ends, plain, remark
from netlab.dissect.tls.message_words import GAP, details_of, name_of, words_of
from netlab.dissect.tls.story import CLIENT, SERVER, WARNING, Story, story_of
from netlab.dissect.tls.verdict import verdict_rows

MOST_ARROWS, MOST_ENDINGS = 500, 20
MOST_SAID = 5000
"""Messages that are read: a record may hold thousands of empty ones."""
_SIDE = {CLIENT: "client", SERVER: "server"}
UNKNOWN_KEYS = "encrypted: its secrets are not known here (a key log has them)"


def draw(seen: SeenFlow, width: int) -> Picture | None:
    """The ladder; None if nothing of TLS crossed."""
    conversed = list(islice(conversation(seen), MOST_SAID))
    story = story_of(conversed)
    if story.asked is None and story.answered is None and story.alert is None and not story.opened:
        return None
    runs = list(_runs(conversed))
    rows = [Row(ends(str(seen.flow.client), str(seen.flow.server), width), tone=Tone.QUIET)]
    rows += _Ladder(seen, story, width).all_rows(runs[:MOST_ARROWS])
    of = f"more than {MOST_ARROWS:,}" if len(conversed) == MOST_SAID else f"{len(runs):,}"
    left_out = f"the first {MOST_ARROWS:,} of {of} arrows are drawn" if len(runs) > MOST_ARROWS else ""
    return Picture(_title(story), tuple(_bounded(rows)), _note(seen, story, left_out))


def _bounded(rows: Iterable[Row]) -> Iterator[Row]:
    """As many rows as a picture may have, counted with their details."""
    count = 0
    for row in rows:
        count += 1 + len(row.details)
        if count > MOST_ROWS:
            return
        yield row


def _runs(conversed: Iterable[Said]) -> Iterator[list[Said]]:
    """Each message alone; records of data that follow each other, or that stay closed, together."""
    run: list[Said] = []
    for said in conversed:
        many = said.kind == tls_records.APPLICATION_DATA or said.body is None
        if run and many and _alike(run[-1], said):
            run.append(said)
            continue
        if run:
            yield run
        run = [said]
    if run:
        yield run


def _alike(one: Said, other: Said) -> bool:
    return (one.kind, one.direction, one.secret, one.body is None) == (
        other.kind,
        other.direction,
        other.secret,
        other.body is None,
    )


class _Ladder:
    """Draws one run after another, and remembers what was said before."""

    def __init__(self, seen: SeenFlow, story: Story, width: int) -> None:
        self._seen, self._story, self._width = seen, story, width
        self._secrets: dict[Direction, str] = {}
        self._finished: set[Direction] = set()
        self._began_ns = seen.messages[0].began_ns if seen.messages else 0

    def all_rows(self, runs: Iterable[list[Said]]) -> Iterator[Row]:
        """All arrows in order, and how each side ended the stream beneath."""
        endings = [segment for segment in self._seen.segments if segment.kind in (Kind.FIN, Kind.RESET)][:MOST_ENDINGS]
        for run in runs:
            while endings and endings[0].number < run[0].began:
                yield self._ending(endings.pop(0))
            yield from self.rows(run)
        yield from map(self._ending, endings)

    def rows(self, run: list[Said]) -> Iterator[Row]:
        """The arrow of a run, and the remarks before and after it."""
        first = run[0]
        if first.secret and self._secrets.get(first.direction) != first.secret:
            self._secrets[first.direction] = first.secret
            opens = Row(f"opens what the {_SIDE[first.direction]} sends from here on", first.began)
            yield self._remark(f"from here: {first.secret}", first, Tone.QUIET, opens)
        yield self._arrow(run)
        if first.kind == tls_records.HANDSHAKE:
            yield from self._after(first)

    def _arrow(self, run: list[Said]) -> Row:
        first = run[0]
        text = self._bracketed(first)
        if len(run) > 1 or (first.body is None and first.kind in names.RECORDS):
            sizes = sum(said.size for said in run)
            text += f"  {len(run):,} record{'s' if len(run) > 1 else ''}, {sizes:,} bytes"
        elif first.kind == tls_records.APPLICATION_DATA:
            text += f"  {len(first.body or b''):,} bytes: {words_of(first)}"
        elif words := words_of(first):
            text += f"  {words}"
        details = tuple(Row(line, first.began) for line in self._details(run))
        return Row(arrow(text, first.direction, self._width), first.began, details, _tone(first))

    def _bracketed(self, said: Said) -> str:
        """The name, in the brackets of what protects it."""
        name = name_of(said)
        if not said.secret and said.body is not None:
            return name
        handshaking = self._story.is_1_3 and said.secret and said.direction not in self._finished
        if said.message == handshake.FINISHED:
            self._finished.add(said.direction)
        return f"{{{name}}}" if handshaking else f"[{name}]"

    def _details(self, run: list[Said]) -> Iterator[str]:
        first = run[0]
        after = (first.record.ended_ns - self._began_ns) / 1e6
        yield f"segment {first.began}, {sum(said.size for said in run):,} bytes, after {after:,.1f} ms"
        if first.secret:
            yield f"opened with the {first.secret}"
        elif first.body is None and first.kind in names.RECORDS:
            yield UNKNOWN_KEYS
        if len(run) == 1:
            yield from details_of(first)
        if first.kind == tls_records.CHANGE_CIPHER_SPEC:
            yield (
                "TLS 1.3 has no use for it: it is sent for the sake of old middleboxes"
                if self._story.is_1_3
                else "what follows from this side is encrypted"
            )

    def _after(self, said: Said) -> Iterator[Row]:
        """What a message comes to."""
        story = self._story
        if said.message == handshake.CERTIFICATE:
            yield from verdict_rows(self._seen, story, said, self._width)
        elif said.message == handshake.SERVER_HELLO and name_of(said) == "ServerHello":
            if story.resumed:
                yield self._remark("resumed: the ticket stands in for the certificate", said, Tone.GOOD)
            elif story.declined:
                yield self._remark("the server does not take the ticket: a full handshake follows", said, Tone.QUIET)

    def _remark(self, text: str, said: Said, tone: Tone, *details: Row) -> Row:
        return remark(text, self._width, segment=said.began, details=details, tone=tone)

    def _ending(self, segment: Segment) -> Row:
        """A FIN or a reset; a FIN without close_notify is said, where that can be known."""
        if segment.kind is Kind.RESET:
            return Row(arrow("RST", segment.direction, self._width), segment.number, tone=Tone.WRONG)
        story = self._story
        known = story.opened or not story.closed
        cut_short = known and story.done and story.alert is None and segment.direction not in story.goodbyes
        missing = "  without close_notify: something may be missing" if cut_short else ""
        tone = Tone.WRONG if cut_short else Tone.QUIET
        return Row(arrow(f"FIN{missing}", segment.direction, self._width), segment.number, tone=tone)


def _tone(said: Said) -> Tone:
    if said.kind == tls_records.ALERT and said.body is not None and len(said.body) == 2:
        return Tone.QUIET if said.body[0] == WARNING else Tone.WRONG
    if said.kind == tls_records.CHANGE_CIPHER_SPEC or said.body is None:
        return Tone.QUIET
    return Tone.PLAIN


def _title(story: Story) -> str:
    """The version, and what became of the handshake."""
    version = names.name_of(names.VERSIONS, story.answered.chosen) if story.answered else "TLS"
    if story.alert is not None:
        what = "refused" if story.alert.early else "ended"
        return f"{version}: {what} by the {_SIDE[story.alert.direction]}, {story.alert.name}"
    if story.resumed:
        return f"{version}: resumed"
    if story.done:
        return f"{version}: full handshake"
    return f"{version}: encrypted" if story.closed else f"{version}: the handshake is not complete"


def _note(seen: SeenFlow, story: Story, left_out: str) -> str:
    """What was agreed on; what is missing."""
    suite = ""
    if story.answered is not None and story.answered.suites:
        suite = names.name_of(names.CIPHERS, story.answered.suites[0])
    asked = story.asked.host if story.asked is not None else ""
    parts = [
        suite,
        f"group {story.group}" if story.group else "",
        f"SNI {cut(plain(asked), 80)}" if asked else "no SNI" if story.asked is not None else "",
        f"ALPN {cut(plain(story.alpn), 80)}" if story.alpn else "",
        "closed: the secrets are not known" if story.closed and not story.opened else "",
        left_out,
        seen.left_out,
    ]
    return GAP.join(filter(None, parts))
