"""What crosses the wire. A frame is a five-byte header ``!BI``, type and length, then the payload.

- 1 ``STORE``: a payload for the server; the answer is a frame 2 ``DIGEST``, its SHA-256;
- 3 ``FETCH``: eight bytes ``!Q`` ask for that many; the answer is a frame 4 ``CONTENT`` of that length.
"""

import struct

STORE, DIGEST, FETCH, CONTENT = 1, 2, 3, 4
HEADER = struct.Struct("!BI")
WANTED = struct.Struct("!Q")
