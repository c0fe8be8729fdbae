"""Whole lines from a client, within a time and a length."""

from __future__ import annotations

from io import BufferedReader, RawIOBase
from typing import TYPE_CHECKING

from netlab.hardening.clients import ClientSocket
from netlab.hardening.events import Refused
from netlab.hardening.patience import Deadline

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

LONGEST_LINE = 65536


class LineReader(RawIOBase):
    """Reads lines from a client. It may stay silent between two, and once a line has begun it must come to its end."""

    def __init__(self, client: ClientSocket) -> None:
        self._client = client
        self._deadline = Deadline(client.patience)
        self._begun = False
        self._file = BufferedReader(self)

    def read_line(self) -> bytes:
        """The next line; at the end of the stream what is left, then ``b""``."""
        self._begun = False
        try:
            line = self._file.readline(LONGEST_LINE + 1)
        except TimeoutError:
            if self._begun:
                raise TimeoutError(f"no whole line within {self._deadline.seconds:g} s") from None
            raise
        if len(line) > LONGEST_LINE:
            raise Refused(f"a line of more than {LONGEST_LINE} bytes")
        return line

    def readable(self) -> bool:
        """Yes."""
        return True

    def readinto(self, buffer: WriteableBuffer) -> int:
        """Fill the buffer with what arrives next."""
        if self._begun:
            return self._client.recv_into_by(self._deadline, buffer)
        count = self._client.recv_into(buffer)
        self._begun = count > 0
        self._deadline.renew()
        return count
