"""A request to the control API that is not carried out."""

from __future__ import annotations


class ControlRefused(Exception):
    """Why, and the HTTP status that says so."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status
