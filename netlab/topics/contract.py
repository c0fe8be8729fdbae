"""What a topic is: a value that names its parts, and a folder that holds them.

A topic's folder holds these files, with fixed names:

- ``__init__.py``: ``TOPIC``, and nothing that is slow to import;
- ``server.py``: the recipe's class ``Server(address, *, timeout, **options)``, a `Server`. With several models, either
  ``MODELS`` there has a class for each, or ``server_MODEL.py`` has the class ``Server`` of that model;
- ``client.py``: the recipe's ``Client(address, *, timeout, log, make_socket, **options)``;
- ``dissect.py``: ``dissect(data, direction, offset=0) -> Dissection``; optionally also ``Flow``, made without arguments
  for each flow, a `netlab.dissect.flow.FlowDissector`, which then reads the flows instead;
- ``experiments.py``: ``EXPERIMENTS``, a tuple of `netlab.topics.experiment.Experiment`;
- ``lesson.md``, ``then_now.md``: the lesson, and what became of the tutorial's code;
- ``copy_as.py`` (optional): ``copy_as``, a `netlab.topics.copy_as.CopyAs`: the client's last call as commands of
  other tools;
- ``plaintext.py`` (optional), of a topic with encrypted bytes: ``open_records``, a
  `netlab.dissect.decrypted_record.Opener`, and ``Conversation``, which makes a
  `netlab.dissect.decrypted_record.Conversation`; its ``Client`` then takes ``keylog: Path | None``, a file to which it
  appends its secrets;
- ``picture.py`` (optional): ``draw``, a `netlab.dissect.picture.Draw`: a flow of the topic as rows. It may use
  `netlab.dissect.picture.SeenFlow.facts`: the topic's ``Client`` may have a property ``facts``, a
  ``Mapping[str, object]`` of what it knows of its connection beyond the bytes; it is read in any thread;
- ``panel.py`` (optional): what stands under the bytes of a session's buffer, the one file outside ``ui`` that may
  import textual. Its ``Panel`` is a widget made without arguments; ``look(client)`` is called with the current
  session's client many times a second, in the app's thread, also while a call of that client runs in its own.

This module knows no recipe, no process and no screen.
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, cast

from netlab.capture.model import Transport
from netlab.platforms import lacks
from netlab.topics.client_call import Call
from netlab.topics.next_steps import NOTHING_NEXT, NextSteps

if TYPE_CHECKING:
    from netlab.dissect.decrypted_record import Conversation, Opener
    from netlab.dissect.fields import Dissector
    from netlab.dissect.flow import FlowDissector
    from netlab.dissect.picture import Draw
    from netlab.topics.copy_as import CopyAs
    from netlab.topics.experiment import Experiment

Address = tuple[str, int]
Certificates = Callable[[Path | None], Path]
"""Finds or makes the lab's certificates in a folder, or in the usual one for None; returns the folder.

Given to the commands that need one: topics do not know `netlab.certificates.certs`. Raises `OSError` if that fails.
"""


class Server(Protocol):
    """What a recipe's class makes: a server that is bound and listens, but does not serve yet, as in `socketserver`.

    A stream server logs its clients' events in the formats in `netlab.hardening.events`, and may have
    ``patience: Patience`` (`netlab.hardening.patience`), whose limit and clock a supervisor changes while it serves.
    """

    @property
    def server_address(self) -> Address:
        """The host and port that it listens on; the real port, even if 0 was asked for."""

    @property
    def socket(self) -> socket.socket:
        """The listening socket, for its accept queue."""

    def serve_forever(self) -> None:
        """Serve in the calling (main) thread until an exception such as `KeyboardInterrupt` leaves it."""

    def server_close(self) -> None:
        """Close the listening socket and the clients, without waiting for them."""


class Client(Protocol):
    """One client of a server. Every other public method of it is an operation of the console.

    A method's signature and docstring are its completion and help. The constructor connects (UDP: binds). It makes its
    sockets with ``make_socket(family, type)``, so that a session can provide sockets whose waiting can be abandoned. It
    reports what it does between its results (a retry, a refusal) to ``log``. ``socket`` is the connection, or None if
    each call makes its own.

    A client may also have these attributes, which others use while its calls run:

    - ``timeout: float``: seconds that a call may take, if the socket's timeout is not enough for that; it is set
      when a person changes the timeout;
    - ``buffer: memoryview`` is its buffer, shown even while it is being filled;
    - ``owner: object`` is what owns the bytes that ``buffer`` views, known also after that view was released;
    - ``needs_no_looks: Sequence[str]`` (of the class) are operations that other views of the buffer would forbid:
      nobody looks at it while they run;
    - ``arrivals: Sequence[int]`` are the sizes of the pieces that have filled it so far, in order;
    - ``progress: tuple[int, int]`` are the bytes that its call has processed, and the bytes in all.
    - ``announced: bool`` (of the class): whether bytes that come while no call runs are noted in the transcript.
    """

    socket: socket.socket | None

    def close(self) -> None:
        """Close the connection. A second call does nothing."""


class RemoteClient(Client, Protocol):
    """A client whose server can list its operations, as with XML-RPC's introspection."""

    def remote_operations(self) -> Sequence[str]:
        """The names of the server's operations; none if it does not list them."""

    def remote_help(self, name: str) -> tuple[str, str]:
        """An operation's signature, as Python shows one, and its one-line help; empty if the server has none."""

    def call(self, name: str, *arguments: object) -> object:
        """Call the server's operation by name; a refusal is raised."""


@dataclass(frozen=True, slots=True)
class Option:
    """One option of a topic, as ``--name`` on the command line and ``:name VALUE`` in the console.

    ``name`` is the keyword of ``Server`` or ``Client``. A ``secret`` is never printed or logged; it may also come from
    ``--NAME-file`` or the environment variable ``NETLAB_NAME``. ``parse`` turns text into the value; it raises
    `ValueError` with a sentence that says what is expected. ``status`` is what the status line calls the server's
    value; empty: it does not stand there.
    """

    name: str
    default: object
    help: str
    parse: Callable[[str], object] = str
    secret: bool = False
    choices: tuple[str, ...] = ()
    server: bool = True
    client: bool = False
    many: bool = False
    """Whether the flag may be repeated; ``parse`` then gets all values, separated by commas."""
    status: str = ""

    @property
    def flag(self) -> str:
        """The option on a command line."""
        return "--" + self.name.replace("_", "-")


AS_IT_IS = "as it is"
"""The model of a server that is a person's own."""


def _hello(model: str) -> bytes:
    return b"Hello"


@dataclass(frozen=True, slots=True)
class Topic:
    """One subject of the tutorial.

    ``models`` begins with the default. ``variable`` is the client's name in the transcript (``s``). ``bare`` turns bare
    text into the calls that it stands for, given the server's model: ``Hello`` →
    ``[Call("send", (b"Hello",)), Call("recv", (8192,))]``. ``certificates`` says that server and client need the
    lab's certificates; both then get the keyword argument ``certificates: Path``, the folder. ``package`` is the
    topic's folder as a module name.

    An attachment is a topic as well, whose server is a person's own (``attached``): it has one model, `AS_IT_IS`, and
    no server file, no experiments and no ``then_now.md``. An option named ``newline`` is what ends a line of bare text;
    `bare` gets the text with it.
    """

    name: str
    title: str
    summary: str
    transport: Transport
    port: int
    models: tuple[str, ...]
    package: str
    variable: str
    bare: Callable[[str, str], Sequence[Call]]
    hint: str
    """What an empty console suggests to type, in a few words."""
    order: int
    options: tuple[Option, ...] = ()
    certificates: bool = False
    then: NextSteps = NOTHING_NEXT
    """What to try next; the console shows it after the first answer."""
    sample: str = "Hello"
    """Bare text that the server answers."""
    unfinished: Callable[[str], bytes] = _hello
    """An incomplete message to a server of a model, which the server waits for; empty if any byte is a message."""
    dissect_file: Path | None = None
    """A person's own dissector (`netlab.dissect.reading.own.own_dissector`), which then reads the flows."""
    forks: tuple[str, ...] = ()
    """The models that need ``os.fork``, which some systems lack."""
    attached: bool = False
    """Whether its server is a person's own, which netlab knows nothing of."""
    echoes: bool = False
    """Whether the second of the calls for bare text returns what the first sends."""
    plain: bool = False
    """Whether its client's connection carries what is sent and nothing else: no handshake and no frame."""

    def lacking(self, model: str) -> str:
        """Why this system cannot run a model, in one line; empty if it can."""
        return lacks(["os.fork"]) if model in self.forks else ""

    @property
    def usable_models(self) -> tuple[str, ...]:
        """The models that this system can run."""
        return tuple(model for model in self.models if not self.lacking(model))

    def server_module(self, model: str) -> str:
        """The module of a model: ``…server_MODEL`` if there is one, else ``…server``."""
        own = f"{self.package}.server_{model}"
        return own if find_spec(own) is not None else f"{self.package}.server"

    def server_class(self, model: str) -> Callable[..., Server]:
        """The recipe's server class for a model."""
        module = import_module(self.server_module(model))
        if (models := getattr(module, "MODELS", None)) is not None and model in models:
            return cast("Callable[..., Server]", models[model])
        return cast("Callable[..., Server]", module.Server)

    def client_class(self) -> Callable[..., Client]:
        """The recipe's ``Client``."""
        return cast("Callable[..., Client]", import_module(f"{self.package}.client").Client)

    def dissector(self) -> Dissector:
        """The topic's ``dissect``."""
        return cast("Dissector", import_module(f"{self.package}.dissect").dissect)

    def flow_dissector(self) -> Callable[[], FlowDissector] | None:
        """The topic's ``Flow``; None if its messages explain themselves."""
        return cast(
            "Callable[[], FlowDissector] | None", getattr(import_module(f"{self.package}.dissect"), "Flow", None)
        )

    def experiments(self) -> tuple[Experiment, ...]:
        """The topic's experiments; none if the folder has no ``experiments.py``, or the server is a person's own."""
        if self.attached:
            return ()
        return tuple(cast("Sequence[Experiment]", self._optional("experiments", "EXPERIMENTS") or ()))

    @property
    def encrypted(self) -> bool:
        """Whether its bytes are encrypted and netlab can decrypt them."""
        return find_spec(f"{self.package}.plaintext") is not None

    def opener(self) -> Opener | None:
        """The topic's ``open_records``; None if its bytes are not encrypted. Slow: imports the decryption."""
        return cast("Opener | None", self._optional("plaintext", "open_records"))

    def conversation(self) -> Callable[[], Conversation] | None:
        """The topic's ``Conversation``; None if its bytes are not encrypted. Slow: imports the decryption."""
        return cast("Callable[[], Conversation] | None", self._optional("plaintext", "Conversation"))

    def copy_as(self) -> CopyAs | None:
        """The topic's ``copy_as``; None if it has none."""
        return cast("CopyAs | None", self._optional("copy_as", "copy_as"))

    def panel(self) -> Callable[[], object] | None:
        """The topic's ``Panel``; None if it has none. Imports textual."""
        return cast("Callable[[], object] | None", self._optional("panel", "Panel"))

    def picture(self) -> Draw | None:
        """The topic's ``draw``; None if it has none."""
        return cast("Draw | None", self._optional("picture", "draw"))

    def _optional(self, file: str, name: str) -> object:
        """What a file of the folder calls so; None if the folder has no such file."""
        module = f"{self.package}.{file}"
        return getattr(import_module(module), name) if find_spec(module) is not None else None

    def text(self, name: str) -> str:
        """A file of the folder as text: ``server.py``, ``lesson.md`` …; raises `FileNotFoundError` if it is missing."""
        from importlib import resources  # here, since `netlab serve` starts faster without it

        return (resources.files(self.package) / name).read_text(encoding="utf-8")
