"""DNS's numbers by name (IANA's registry), and how domain names are read."""

from __future__ import annotations

from netlab.dissect.field_reader import FieldReader, Short
from netlab.dissect.framed.framed_flow import NoMessage

TYPES = {
    1: "A",
    2: "NS",
    5: "CNAME",
    6: "SOA",
    12: "PTR",
    13: "HINFO",
    15: "MX",
    16: "TXT",
    28: "AAAA",
    33: "SRV",
    35: "NAPTR",
    39: "DNAME",
    41: "OPT",
    43: "DS",
    44: "SSHFP",
    46: "RRSIG",
    47: "NSEC",
    48: "DNSKEY",
    50: "NSEC3",
    52: "TLSA",
    64: "SVCB",
    65: "HTTPS",
    99: "SPF",
    250: "TSIG",
    251: "IXFR",
    252: "AXFR",
    255: "ANY",
    257: "CAA",
}
CLASSES = {1: "IN", 3: "CH", 4: "HS", 254: "NONE", 255: "ANY"}
OPCODES = {0: "query", 1: "inverse query", 2: "status", 4: "notify", 5: "update", 6: "stateful operations"}
CODES = {
    0: "no error",
    1: "format error",
    2: "server failure",
    3: "no such name",
    4: "not implemented",
    5: "refused",
    6: "name exists",
    7: "record set exists",
    8: "record set does not exist",
    9: "not authoritative",
    10: "not in zone",
    16: "bad version or signature",
    23: "bad cookie",
}
OPTIONS = {3: "NSID", 8: "client subnet", 10: "cookie", 11: "keepalive", 12: "padding", 15: "extended error"}
_LONGEST_NAME = 255
_MOST_JUMPS = 32


class Names:
    """The names of the message that begins at ``start``: each place is read once, however many pointers lead there."""

    def __init__(self, start: int) -> None:
        self.start = start
        self._read: dict[int, str] = {}

    def read(self, reader: FieldReader) -> str:
        """The name at the reader's place, which moves behind it.

        A pointer leads back to an earlier name (RFC 1035, section 4.1.4). It must lead backwards, so none leads in
        circles; jumps and length are bounded, too.
        """
        labels, places = list[str](), list[int]()
        at, place, jumps = reader, reader.at, 0
        while (known := self._read.get(at.at)) is None:
            places.append(at.at)
            size = at.number(1)
            if size >= 0xC0:
                target = self.start + ((size & 0x3F) << 8 | at.number(1))
                jumps += 1
                if target >= place or jumps > _MOST_JUMPS:
                    raise NoMessage("a DNS name points forwards, or too often")
                at, place = FieldReader(reader.data, target, reader.end), target
                places.pop()
            elif size >= 0x40:
                raise NoMessage("a DNS label of an unknown kind")
            elif size:
                labels.append(_label(bytes(at.part(size).view())))
            else:
                places.pop()
                known = ""
                break
        for label, each in zip(reversed(labels), reversed(places), strict=True):
            known = self._read[each] = f"{label}.{known}" if known else label
            if len(known) > _LONGEST_NAME * 4:  # a byte may be written as four characters
                raise NoMessage(f"a DNS name is longer than {_LONGEST_NAME} bytes")
        return known or "."


def _label(raw: bytes) -> str:
    """A label; what is no printable ASCII, and dots within it, are written as RFC 4343 has it: ``\\046``."""
    return "".join(chr(byte) if 32 < byte < 127 and byte not in b".\\" else f"\\{byte:03}" for byte in raw)


def is_name(data: memoryview, at: int) -> bool:
    """Whether a name without pointers, of letters, digits and what names have, begins there, or may begin."""
    reader = FieldReader(data, at)
    try:
        name = Names(at).read(reader)
    except Short:
        return True
    except NoMessage:
        return False
    return "\\" not in name and all(c.isalnum() or c in "-_.*/" for c in name)
