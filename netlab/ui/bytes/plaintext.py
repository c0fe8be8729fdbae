"""The plaintext of encrypted flows, where a session of the lab wrote its secrets down: beside the fields, in its place.

It knows no protocol: a topic's `Opener` says which bytes of a stream carried what. The opener is imported, and runs, in
the thread that calls `understood`; nothing here touches a widget.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from netlab.capture.model import Direction, Flow, Transport
from netlab.capture.view import CapturedSegments
from netlab.dissect.decrypted_record import Opened, Opener
from netlab.dissect.fields import Dissection, Dissector, Field
from netlab.ui.bytes.byte_source import SparseSource
from netlab.ui.bytes.dissecting import Extent, dissect, joined

NOT_OURS = "encrypted; not a session of this lab, so nobody here knows the keys"


@dataclass(frozen=True, slots=True)
class Sealed:
    """A flow to be opened: both its streams, as far as they are joined, and the secrets there are."""

    number: int
    streams: Mapping[Direction, memoryview]
    secrets: str


@dataclass(frozen=True, slots=True)
class Understood:
    """What is known of some bytes: their fields, a remark on the keys, and the plaintext in its place, if there is any.

    ``plain`` has the length of what is shown; where a byte carried no plaintext it has a gap.
    """

    dissection: Dissection
    remark: str = ""
    plain: SparseSource | None = None


class Plaintexts:
    """Opens flows. ``opener`` (called once, late) gives the topic's opener, ``secrets`` the key log as it is now.

    ``whose`` names the secrets, and ``not_ours`` is the remark on a flow that they do not open.
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

    def sealed(self, flow: Flow, capture: CapturedSegments) -> Sealed | None:
        """What opening a flow needs; to be asked for in the thread that grows the capture."""
        if flow.transport is Transport.UDP or (self._loaded and self._opener is None):
            return None
        streams = {direction: joined(capture.stream(flow, direction)) for direction in Direction}
        return Sealed(flow.number, streams, self._secrets())

    def understood(self, extent: Extent, dissector: Dissector | None, sealed: Sealed | None) -> Understood:
        """The fields of an extent, with what its records carried. An opener that raises leaves them closed."""
        dissection = dissect(extent, dissector) if dissector is not None else Dissection(())
        if sealed is None:
            return Understood(dissection)
        try:
            opener = self._opener_once()
            if opener is None:
                return Understood(dissection)
            records = opener(sealed.secrets, sealed.streams[Direction.TO_SERVER], sealed.streams[Direction.TO_CLIENT])
        except Exception as error:  # noqa: BLE001 - an opener of an installed package may raise anything
            return Understood(dissection, f"not opened: {type(error).__name__}: {error}")
        if records is None:
            return Understood(dissection, self._not_ours)
        return with_plaintext(extent, dissection, records.get(extent.direction, ()))

    def _opener_once(self) -> Opener | None:
        if not self._loaded:
            self._opener = self._load()
            self._loaded = True
        return self._opener


def with_plaintext(extent: Extent, dissection: Dissection, records: Sequence[Opened]) -> Understood:
    """The fields with each record's plaintext below it, and the plaintext in its place among the shown bytes."""
    origin = extent.offset + extent.shift
    by_start = {record.start - origin: record for record in records}
    fields = tuple(_with_child(field, by_start.get(field.start), origin) for field in dissection.fields)
    seen = [record for record in records if record.start < origin + extent.length and record.end > origin]
    return Understood(replace(dissection, fields=fields), plain=_in_place(seen, origin, extent.length))


def _with_child(field: Field, record: Opened | None, origin: int) -> Field:
    if record is None or record.end - origin != field.end:
        return field
    inner = tuple(_moved(child, record.at - origin) for child in record.fields)
    start, end = record.at - origin, record.at - origin + len(record.plaintext)
    only = inner[0] if len(inner) == 1 and not inner[0].children else None
    value = only.value if only else ", ".join(child.name for child in inner)
    child = Field("plaintext", start, end, record.name, value, () if only else inner, layer=True)
    said = f"{field.value}, opened: {value}" if value else field.value
    return replace(field, value=said, children=(*field.children, child))


def _moved(field: Field, by: int) -> Field:
    children = tuple(_moved(child, by) for child in field.children)
    return replace(field, start=field.start + by, end=field.end + by, children=children)


def _in_place(records: Iterable[Opened], origin: int, length: int) -> SparseSource | None:
    """As many bytes as are shown: the plaintext where it was carried, zeros (gaps) elsewhere."""
    shown, known = bytearray(length), []
    for record in records:
        start = max(record.at - origin, 0)
        end = min(record.at - origin + len(record.plaintext), length)
        if start < end:
            skipped = start - (record.at - origin)
            shown[start:end] = record.plaintext[skipped : skipped + end - start]
            known.append((start, end))
    return SparseSource(memoryview(shown).toreadonly(), known) if known else None
