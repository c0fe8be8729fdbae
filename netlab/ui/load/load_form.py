"""The form that starts a load: the line of each request, clients, rate, seconds and models. Enter starts it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.widgets import Input, Static

from netlab.dissect.text import safe
from netlab.lab.errors import LabError
from netlab.load.histogram import lacking
from netlab.topics.contract import Topic
from netlab.ui.keys.late_paint import LateModal
from netlab.ui.keys.type_ahead_input import TypeAheadInput
from netlab.ui.load.load_request import LoadRequest, models_of, rate_of, seconds_of, whole

_FIELDS = (
    ("line", "each request", "text or a call, as in the console"),
    ("clients", "clients", "how many at once, at most"),
    ("rate", "rate", "requests a second, or closed"),
    ("seconds", "seconds", "how long"),
    ("models", "models", "to compare, such as single threading"),
)


class LoadForm(LateModal[LoadRequest | None]):
    """Asks for a load; the answer is None if the user leaves."""

    DEFAULT_CSS = """
    LoadForm { align: center middle; }
    LoadForm > Vertical {
        width: 84; max-width: 98%; height: auto; max-height: 98%; border: round $accent; background: $surface;
        border-title-style: bold; border-subtitle-color: $text-muted; padding: 0 1;
    }
    LoadForm Horizontal { height: auto; }
    LoadForm .label { width: 13; height: 1; color: $text-muted; }
    LoadForm Input { width: 24; height: 1; border: none; padding: 0 1; background: $boost; }
    LoadForm Input:focus { border: none; background-tint: $foreground 12%; }
    LoadForm .help { width: 1fr; height: auto; padding-left: 1; color: $text-muted; }
    LoadForm #load-verdict { height: auto; min-height: 2; margin-top: 1; color: $text-success; }
    LoadForm #load-verdict.-wrong { color: $text-error; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss(None)", "close", show=False, id="load.leave"),
        Binding("down", "app.focus_next", "next", show=False, id="load.field_below"),
        Binding("up", "app.focus_previous", "previous", show=False, id="load.field_above"),
    ]

    def __init__(self, topic: Topic, before: LoadRequest, model: str, *, own: bool = False) -> None:
        """``before`` fills the fields; ``model`` serves now, or (``own``) a person's own file."""
        super().__init__()
        self._topic, self._before, self._model, self._own = topic, before, model, own

    @property
    def _fields(self) -> Sequence[tuple[str, str, str]]:
        return _FIELDS[:-1] if self._own or len(self._topic.models) < 2 else _FIELDS

    def compose(self) -> ComposeResult:
        """The fields, and what they make."""
        before = self._before
        values = {
            "line": before.line or self._topic.sample,
            "clients": str(before.clients),
            "rate": "closed" if before.rate is None else f"{before.rate:g}",
            "seconds": f"{before.seconds:g}",
            "models": " ".join(before.models),
        }
        with Vertical() as box:
            box.border_title = f"load on {self._topic.title}"
            box.border_subtitle = "enter starts   tab next field   esc leaves"
            for name, label, help in self._fields:
                with Horizontal():
                    yield Static(label, classes="label", markup=False)
                    line = TypeAheadInput(values[name], id=f"load-{name}", compact=True, select_on_focus=False)
                    line.cursor_blink = False
                    yield line
                    yield Static(help, classes="help", markup=False)
            yield Static("", id="load-verdict", markup=False)

    def on_mount(self) -> None:
        """Judge what the fields say at first."""
        self._judge()

    def _value(self, name: str) -> str:
        found = self.query(f"#load-{name}").results(Input)
        return next((line.value for line in found), "")

    def _request(self) -> LoadRequest:
        """What the fields ask for. Raises `ValueError` or `LabError`."""
        if why := lacking():
            raise ValueError(why)
        line = self._value("line").strip()
        request = LoadRequest(
            "" if line == self._topic.sample else line,
            whole(self._value("clients"), "clients"),
            rate_of(self._value("rate")),
            seconds_of(self._value("seconds")),
            self._before.ramp,
            models_of(self._value("models"), self._topic),
            self._before.seed,
            self._before.keep,
        )
        for model in request.models or (self._model,):
            request.plan(self._topic, model, own=self._own)
        return request

    def _judge(self) -> LoadRequest | None:
        """Show the request as a console line, or what is wrong with it."""
        request: LoadRequest | None = None
        try:
            request = self._request()
            text = f"✓ {request.command}"
        except (ValueError, LabError) as problem:
            text = f"✗ {problem}"
        verdict = self.query_one("#load-verdict", Static)
        verdict.set_class(request is None, "-wrong")
        verdict.update(Content(safe(text)))
        return request

    def on_input_changed(self, event: Input.Changed) -> None:
        """Check the text at each key."""
        event.stop()
        self._judge()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Start the load."""
        event.stop()
        if (request := self._judge()) is not None:
            self.dismiss(request)
