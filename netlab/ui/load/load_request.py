"""What a user asks of a load, in the form's fields or after ``:load``, and the plan that it makes for a model. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

from netlab.load.chosen_operation import keeps_connections, operation_of
from netlab.load.plan import LoadPlan
from netlab.topics.contract import Topic

USAGE = "[LINE] [--clients N] [--rate R|--closed] [--for 10s] [--ramp 2s] [--models A,B] [--seed N] [--keep|--once]"
_OPTION = re.compile(r"(?:^|(?<=\s))--(?P<name>[a-z]+)(?:[ =]+(?P<value>(?!--)\S+))?(?=\s|$)")
_FLAGS = ("closed", "keep", "once")
_VALUES = ("clients", "rate", "for", "ramp", "models", "seed")
_NUMBER = r"(\d{1,7}(?:\.\d{1,6})?)"
_SECONDS = re.compile(_NUMBER + r"\s*(ms|s|m|min)?")
_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "min": 60.0}


@dataclass(frozen=True, slots=True)
class LoadRequest:
    """A load as it is asked for. ``line`` is the console line of each request (empty: the topic's sample).

    ``rate`` None is a closed loop. ``models`` are served one after another (none: what serves now). ``keep`` None lets
    the model decide whether connections are kept.
    """

    line: str = ""
    clients: int = 10
    rate: float | None = 100.0
    seconds: float = 10.0
    ramp: float = 0.0
    models: tuple[str, ...] = ()
    seed: int = 1
    keep: bool | None = None

    def plan(self, topic: Topic, model: str, *, own: bool = False, newline: str = "") -> LoadPlan:
        """The plan for a model; ``own``: a person's own file serves; ``newline`` ends bare text.

        Raises `ValueError` or `LabError`.
        """
        return LoadPlan(
            operation_of(topic, self.line or topic.sample, model=model, own=own, newline=newline),
            self.clients,
            self.rate or 0.0,
            self.seconds,
            self.ramp,
            closed=self.rate is None,
            keep=keeps_connections(model) if self.keep is None else self.keep,
            seed=self.seed,
        )

    @property
    def command(self) -> str:
        """The console's command for it."""
        words = [":load", self.line, f"--clients {self.clients}"]
        words.append("--closed" if self.rate is None else f"--rate {self.rate:g}")
        words += [f"--for {self.seconds:g}s", f"--ramp {self.ramp:g}s" * bool(self.ramp)]
        words += [f"--models {','.join(self.models)}" * bool(self.models)]
        words += [f"--seed {self.seed}" * (self.seed != 1)]
        words += [{None: "", True: "--keep", False: "--once"}[self.keep]]
        return " ".join(filter(None, words))


def request_of(text: str, topic: Topic) -> LoadRequest:
    """The request of what follows ``:load``. Raises `ValueError` with a sentence."""
    found = [each for each in _OPTION.finditer(text) if each["name"] in (*_FLAGS, *_VALUES)]
    line = text[: found[0].start()].strip() if found else text.strip()
    values = _values(text[found[0].start() :] if found else "")
    if "rate" in values and "closed" in values:
        raise ValueError("--rate is for an open loop: a closed one sends as fast as answers come")
    if "keep" in values and "once" in values:
        raise ValueError("--keep keeps connections, --once gives each request its own: take one of them")
    request = LoadRequest(line)
    request = replace(
        request, clients=whole(values.get("clients", "10"), "clients"), seed=whole(values.get("seed", "1"), "a seed")
    )
    request = replace(request, rate=None if "closed" in values else rate_of(values.get("rate", "100")))
    request = replace(request, seconds=seconds_of(values.get("for", "10s")), ramp=seconds_of(values.get("ramp", "0s")))
    keep = True if "keep" in values else False if "once" in values else None
    return replace(request, models=models_of(values.get("models", ""), topic), keep=keep)


def _values(text: str) -> Mapping[str, str]:
    values: dict[str, str] = {}
    rest = _OPTION.sub("", text).strip()
    for each in _OPTION.finditer(text):
        name, value = each["name"], each["value"]
        if name not in (*_FLAGS, *_VALUES):
            raise ValueError(f"no option --{name}: {USAGE}")
        if name in _FLAGS and value:
            rest = value
        if name in _VALUES and not value:
            raise ValueError(f"--{name} needs a value: {USAGE}")
        values[name] = value or ""
    if rest:
        raise ValueError(f"{rest[:40]} is out of place: the line comes first, then the options")
    return values


def whole(text: str, what: str) -> int:
    """A whole number."""
    if not re.fullmatch(r"\d{1,9}", text.strip()):
        raise ValueError(f"{what}: {text.strip()[:20] or 'nothing'} is not a whole number")
    return int(text)


def rate_of(text: str) -> float | None:
    """Requests a second, ``200`` or ``200/s``; None for ``closed``."""
    text = text.strip()
    if text == "closed":
        return None
    found = re.fullmatch(_NUMBER + r"\s*(?:/s)?", text)
    if found is None:
        raise ValueError(f"rate: {text[:20] or 'nothing'} is not requests a second, as in 200, or closed")
    return float(found[1])


def seconds_of(text: str) -> float:
    """A time: ``10``, ``10s``, ``500ms``, ``2m``."""
    found = _SECONDS.fullmatch(text.strip())
    if found is None:
        raise ValueError(f"{text.strip()[:20] or 'nothing'} is not a time, as in 10s")
    return float(found[1]) * _UNITS[found[2] or "s"]


def models_of(text: str, topic: Topic) -> tuple[str, ...]:
    """Models of a topic, separated by commas or spaces; none: what serves now."""
    names = tuple(dict.fromkeys(filter(None, re.split(r"[,\s]+", text.strip()))))
    if names and topic.attached:
        raise ValueError("how your server handles many clients is in its own code: it has no models to compare")
    for name in names:
        if name not in topic.models:
            raise ValueError(f"{topic.title} has no model {name[:20]}: {', '.join(topic.models)}")
        if why := topic.lacking(name):
            raise ValueError(f"model {name}: {why}")
    return names
