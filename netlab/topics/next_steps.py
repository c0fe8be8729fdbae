"""What a person may try next on a topic, as values: the console shows what is left of it."""

from __future__ import annotations

from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class NextSteps:
    """Lines to enter in this order, and in a few words what is ``seen`` then; no lines: nothing is left to try."""

    lines: tuple[str, ...] = ()
    seen: str = ""

    def __str__(self) -> str:
        steps = ", then ".join(self.lines)
        return f"{steps}: {self.seen}" if self.lines and self.seen else steps

    def after(self, entered: str) -> NextSteps:
        """What is left once a line was entered."""
        if not self.lines or entered.strip() != self.lines[0]:
            return self
        return replace(self, lines=self.lines[1:])


NOTHING_NEXT = NextSteps()
