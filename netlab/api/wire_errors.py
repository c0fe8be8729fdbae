"""The errors of a wire that a program holds: what happened, why, and what to try in Python."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from netlab.lab.errors import LabError


class WireError(LabError):
    """A wire could not do what was asked. ``problem`` says what happened and why, ``advice`` what to try."""


class WireTimeout(WireError, TimeoutError):
    """What was waited for did not happen in time."""


@contextlib.contextmanager
def advising(advice: str) -> Iterator[None]:
    """Turn a lab's error into a `WireError`: advice for the console's prompt is of no use in a program."""
    try:
        yield
    except WireError:
        raise
    except LabError as error:
        raise WireError(error.problem, advice) from None
