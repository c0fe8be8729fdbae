"""A flow of multiprocessing as a picture: the handshake beside what the authkey gives, and each pickle step by step."""

from __future__ import annotations

from netlab.dissect.pickles.pickle_picture import draw_with
from netlab.dissect.picture import Picture, SeenFlow
from netlab.dissect.proof import keys_of


def draw(seen: SeenFlow, width: int) -> Picture | None:
    """The messages of a flow. Its facts may have the authkeys of client and server."""
    return draw_with(seen, keys_of(seen.facts, "authkey"))
