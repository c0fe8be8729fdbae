"""The error of a lab: what happened, why, and what to try. It knows nothing else."""

from __future__ import annotations


class LabError(Exception):
    """The lab could not do what a person asked for.

    ``problem`` says what happened and why, ``advice`` what to try.
    """

    def __init__(self, problem: str, advice: str = "") -> None:
        super().__init__(f"{problem}; {advice}" if advice else problem)
        self.problem = problem
        self.advice = advice
