"""Bytes in the forms that people paste: hex, text, Python, base64."""

from __future__ import annotations

import base64
import textwrap
from collections.abc import Callable

CLIPBOARD_LIMIT = 64 * 1024
"""Most bytes to put on a clipboard: terminals drop longer OSC 52 sequences without a word. A file takes any length."""


def count_of_bytes(count: int) -> str:
    """``1 byte``, ``1,234 bytes``."""
    return "1 byte" if count == 1 else f"{count:,} bytes"


def as_hex(chunk: memoryview) -> str:
    """``48 65 6c 6c 6f``."""
    return chunk.hex(" ")


def as_text(chunk: memoryview) -> str:
    """Decoded as UTF-8; what is not becomes U+FFFD. Not made safe: it is for the clipboard."""
    return str(chunk, "utf-8", "replace")


def as_python(chunk: memoryview) -> str:
    r"""A Python literal: ``b'Hello\r\n'``."""
    return repr(bytes(chunk))


def as_base64(chunk: memoryview) -> str:
    """Base64 in lines of 76 characters, as MIME has them."""
    return "\n".join(textwrap.wrap(base64.b64encode(chunk).decode(), 76))


FORMS: dict[str, Callable[[memoryview], str]] = {
    "hex": as_hex,
    "text": as_text,
    "Python bytes": as_python,
    "base64": as_base64,
}
"""What copying offers, in menu order."""
