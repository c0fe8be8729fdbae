"""Messages with their length in front, in two or four bytes, in either order: what many home-made protocols are.

It is a guess: made only where several messages fit exactly, and where nothing else is recognised.
"""

from __future__ import annotations

from netlab.dissect.flow import Match, Opening, Protocol
from netlab.dissect.framed.prefixed_messages import FORMATS, Format, PrefixedFlow, fit

_LEAST = 3
"""Messages that must fit exactly …"""
_LEAST_CUT = 6
"""… or, with a further one that has not come whole, so many."""


def recognise(opening: Opening) -> Match:
    """In one format, all that has come is messages, and several of them."""
    if not opening.to_server and not opening.to_client:
        return Match.NO
    return max(_match(opening, form) for form in FORMATS)


def _match(opening: Opening, form: Format) -> Match:
    asked, answered = fit(opening.to_server, form), fit(opening.to_client, form)
    if asked is None or answered is None:
        return Match.NO
    messages, whole = asked.messages + answered.messages, asked.whole and answered.whole
    return Match.LIKELY if messages >= (_LEAST if whole else _LEAST_CUT) else Match.UNDECIDED


PROTOCOL = Protocol("lengths", "length prefix", recognise, PrefixedFlow, 900)
