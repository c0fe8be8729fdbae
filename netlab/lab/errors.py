"""What can go wrong with a lab: one sentence that says what, why, and what to try. Knows nothing else."""

from __future__ import annotations


class LabError(Exception):
    """Something that a person asked for and the lab could not do.

    ``problem`` says what and why, ``advice`` what to try.
    """

    def __init__(self, problem: str, advice: str = "") -> None:
        super().__init__(f"{problem}; {advice}" if advice else problem)
        self.problem = problem
        self.advice = advice
