"""HTTP/1: requests and responses (RFC 9112), with their bodies put together and unpacked."""

from __future__ import annotations

import re

from netlab.dissect.flow import Match, Opening, Protocol
from netlab.dissect.http.http_flow import HttpFlow
from netlab.dissect.picture import Picture, SeenFlow

_METHODS = rb"(?:GET|HEAD|POST|PUT|DELETE|OPTIONS|PATCH|TRACE|CONNECT|PROPFIND|MKCOL|COPY|MOVE|REPORT)"
_REQUEST = re.compile(rb"(?:\r?\n)*[A-Z-]{3,20} [^ \r\n]{1,4000} HTTP/1\.[01]\r?\n")
_BEGUN = re.compile(rb"(?:\r?\n)*" + _METHODS + rb" [^ \r\n]{0,4096}(?: [HTP/1.\r]{0,9})?")
_STATUS = re.compile(rb"HTTP/1\.[01] [1-5]\d\d[ \r\n]")


def recognise(opening: Opening) -> Match:
    """A request line from the client, or a status line from the server."""
    asked, answered = bytes(opening.to_server), bytes(opening.to_client[:16])
    if _REQUEST.match(asked) or (not asked and _STATUS.match(answered)):
        return Match.SURE
    if _STATUS.match(answered):
        return Match.LIKELY
    return Match.UNDECIDED if not answered and _BEGUN.fullmatch(asked) else Match.NO


def draw(seen: SeenFlow, width: int) -> Picture | None:
    """The exchanges of a connection."""
    from netlab.dissect.exchanges import http_picture  # here, since most flows are never drawn

    return http_picture.draw(seen, width)


PROTOCOL = Protocol("http", "HTTP/1", recognise, HttpFlow, 10, draw=draw)
