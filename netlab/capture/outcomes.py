"""What became of a packet, as pcapng comments: the only place that writes them and reads them back.

Beside the fate, which is for people, a packet that did not just pass has the comment ``netlab: outcome=dropped``; the
section header announces this. Captures of earlier versions have no such comments: in those alone, a fate that begins
with "dropped" is taken for the outcome.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from netlab.capture.model import Outcome

ANNOUNCEMENT: Final = "netlab: the comment outcome=dropped or outcome=changed says what became of a packet"
"""The section header's comment."""
_KEY: Final = "netlab: outcome="
_BY_COMMENT: Final = {f"{_KEY}{outcome.value}": outcome for outcome in Outcome}
_OLD_MARK: Final = "dropped"


def comments(fate: str, outcome: Outcome) -> list[str]:
    """The comments of a packet."""
    marks = [] if outcome is Outcome.DELIVERED else [f"{_KEY}{outcome.value}"]
    return [fate, *marks] if fate else marks


def read(comments: Iterable[str], *, changed: bool, old: bool) -> tuple[str, Outcome]:
    """Fate and outcome by a packet's comments.

    ``changed``: its original bytes stand before it. ``old``: the file is of a netlab that wrote no outcomes.
    """
    found = Outcome.CHANGED if changed else Outcome.DELIVERED
    words = []
    for comment in comments:
        if comment in _BY_COMMENT:
            found = _BY_COMMENT[comment]
        else:
            words.append(comment)
    fate = "; ".join(words)
    if old and fate.startswith(_OLD_MARK):
        return fate.removeprefix(_OLD_MARK).lstrip(": "), Outcome.DROPPED
    return fate, found


def is_old(application: str, comments: Iterable[str]) -> bool:
    """Whether a section is of a netlab that wrote no outcomes, by its header's application and comments."""
    return application.split(" ")[0] == "netlab" and ANNOUNCEMENT not in comments
