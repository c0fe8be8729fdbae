"""``netlab load``: requests at a rate, on a topic's models one after another or on any server; latency and gauges.

Results go to standard output, progress to standard error. Ctrl+c ends the load and prints the result so far.
"""

from __future__ import annotations

import argparse
import shutil
import signal
import sys
import textwrap
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from types import FrameType

from netlab.attachments.attachment import attachment
from netlab.capture.model import Endpoint, Transport
from netlab.commands.arguments import Ended, topic_of
from netlab.commands.loads.load_arguments import ABOUT, USAGE, address_parser, topic_parser, unfit
from netlab.commands.loads.load_progress import LoadProgress
from netlab.lab.errors import LabError
from netlab.lab.lab import Lab
from netlab.lab.processes.server_plan import Elsewhere
from netlab.lab.processes.setup import lab_certificates
from netlab.load.chosen_operation import keeps_connections, operation_of
from netlab.load.histogram import refuse_without
from netlab.load.lab_load import WireCost, load_on, wire_cost
from netlab.load.load_json import as_json
from netlab.load.load_run import LoadRun
from netlab.load.load_text import report_lines, time_text
from netlab.load.loopback_only import target_of
from netlab.load.plan import LoadPlan, Operation, PlainBytes
from netlab.load.result import LoadResult
from netlab.load.server_gauges import address_gauges
from netlab.serve.options import chosen_options
from netlab.topics.contract import Topic
from netlab.wire.impairment import catalog

WIDEST = 140
INTERRUPTED = 130
RATE = 100.0
Done = tuple[LoadResult, WireCost | None]


def main(argv: Sequence[str]) -> int:
    """Run ``netlab load`` with its arguments; return the exit status."""
    try:
        loads = _of_address(argv) if _is_address(argv) else _of_topic(argv)
        refuse_without()
    except Ended as ended:
        return int(ended.args[0])
    except LabError as error:
        return _failed(error)
    loading = Loading()
    with loading.interruptible():
        try:
            for load in loads.each:
                if not loading.interrupted:
                    load(loading)
        except LabError as error:
            loads.show(loading.done)
            return _failed(error)
        except KeyboardInterrupt:
            loading.interrupted = True
    loads.show(loading.done)
    if loading.interrupted:
        return INTERRUPTED
    if any(result.done for result, _ in loading.done):
        return 0
    kinds = dict.fromkeys(kind for result, _ in loading.done for kind in result.errors)
    sys.stderr.write(f"netlab load: no request was answered: {', '.join(kinds) or 'none was sent'}\n")
    return 1


class Loading:
    """The loads that run one after another, and what ctrl+c does meanwhile."""

    def __init__(self) -> None:
        self.done: list[Done] = []
        self.interrupted = False
        self._run: LoadRun | None = None

    def run(
        self, make: Callable[[LoadProgress], LoadRun], name: str, seconds: float, cost: WireCost | None = None
    ) -> None:
        """Do one load, and keep its result."""
        with LoadProgress(name, seconds) as progress:
            self._run = make(progress)
            try:
                self.done.append((self._run.run(), cost))
            finally:
                self._run = None

    @contextmanager
    def interruptible(self) -> Iterator[None]:
        """The first ctrl+c ends the running load; where none runs, and the second time, it ends everything."""
        before = signal.getsignal(signal.SIGINT)
        if before is not signal.SIG_IGN:
            signal.signal(signal.SIGINT, self._interrupt)
        try:
            yield
        finally:
            signal.signal(signal.SIGINT, before)

    def _interrupt(self, number: int, frame: FrameType | None) -> None:
        first, self.interrupted = not self.interrupted, True
        if self._run is None or not first:
            raise KeyboardInterrupt
        self._run.cancel()


class Loads:
    """What a command line asks for: the loads, and how their results are shown."""

    def __init__(self, arguments: argparse.Namespace, what: str, each: Sequence[Callable[[Loading], None]]) -> None:
        self._arguments, self._what, self.each = arguments, what, each

    def show(self, done: Sequence[Done]) -> None:
        """Print the results."""
        if self._arguments.json:
            sys.stdout.write("".join(f"{as_json(*each)}\n" for each in done))
        elif done:
            width = min(shutil.get_terminal_size().columns, WIDEST)
            results = [result for result, _ in done]
            lines = [*self._heading(results[0]), "", *report_lines(results, width)]
            remarks = [textwrap.fill(remark, width, subsequent_indent="  ") for remark in _remarks(done)]
            lines += ["", *remarks] if remarks else []
            sys.stdout.write("".join(f"{line}\n" for line in lines))

    def _heading(self, result: LoadResult) -> list[str]:
        plan = result.plan
        loop = "closed loop" if plan.closed else f"open loop, {plan.rate:,g} requests/s, seed {plan.seed}"
        ramp = f" after a ramp of {plan.ramp:g} s" if plan.ramp else ""
        faults = ", ".join(self._arguments.fault)
        way = f"through the wire: {faults}" if faults else "straight to the server"
        return [
            f"{self._what}: {plan.operation}",
            f"{plan.clients:,} clients for {plan.seconds:g} s{ramp}, {loop}; {way}",
        ]


def _remarks(done: Sequence[Done]) -> list[str]:
    """What to know of each result."""
    found = []
    for result, cost in done:
        name = f"{result.model}: " if len(done) > 1 else ""
        found += [f"{name}{warning}" for warning in result.warnings]
        if cost is not None:
            found.append(
                f"{name}the wire itself adds {time_text(cost.added)}: one client without load waits"
                f" {time_text(cost.straight)} straight, {time_text(cost.through)} through it (median)"
            )
    return found


def _is_address(argv: Sequence[str]) -> bool:
    first = argv[0] if argv else ""
    return not first.startswith("-") and (":" in first or first.isdecimal())


def _of_address(argv: Sequence[str]) -> Loads:
    parser = address_parser()
    arguments = parser.parse_intermixed_args(argv)
    if problem := unfit(arguments):
        parser.error(problem)
    transport = Transport.UDP if arguments.udp else Transport.TCP
    topic = attachment(arguments.to, transport)
    newline = "" if arguments.udp else "\n"
    try:
        target = target_of(arguments.to, transport, anywhere=arguments.anywhere)
    except LabError as error:
        parser.error(str(error))
    plan = _plan(parser, arguments, topic, newline=newline)
    return Loads(arguments, str(arguments.to), [partial(_load_address, topic, target, plan, arguments)])


def _load_address(
    topic: Topic, target: Endpoint, plan: LoadPlan, arguments: argparse.Namespace, loading: Loading
) -> None:
    if arguments.fault:
        with Lab(topic, server=Elsewhere(target)) as lab:
            _load_lab(lab, plan, arguments, loading, arguments.anywhere)
        return
    gauges = address_gauges(target, topic.transport)
    name = str(arguments.to)
    loading.run(lambda on: LoadRun(plan, target, model=name, on_point=on, gauges=gauges), name, plan.seconds)


def _of_topic(argv: Sequence[str]) -> Loads:
    topic = topic_of("netlab load", argv, USAGE, ABOUT)
    parser = topic_parser(topic)
    arguments = parser.parse_intermixed_args(argv[1:])
    if problem := unfit(arguments):
        parser.error(problem)
    models = arguments.models or topic.models[:1]
    for model in models:
        if model not in topic.models:
            parser.error(f"--models: {topic.name} has no model {model!r}; there are {', '.join(topic.models)}")
        if reason := topic.lacking(model):
            parser.error(f"--models: {model}: {reason}")
    try:
        chosen = chosen_options(arguments, topic.options)
    except ValueError as error:
        parser.error(str(error))
    options = {o.name: chosen[o.name] for o in topic.options if chosen[o.name] != o.default}
    each = [
        partial(_load_model, topic, model, _plan(parser, arguments, topic, model), options, arguments)
        for model in models
    ]
    return Loads(arguments, topic.name, each)


def _load_model(
    topic: Topic,
    model: str,
    plan: LoadPlan,
    options: dict[str, object],
    arguments: argparse.Namespace,
    loading: Loading,
) -> None:
    named: Path | None = getattr(arguments, "certificates", None)
    certificates = partial(lab_certificates, named) if named is not None else None
    with Lab(topic, model=model, options=options, certificates=certificates) as lab:
        _load_lab(lab, plan, arguments, loading)


def _load_lab(
    lab: Lab, plan: LoadPlan, arguments: argparse.Namespace, loading: Loading, anywhere: bool = False
) -> None:
    cost = None
    if arguments.fault:
        cost = wire_cost(lab, plan, anywhere=anywhere)
        lab.wire.fault(*arguments.fault)
    direct = not arguments.fault
    loading.run(
        lambda on: load_on(lab, plan, on, direct=direct, anywhere=anywhere), lab.state.model, plan.seconds, cost
    )


def _plan(
    parser: argparse.ArgumentParser, arguments: argparse.Namespace, topic: Topic, model: str = "", newline: str = ""
) -> LoadPlan:
    """The plan for a model; exits after a usage error."""
    keep = keeps_connections(model) if arguments.connections is None else arguments.connections == "kept"
    try:
        catalog.chain(arguments.fault, topic.transport)
        return LoadPlan(
            _operation(arguments, topic, model, newline),
            arguments.clients,
            0.0 if arguments.closed else RATE if arguments.rate is None else arguments.rate,
            arguments.seconds,
            arguments.ramp,
            arguments.closed,
            keep,
            arguments.seed,
            arguments.timeout,
        )
    except (LabError, ValueError) as error:
        parser.error(str(error))


def _operation(arguments: argparse.Namespace, topic: Topic, model: str, newline: str) -> Operation:
    if arguments.send is not None:
        return PlainBytes(arguments.send, arguments.expect or b"", topic.transport)
    return operation_of(topic, arguments.expressions, model=model, newline=newline)


def _failed(error: LabError) -> int:
    sys.stderr.write(f"netlab load: {error}\n")
    return 1
