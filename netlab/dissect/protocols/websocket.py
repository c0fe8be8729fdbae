"""WebSocket (RFC 6455): what follows HTTP's upgrade, and flows whose beginning was not captured."""

from __future__ import annotations

from netlab.dissect.field_reader import FieldReader, Short
from netlab.dissect.flow import Match, Opening, Protocol
from netlab.dissect.framed.framed_flow import NoMessage
from netlab.dissect.websocket.websocket_flow import WebSocketFlow
from netlab.dissect.websocket.websocket_frame import CONTINUATION, TEXT, Header, read_header, unmasked


def recognise(opening: Opening) -> Match:
    """A masked frame from the client, and one without a mask from the server. A text must be one."""
    try:
        asked, text = _first(opening.to_server)
        answered, _ = _first(opening.to_client)
    except NoMessage:
        return Match.NO
    if asked is None:
        return Match.UNDECIDED if opening.to_server or opening.to_client else Match.NO
    if not asked.key or asked.opcode == CONTINUATION or (answered is not None and answered.key):
        return Match.NO
    if asked.opcode == TEXT and asked.final and not asked.compressed:
        return Match.LIKELY if _is_text(text) else Match.NO
    return Match.LIKELY if answered is not None else Match.UNDECIDED


def _first(data: memoryview) -> tuple[Header | None, bytes]:
    """The first frame's header, and its payload as far as it is here; None if it is not complete."""
    reader = FieldReader(data)
    try:
        header = read_header(reader)
    except Short:
        return None, b""
    payload = data[header.body : header.body + min(header.length, len(data))]
    return header, unmasked(payload, header.key) if header.key else b""


def _is_text(data: bytes) -> bool:
    """Whether it is text in UTF-8, which may be cut within a character."""
    text = data.decode("utf-8", "replace").rstrip("\ufffd")
    return "\ufffd" not in text and all(c.isprintable() or c in "\r\n\t" for c in text)


PROTOCOL = Protocol("websocket", "WebSocket", recognise, WebSocketFlow, 70)
