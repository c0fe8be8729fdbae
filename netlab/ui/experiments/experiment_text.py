"""The experiment pane's text as lines for a width: the list, the question, the events and the outcome.

Pure; each line fits the width. Glyphs and words show what is chosen and what was observed; colour only helps.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from textwrap import wrap

from netlab.lab.experiments.run_events import (
    Awaited,
    Expected,
    Finished,
    LabOpened,
    LanesShown,
    Ran,
    RunEvent,
    RunOutcome,
    Shown,
    Stepped,
    Stood,
    Verdict,
)
from netlab.lab.experiments.swim_lanes_text import render_boards
from netlab.topics.experiment import Experiment
from netlab.ui.widgets.formatting import Formatting
from netlab.ui.widgets.scrollback import Line

STRONG, FAINT, NOTE = "scrollback--call", "scrollback--faint", "scrollback--note"
SEEN, NOT_SEEN, CHOSEN = "experiment--seen", "scrollback--error", "experiment--chosen"

_OUTCOMES = {
    RunOutcome.SEEN: ("✓", SEEN),
    RunOutcome.NOT_SEEN: ("✗", NOT_SEEN),
    RunOutcome.STOPPED: ("■", "scrollback--warning"),
    RunOutcome.FAILED: ("✗", NOT_SEEN),
}
BLANK: Line = (("", ""),)


@dataclass(frozen=True, slots=True)
class TextRow:
    """A line, and the number of the choice that it belongs to, if any."""

    line: Line
    choice: int | None = None


def paragraph(first: str, text: str, width: int, style: str = "", indent: int | None = None) -> list[Line]:
    """Wrapped text after ``first``, with the other lines indented."""
    rest = " " * (len(first) if indent is None else indent)
    lines = wrap(text, max(width, 20), initial_indent=first, subsequent_indent=rest, break_on_hyphens=False)
    return [((style, line),) for line in lines]


def listing(
    experiments: Sequence[Experiment], verdicts: Mapping[str, Verdict], cursor: int, width: int, here: bool
) -> list[TextRow]:
    """The experiments with their questions; and, if the pane has the focus (``here``), the keys that choose."""
    hint = "Predict, run, observe." + " Choose with ↑↓ and enter, or with the digit." * here
    rows = [TextRow(line) for line in paragraph("", hint, width, NOTE)]
    rows.append(TextRow(BLANK))
    for index, experiment in enumerate(experiments):
        verdict = verdicts.get(experiment.name)
        glyph = _OUTCOMES[verdict.outcome][0] if verdict is not None else " "
        rows += _choice(index, f"{experiment.name} {glyph}".rstrip(), cursor, width, head=True)
        rows += [TextRow(line, index) for line in paragraph("     ", experiment.question, width)]
    return rows


def question(experiment: Experiment, cursor: int, width: int, here: bool) -> list[TextRow]:
    """The question and the predictions; and, if the pane has the focus (``here``), the keys that choose."""
    rows = [TextRow(line) for line in paragraph("", experiment.question, width, STRONG)]
    rows.append(TextRow(BLANK))
    for index, prediction in enumerate(experiment.predictions):
        rows += _choice(index, prediction, cursor, width)
    rows += [TextRow(BLANK)]
    hint = "What do you think? " + "Press a digit, or ↑↓ and enter; 0 runs it without a prediction. " * here
    hint += "It uses this tab's server and wire. Clients are disconnected; "
    hint += "the model, options and faults are restored afterwards."
    return rows + [TextRow(line) for line in paragraph("", hint, width, NOTE)]


def _choice(index: int, text: str, cursor: int, width: int, head: bool = False) -> list[TextRow]:
    mark = "▸" if index == cursor else " "
    style = CHOSEN if index == cursor else "scrollback--call" if head else ""
    return [TextRow(line, index) for line in paragraph(f" {mark} {index + 1} ", text, width, style)]


def beginning(experiment: Experiment, prediction: int | None, width: int) -> list[Line]:
    """The text above a run: the question and the user's prediction."""
    lines = paragraph("", experiment.question, width, STRONG)
    if prediction is not None:
        lines += paragraph("You predict: ", experiment.predictions[prediction], width, NOTE, indent=2)
    return [*lines, BLANK]


def event_lines(events: Iterable[RunEvent], width: int, show: Formatting, beside: bool = False) -> list[Line]:
    """The events of a run; the last line is what it waits for. ``beside``: swim lanes of two models side by side."""
    lines: list[Line] = []
    awaited: Awaited | None = None
    for event in events:
        awaited = event if isinstance(event, Awaited) else None
        lines += _event_lines(event, width, show, beside)
    return lines + (paragraph("   ◔ ", awaited.what, width, "scrollback--warning") if awaited else [])


def _event_lines(event: RunEvent, width: int, show: Formatting, beside: bool) -> list[Line]:
    match event:
        case LabOpened(model, options):
            server = f"a server, model {model}" + (f", with {options}" if options else "")
            return paragraph("   · ", server, width, FAINT)
        case Stepped(number, text):
            return paragraph(f"{number:>2} ", show.text(text), width)
        case Expected(_, what, seen, found):
            instead = paragraph("     instead: ", show.text(found), width, indent=5) if found else []
            seen_or_not = ("   ✓ ", SEEN) if seen else ("   ✗ not seen: ", NOT_SEEN)
            return paragraph(seen_or_not[0], what, width, seen_or_not[1], indent=5) + instead
        case Stood(places):
            return [row for line in places for row in paragraph("   ▸ ", show.text(line), width, indent=5)]
        case Shown(text):
            return [BLANK, *((("", f"   {row}"),) for row in show.text(text).split("\n")), BLANK]
        case LanesShown(boards):
            rows = render_boards([show.board(board) for board in boards], width - 1, beside=beside)
            return [BLANK, *((("", row),) for row in rows), BLANK]
        case Ran(text):
            return paragraph("   · ", text, width, FAINT)
        case Awaited() | Finished():
            return []


def ending(experiment: Experiment, verdict: Verdict, prediction: int | None, width: int) -> list[Line]:
    """The outcome: the verdict, whether the prediction was right, and why."""
    glyph, style = _OUTCOMES[verdict.outcome]
    lines = [BLANK, *paragraph(f"{glyph} ", verdict.words, width, style)]
    if verdict.outcome is RunOutcome.SEEN:
        lines += _judged(experiment, prediction, width)
        lines += paragraph("Why: ", experiment.why, width, indent=2)
    elif verdict.outcome is RunOutcome.STOPPED:
        lines += paragraph("", "The model, options and faults are restored.", width, NOTE)
    return lines


def _judged(experiment: Experiment, prediction: int | None, width: int) -> list[Line]:
    right = f"{experiment.answer + 1} {experiment.predictions[experiment.answer]}"
    if prediction == experiment.answer:
        return paragraph("✓ You were right: ", right, width, SEEN, indent=2)
    rows = paragraph("✓ The right answer: ", right, width, SEEN, indent=2)
    if prediction is not None:
        wrong = f"{prediction + 1} {experiment.predictions[prediction]}"
        rows += paragraph("✗ You predicted: ", wrong, width, NOT_SEEN, indent=2)
    return rows


def code(experiment: Experiment) -> str:
    """The tutorial's code and the repaired version, as one text; empty if the experiment has none."""
    parts = [("The tutorial's code. It runs only in a child process with limits.", experiment.quoted)]
    parts.append(("Repaired.", experiment.repaired))
    return "\n\n\n".join(f"# {title}\n\n{text.strip(chr(10))}" for title, text in parts if text)
