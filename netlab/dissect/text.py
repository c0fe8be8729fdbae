"""The one gate through which text of a peer passes before it is stored for display or printed.

Control characters become visible pictures; what could reorder or hide text becomes U+FFFD. It knows no widget.
"""

from __future__ import annotations

_PICTURES = {code: 0x2400 + code for code in range(0x20)} | {0x7F: 0x2421}


def safe(text: str, *, keep: str = "") -> str:
    r"""Text that cannot steer a terminal: C0 and DEL as pictures, other unprintable characters as U+FFFD.

    ``keep`` lists control characters to leave alone (``"\n"`` where lines are wanted). ``str.isprintable`` is false for
    every C0, C1, bidi, zero-width and surrogate character (Unicode "Other" and "Separator"), so it is the whole test.
    """
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() or c in keep else chr(_PICTURES.get(ord(c), 0xFFFD)) for c in text)
