"""Leaves the app, and asks first if something would be lost."""

from __future__ import annotations

from collections.abc import Sequence

from textual.app import App

from netlab.lab.lab import Lab
from netlab.ui.widgets.chooser import Chooser, ChooserItem


def leave(app: App[None], labs: Sequence[Lab]) -> None:
    """End the app; ask first if these labs hold something that the user may want to keep."""
    lost = lost_with(labs)
    if not lost:
        app.exit()
        return
    choices = [ChooserItem("leave", "leave", lost), ChooserItem("stay", "stay", ":save FILE saves a capture")]

    def chosen(answer: tuple[str, str] | None) -> None:
        if answer == ("enter", "leave"):
            app.exit()

    app.push_screen(Chooser("leave netlab?", choices), chosen)


def lost_with(labs: Sequence[Lab]) -> str:
    """What the user may want to keep of these labs; empty if nothing."""
    clients = sum(session.connected for lab in labs for session in lab.sessions)
    segments = sum(lab.unsaved for lab in labs)
    lost = [_are(clients, "client", "connected")] if clients else []
    lost += [_are(segments, "segment", "not saved")] if segments else []
    return ", ".join(lost)


def _are(count: int, what: str, how: str) -> str:
    return f"{count:,} {what} is {how}" if count == 1 else f"{count:,} {what}s are {how}"
