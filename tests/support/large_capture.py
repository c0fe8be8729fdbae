"""A capture with a segment that is too large to be copied unseen."""

from __future__ import annotations

import os
import struct
from pathlib import Path

from tests.support import build

SIZE = 256 * 1024 * 1024
MARK = b"needle"


def write_large_capture(path: Path) -> Path:
    """One segment of 256 MiB, all holes but its last bytes; one small segment follows."""
    header = build.ip("127.0.0.1", "127.0.0.1", 6, build.tcp_header(53422, 20000, 101, build.ACK), total=0)
    size = 32 + len(header) + SIZE
    with path.open("wb") as file:
        file.write(build.capture(build.opened()))
        file.write(struct.pack("<IIIIIII", 6, size, 0, 0, 0, len(header) + SIZE, len(header) + SIZE) + header)
        file.seek(SIZE - len(MARK), os.SEEK_CUR)
        file.write(MARK + struct.pack("<I", size))
        file.write(build.enhanced(build.tcp(build.CLIENT, build.SERVER, 101 + SIZE, payload=b" after")))
    return path
