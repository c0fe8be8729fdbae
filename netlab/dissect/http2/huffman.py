"""Strings in HPACK's Huffman code (RFC 7541, appendix B). The code is canonical, so its lengths say all of it."""

from __future__ import annotations

from functools import cache

_LENGTHS = (
    "13 23 28 28 28 28 28 28 28 24 30 28 28 30 28 28 28 28 28 28 28 28 30 28 28 28 28 28 28 28 28 28 6 10 10 12 13 6 "
    "8 11 10 10 8 11 8 6 6 6 5 5 5 6 6 6 6 6 6 6 7 8 15 6 12 10 13 6 7 7 7 7 7 7 7 7 7 7 7 7 7 7 7 7 7 7 7 7 7 7 8 7 "
    "8 13 19 13 14 6 15 5 6 5 6 5 6 6 6 5 7 7 6 6 6 5 6 7 6 5 5 6 7 7 7 7 7 15 11 14 13 28 20 22 20 20 22 22 22 23 22 "
    "23 23 23 23 23 24 23 24 24 22 23 24 23 23 23 23 21 22 23 22 23 23 24 22 21 20 22 22 23 23 21 23 22 22 24 21 22 "
    "23 23 21 21 22 21 23 22 23 23 20 22 22 22 23 22 22 23 26 26 20 19 22 23 22 25 26 26 26 27 27 26 24 25 19 21 26 "
    "27 27 26 27 24 21 21 26 26 28 27 27 27 20 24 20 21 22 21 21 23 22 22 25 25 24 24 26 23 26 27 26 26 27 27 27 27 "
    "27 28 27 27 27 27 27 26 30 "
)
"""How many bits each byte has, 0 to 255, and the end of the string."""
_END = 256
_MOST_PADDING = 7


def _codes() -> dict[int, int]:
    """Each code with a 1 before its first bit, and what it stands for."""
    codes, code, before = dict[int, int](), 0, 0
    for length, symbol in sorted((int(length), symbol) for symbol, length in enumerate(_LENGTHS.split())):
        code <<= length - before
        codes[1 << length | code] = symbol
        code, before = code + 1, length
    return codes


_CODES = _codes()


class NoHuffman(ValueError):
    """The bits are no string in this code."""


@cache
def _step(code: int, bits: int) -> tuple[int, bytes, bool]:
    """From a code that has begun, four bits on: the code then, what was completed, and whether that was the end.

    There are no more codes that have begun than there are symbols, so this is a small table.
    """
    found = bytearray()
    for shift in (3, 2, 1, 0):
        code = code << 1 | (bits >> shift & 1)
        symbol = _CODES.get(code)
        if symbol == _END:
            return 1, bytes(found), True
        if symbol is not None:
            found.append(symbol)
            code = 1
    return code, bytes(found), False


def decoded(packed: bytes) -> bytes:
    """The string. Raises `NoHuffman` if it ends within a code."""
    found, code = bytearray(), 1
    for byte in packed:
        for bits in (byte >> 4, byte & 15):
            code, completed, ended = _step(code, bits)
            if ended:
                raise NoHuffman("a header is not in the Huffman code")
            found += completed
    padding = code.bit_length() - 1
    if padding > _MOST_PADDING or code != (2 << padding) - 1:
        raise NoHuffman("a header ends within a Huffman code")
    return bytes(found)
