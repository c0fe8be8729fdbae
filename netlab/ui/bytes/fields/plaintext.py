"""The plaintext of encrypted flows whose secrets a session of the lab has logged: below the fields, or in place.

It knows no protocol: a topic's `Opener` says which bytes of a stream carried which plaintext. The opener is imported
and runs in the thread that calls `understood`. It knows no widget.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from netlab.capture.model import Direction, Flow, Transport
from netlab.capture.stream import Chunk
from netlab.capture.view import CapturedSegments
from netlab.dissect.decrypted_record import Opened, Opener
from netlab.dissect.fields import Dissection, Field
from netlab.dissect.text import safe
from netlab.ui.bytes.byte_source import SparseSource
from netlab.ui.bytes.fields.decrypted_flow import decrypted
from netlab.ui.bytes.fields.dissecting import JOINED, Extent, Reads, dissect, joined

NOT_OURS = "encrypted; this is not a session of this lab, so its keys are unknown"

_BEYOND = f"a flow is decrypted up to {JOINED >> 20} MiB of each direction; what follows stays encrypted"


def whose_keys(file: str, *, also_ours: bool = False) -> tuple[str, str]:
    """``whose`` and ``not_ours`` of `Plaintexts` that have the secrets in a file of clients from outside."""
    if also_ours:
        return f"this lab's secrets and {safe(file)}", f"encrypted; its keys are neither this lab's nor in {safe(file)}"
    return f"the secrets in {safe(file)}", f"encrypted; its keys are not in {safe(file)}"


@dataclass(frozen=True, slots=True)
class EncryptedFlow:
    """A flow to decrypt: both its streams, as far as they are joined, and the known secrets."""

    flow: Flow
    streams: Mapping[Direction, memoryview]
    chunks: Mapping[Direction, Sequence[Chunk]]
    """The same, as they crossed."""
    secrets: str


@dataclass(frozen=True, slots=True)
class DissectedBytes:
    """Dissected bytes: their fields, a remark about the keys, and the plaintext in place, if there is any.

    ``plain`` is as long as the shown bytes, with gaps at bytes that carried no plaintext.
    """

    dissection: Dissection
    remark: str = ""
    plain: SparseSource | None = None


class Plaintexts:
    """Decrypts flows. ``opener`` (called once, late) returns the topic's opener, ``secrets`` the current key log.

    ``whose`` names the secrets, and ``not_ours`` is the remark for a flow that they do not decrypt.
    """

    def __init__(
        self,
        opener: Callable[[], Opener | None],
        secrets: Callable[[], str],
        whose: str = "this session's secrets",
        not_ours: str = NOT_OURS,
    ) -> None:
        self._load, self._secrets = opener, secrets
        self.whose, self._not_ours = whose, not_ours
        self._opener: Opener | None = None
        self._loaded = False

    def key_log(self, flow: Flow) -> str:
        """The secrets for a program that decrypts the flow itself; empty for UDP."""
        return self._secrets() if flow.transport is Transport.TCP else ""

    def sealed(self, flow: Flow, capture: CapturedSegments) -> EncryptedFlow | None:
        """What decrypting a flow takes. Call it in the thread that grows the capture."""
        if flow.transport is Transport.UDP or (self._loaded and self._opener is None):
            return None
        chunks = {direction: capture.stream(flow, direction) for direction in Direction}
        streams = {direction: joined(chunks[direction]) for direction in Direction}
        return EncryptedFlow(flow, streams, chunks, self._secrets())

    def understood(self, extent: Extent, reads: Reads | None, sealed: EncryptedFlow | None) -> DissectedBytes:
        """The fields of an extent, with the plaintext of its records. If the opener raises, they stay encrypted."""
        dissection = dissect(extent, reads) if reads is not None else Dissection(())
        if sealed is None:
            return DissectedBytes(dissection)
        try:
            opener = self._opener_once()
            if opener is None:
                return DissectedBytes(dissection)
            records = opener(sealed.secrets, sealed.streams[Direction.TO_SERVER], sealed.streams[Direction.TO_CLIENT])
            if records is None:
                return DissectedBytes(dissection, self._not_ours)
            inner = _said_within(extent, sealed, records)
        except Exception as error:  # noqa: BLE001 - an opener of an installed package may raise anything
            return DissectedBytes(dissection, f"not decrypted: {type(error).__name__}: {error}")
        found = with_plaintext(extent, dissection, records.get(extent.direction, ()))
        if len(sealed.streams[extent.direction]) == JOINED <= extent.offset + extent.shift + extent.length:
            found = replace(found, remark=_BEYOND)
        if inner is None:
            return found
        return replace(found, dissection=replace(found.dissection, fields=(*found.dissection.fields, inner)))

    def opened(self, flow: Flow, capture: CapturedSegments) -> Callable[[], Mapping[str, object]]:
        """Call it in the thread that grows the capture; what it returns opens the flow's records, in any thread.

        They are ``records`` there, or nothing if the secrets do not open them.
        """
        sealed = self.sealed(flow, capture)

        def records() -> Mapping[str, object]:
            opener = self._opener_once() if sealed is not None else None
            if opener is None or sealed is None:
                return {}
            ways = (sealed.streams[way] for way in (Direction.TO_SERVER, Direction.TO_CLIENT))
            found = opener(sealed.secrets, *ways)
            return {"records": found} if found else {}

        return records

    def _opener_once(self) -> Opener | None:
        if not self._loaded:
            self._opener = self._load()
            self._loaded = True
        return self._opener


def _said_within(extent: Extent, sealed: EncryptedFlow, records: Mapping[Direction, Sequence[Opened]]) -> Field | None:
    origin = extent.offset + extent.shift
    return decrypted(sealed.flow, extent.direction, records, sealed.chunks, origin, origin + extent.length)


def with_plaintext(extent: Extent, dissection: Dissection, records: Sequence[Opened]) -> DissectedBytes:
    """The fields, each record's plaintext below it, and the plaintext in place of the shown bytes."""
    origin = extent.offset + extent.shift
    by_start = {record.start - origin: record for record in records}
    fields = tuple(_with_child(field, by_start.get(field.start), origin) for field in dissection.fields)
    seen = [record for record in records if record.start < origin + extent.length and record.end > origin]
    return DissectedBytes(replace(dissection, fields=fields), plain=_in_place(seen, origin, extent.length))


def _with_child(field: Field, record: Opened | None, origin: int) -> Field:
    if record is None or record.end - origin != field.end:
        return field
    inner = tuple(_moved(child, record.at - origin) for child in record.fields)
    start, end = record.at - origin, record.at - origin + len(record.plaintext)
    only = inner[0] if len(inner) == 1 and not inner[0].children else None
    value = only.value if only else ", ".join(child.name for child in inner)
    child = Field("plaintext", start, end, record.name, value, () if only else inner, layer=True)
    said = f"{field.value}, decrypted: {value}" if value else field.value
    return replace(field, value=said, children=(*field.children, child))


def _moved(field: Field, by: int) -> Field:
    children = tuple(_moved(child, by) for child in field.children)
    return replace(field, start=field.start + by, end=field.end + by, children=children)


def _in_place(records: Iterable[Opened], origin: int, length: int) -> SparseSource | None:
    """As many bytes as are shown: the plaintext in its place, zeros (gaps) elsewhere."""
    shown, known = bytearray(length), []
    for record in records:
        start = max(record.at - origin, 0)
        end = min(record.at - origin + len(record.plaintext), length)
        if start < end:
            skipped = start - (record.at - origin)
            shown[start:end] = record.plaintext[skipped : skipped + end - start]
            known.append((start, end))
    return SparseSource(memoryview(shown).toreadonly(), known) if known else None
