"""The tables by which HPACK names headers: a fixed one, and one that the headers before have made (RFC 7541, 2.3)."""

from __future__ import annotations

from netlab.dissect.framed.framed_flow import NoMessage

DEFAULT_SIZE = 4096
MOST_SIZE = 1 << 14
"""Of a larger table only the newest so many bytes are kept."""
_OVERHEAD = 32
_KEPT = 512
"""Bytes of a value that are kept."""

Header = tuple[str, str]
_FIXED = """
:authority
:method GET
:method POST
:path /
:path /index.html
:scheme http
:scheme https
:status 200
:status 204
:status 206
:status 304
:status 400
:status 404
:status 500
accept-charset
accept-encoding gzip, deflate
accept-language
accept-ranges
accept
access-control-allow-origin
age
allow
authorization
cache-control
content-disposition
content-encoding
content-language
content-length
content-location
content-range
content-type
cookie
date
etag
expect
expires
from
host
if-match
if-modified-since
if-none-match
if-range
if-unmodified-since
last-modified
link
location
max-forwards
proxy-authenticate
proxy-authorization
range
referer
refresh
retry-after
server
set-cookie
strict-transport-security
transfer-encoding
user-agent
vary
via
www-authenticate
"""
FIXED: tuple[Header, ...] = tuple(
    (name, value) for name, _, value in (line.partition(" ") for line in _FIXED.strip().splitlines())
)


class HeaderTable:
    """What one direction's headers so far mean for the next: the newest entry is the first."""

    def __init__(self) -> None:
        self._entries: list[tuple[Header, int]] = []
        """The newest is the last."""
        self._size, self._most = 0, DEFAULT_SIZE
        self.gap = False
        """Whether bytes are missing, so that older entries are not known."""

    def at(self, index: int) -> Header | None:
        """The entry of an index; None if it is no longer known. Raises `NoMessage` if there is none."""
        if index == 0:
            raise NoMessage("index 0 in a header block")
        if index <= len(FIXED):
            return FIXED[index - 1]
        place = index - len(FIXED)
        if place <= len(self._entries):
            return self._entries[-place][0]
        if self.gap or self._most > MOST_SIZE:
            return None
        raise NoMessage(f"index {index} in a header block, but the table ends at {len(FIXED) + len(self._entries)}")

    def add(self, header: Header, size: int) -> None:
        """Add an entry of so many bytes; the oldest make room."""
        self._entries.append(((header[0][:_KEPT], header[1][:_KEPT]), size + _OVERHEAD))
        self._size += size + _OVERHEAD
        self._make_room()

    def resize(self, most: int) -> None:
        """The sender uses no more than so many bytes from now on."""
        self._most = most
        self._make_room()

    def forget(self) -> None:
        """Bytes are missing."""
        self._entries, self._size, self.gap = [], 0, True

    def _make_room(self) -> None:
        gone = 0
        while self._size > min(self._most, MOST_SIZE) and gone < len(self._entries):
            self._size -= self._entries[gone][1]
            gone += 1
        del self._entries[:gone]
