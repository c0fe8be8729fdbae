"""`netlab.values` does what `dataclasses` does: the same classes, made with both, behave alike."""

from __future__ import annotations

import copy
import dataclasses
import pickle
import subprocess
import sys
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, ClassVar

import pytest

from netlab import values
from netlab.capture.model import Endpoint, Flow, Transport

NAN = float("nan")


def _classes(kind: Any) -> SimpleNamespace:
    dataclass, field = kind.dataclass, kind.field

    @dataclass(frozen=True, slots=True)
    class Frozen:
        """With a constant, a property, and all kinds of defaults."""

        number: int
        name: str = "x"
        notes: list[int] = field(default_factory=list)
        hidden: int = field(default=0, repr=False)
        aside: int = field(default=0, compare=False)
        MOST: ClassVar[int] = 3

        @property
        def twice(self) -> int:
            return 2 * self.number

    @dataclass(frozen=True, slots=True)
    class More(Frozen):
        further: float = 1.5

    @dataclass(frozen=True, slots=True)
    class One:
        value: float

    @dataclass(frozen=True, slots=True)
    class Nothing:
        pass

    @dataclass(slots=True)
    class Counts:
        seen: int = 0
        total: int = field(init=False)

        def __post_init__(self) -> None:
            self.total = self.seen + 1

    @dataclass
    class Plain:
        a: int
        b: int = 2

        def __repr__(self) -> str:
            return "mine"

    @dataclass(eq=False, slots=True)
    class Same:
        a: int

    return SimpleNamespace(**{name: each for name, each in locals().items() if isinstance(each, type)})


OURS, THEIRS = _classes(values), _classes(dataclasses)


def _said(act: Callable[[SimpleNamespace], object], classes: SimpleNamespace) -> object:
    try:
        return act(classes)
    except (TypeError, AttributeError) as error:
        return type(error)


@pytest.mark.parametrize(
    "act",
    [
        lambda c: repr(
            [c.Frozen(1), c.More(1, further=2.0), c.One(1), c.Nothing(), c.Counts(4), c.Plain(1), c.Same(3)]
        ),
        lambda c: (c.Frozen(1) == c.Frozen(1), c.Frozen(1) == c.Frozen(2), c.Frozen(1) == c.More(1), c.Frozen(1) == 1),
        lambda c: (c.Frozen(1, aside=1) == c.Frozen(1, aside=2), c.Frozen(1, hidden=1) == c.Frozen(1, hidden=2)),
        lambda c: (c.One(NAN) == c.One(NAN), c.One(1) == c.One(2), c.Nothing() == c.Nothing(), c.Same(1) == c.Same(1)),
        lambda c: (
            hash(c.One(1)) == hash(c.One(1)),
            len({c.One(1), c.One(1.0), c.One(2)}),
            len({c.Same(1), c.Same(1)}),
        ),
        lambda c: hash(c.Frozen(1)),
        lambda c: hash(c.Counts(1)),
        lambda c: hash(c.Plain(1)),
        lambda c: setattr(c.Frozen(1), "number", 2),
        lambda c: delattr(c.Frozen(1), "number"),
        lambda c: setattr(c.Counts(1), "other", 2),
        lambda c: c.Frozen(),
        lambda c: c.Frozen(1, wrong=2),
        lambda c: c.Counts(1, 2),
        lambda c: (c.Frozen(1).notes is c.Frozen(1).notes, c.Frozen(1).twice, c.Frozen.MOST, c.Counts(2).total),
        lambda c: (
            c.Frozen.__match_args__,
            c.More.__match_args__,
            c.Counts.__match_args__,
            c.Plain.b,
            c.Frozen.__doc__,
        ),
        lambda c: (repr(copy.copy(c.Frozen(7))), repr(copy.deepcopy(c.More(7, "y")))),
        lambda c: repr(dataclasses.replace(c.More(1), number=5, further=3.0)),
        lambda c: repr(values.replace(c.More(1), number=5, further=3.0)),
        lambda c: dataclasses.asdict(c.More(1)),
        lambda c: [(each.name, each.init, each.repr, each.compare) for each in dataclasses.fields(c.More)],
        lambda c: (dataclasses.is_dataclass(c.Plain), dataclasses.fields(c.Counts(1))[0].default),
    ],
)
def test_what_both_do(act: Callable[[SimpleNamespace], object]) -> None:
    assert _said(act, OURS) == _said(act, THEIRS)


def test_a_class_of_dataclasses_may_stand_on_one_of_ours() -> None:
    @dataclasses.dataclass(frozen=True)
    class Other(OURS.One):
        more: int = 2

    assert repr(Other(1)).endswith("Other(value=1, more=2)")


def test_a_default_that_all_would_share_is_refused() -> None:
    with pytest.raises(ValueError, match="default_factory"):

        @values.dataclass
        class Shared:
            names: list[str] = []  # noqa: RUF012 - that is the mistake


def test_a_value_that_holds_itself_can_be_shown() -> None:
    value = OURS.Frozen(1)
    value.notes.append(value)
    assert "notes=[...]" in repr(value)


def test_pickled() -> None:
    flow = Flow(1, Transport.TCP, Endpoint("::1", 1), Endpoint("::1", 2))
    assert pickle.loads(pickle.dumps(flow)) == flow


def test_dataclasses_is_not_imported() -> None:
    code = "import sys, netlab.wire.facts as f; repr(f.Paused()); print({'dataclasses', 'inspect'} & {*sys.modules})"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout == "set()\n"
