"""What each of PostgreSQL's messages says: its parts, and it in words."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from netlab.dissect.field_reader import Short
from netlab.dissect.postgresql.message_parts import BINARY, MOST_PARTS, Parts
from netlab.dissect.postgresql.postgresql_names import AUTHENTICATIONS, ERROR_FIELDS, STATES, TYPES

SASL, SASL_CONTINUES, MD5, IN_CLEAR = 10, 11, 5, 3
_TARGETS = {"S": "statement", "P": "portal"}
_FORMATS = {0: "text", 1: "binary"}
_LINE = 160
_NAME = 60


@dataclass(slots=True)
class PostgresqlSession:
    """What earlier messages mean for later ones."""

    columns: list[tuple[str, int]] = field(default_factory=list)
    """Name of each column of the rows that follow, and the type of its values if they are binary, else 0."""
    asks: int = -1
    """The authentication that the server asked for last."""


Reader = Callable[[Parts, PostgresqlSession], str]


def _authentication(parts: Parts, session: PostgresqlSession) -> str:
    kind = parts.number("method", 4, AUTHENTICATIONS)
    session.asks = kind
    words = f"authentication {AUTHENTICATIONS.get(kind, kind)}"
    if kind == SASL:
        mechanisms = list[str]()
        while parts.body.left > 1 and len(mechanisms) < MOST_PARTS:
            mechanisms.append(parts.string("mechanism"))
        parts.rest("end", "bytes")
        return f"{words}: {', '.join(mechanisms)}"[:_LINE]
    if kind == MD5:
        parts.rest("salt", "bytes")
    elif parts.body.left:
        parts.rest("data")
    return words


def _password(parts: Parts, session: PostgresqlSession) -> str:
    if session.asks == SASL:
        mechanism = parts.string("mechanism")
        parts.number("length", 4)
        parts.rest("data")
        return f"SASL by {mechanism}"
    if session.asks == IN_CLEAR:
        parts.string("password")
        return "password in clear"
    if session.asks == MD5:
        parts.string("MD5 digest")
        return "password by MD5"
    parts.rest("data")
    return "SASL response" if session.asks == SASL_CONTINUES else "password"


def _query(parts: Parts, session: PostgresqlSession) -> str:
    return one_line(parts.string("query"))


def _parse(parts: Parts, session: PostgresqlSession) -> str:
    name, query = parts.string("statement"), parts.string("query")
    for _ in range(min(parts.number("types", 2), MOST_PARTS)):
        parts.number("type", 4, TYPES)
    return one_line(f"parse {_named(name)}{query}")


def _named(name: str) -> str:
    return f"{name}: " if name else ""


def _bind(parts: Parts, session: PostgresqlSession) -> str:
    portal, statement = parts.string("portal"), parts.string("statement")
    formats = [parts.number("format", 2, _FORMATS) for _ in range(_few(parts.number("formats", 2)))]
    count = parts.number("parameters", 2)
    values = list[str]()
    for index in range(_few(count)):
        binary = bool(formats[min(index, len(formats) - 1)]) if formats else False
        values.append(parts.value(f"parameter {index + 1}", BINARY if binary else 0))
    if count <= MOST_PARTS:
        for _ in range(_few(parts.number("result formats", 2))):
            parts.number("result format", 2, _FORMATS)
    to = f" to {statement}" if statement else ""
    return one_line(f"bind ({', '.join(values)}){to}" + (f" as {portal}" if portal else ""))


def _few(count: int) -> int:
    return max(min(count, MOST_PARTS), 0)


def _of_target(verb: str) -> Reader:
    def read(parts: Parts, session: PostgresqlSession) -> str:
        kind = parts.character("of", _TARGETS)
        return f"{verb} {_TARGETS.get(kind, kind)} {parts.string('name')}".rstrip()

    return read


def _execute(parts: Parts, session: PostgresqlSession) -> str:
    portal, rows = parts.string("portal"), parts.number("most rows", 4)
    return f"execute {portal}".rstrip() + (f", {rows} rows" if rows else "")


def _row_description(parts: Parts, session: PostgresqlSession) -> str:
    columns = list[tuple[str, int]]()
    for _ in range(_few(parts.number("columns", 2))):
        name = parts.string("column")
        parts.number("table", 4)
        parts.number("attribute", 2)
        kind = parts.number("type", 4, TYPES)
        parts.number("size", 2)
        parts.number("modifier", 4)
        columns.append((name[:_NAME], kind if parts.number("format", 2, _FORMATS) else 0))
    session.columns = columns
    return one_line(f"columns {', '.join(name for name, _ in columns)}")


def _data_row(parts: Parts, session: PostgresqlSession) -> str:
    values = list[str]()
    for index in range(_few(parts.number("columns", 2))):
        known = index < len(session.columns)
        name, kind = session.columns[index] if known else (f"column {index + 1}", 0)
        values.append(parts.value(name, kind))
    return one_line(f"row {', '.join(values)}")


def _complete(parts: Parts, session: PostgresqlSession) -> str:
    session.columns = []
    return parts.string("command")


def _ready(parts: Parts, session: PostgresqlSession) -> str:
    session.columns = []
    state = parts.character("state", STATES)
    return STATES.get(state, f"ready {state}")


def _report(parts: Parts, session: PostgresqlSession) -> str:
    """An error or a notice: ``ERROR 42P01: relation "spam" does not exist``."""
    said = dict[str, str]()
    while parts.body.left > 1 and len(said) < MOST_PARTS:
        start = parts.body.at
        code = chr(parts.body.number(1))
        name = ERROR_FIELDS.get(code, f"field {code!r}")
        said[code] = parts.string(name)
        last = parts.fields.pop()
        parts.add(name, start, "text", last.value)
    parts.rest("end", "bytes")
    return one_line(f"{said.get('V', said.get('S', ''))} {said.get('C', '')}: {said.get('M', '')}".strip(" :"))


def _parameter(parts: Parts, session: PostgresqlSession) -> str:
    return f"{parts.string('name')} = {parts.string('value')}"


def _key(parts: Parts, session: PostgresqlSession) -> str:
    process = parts.number("process", 4)
    parts.rest("secret key", "bytes")
    return f"backend process {process}"


def _notification(parts: Parts, session: PostgresqlSession) -> str:
    process, channel, text = parts.number("process", 4), parts.string("channel"), parts.string("payload")
    return one_line(f"notification {channel} {text}".rstrip() + f" from process {process}")


def _types(parts: Parts, session: PostgresqlSession) -> str:
    for _ in range(_few(parts.number("parameters", 2))):
        parts.number("type", 4, TYPES)
    return "parameter types"


def _copy(parts: Parts, session: PostgresqlSession) -> str:
    parts.number("format", 1, _FORMATS)
    for _ in range(_few(parts.number("columns", 2))):
        parts.number("column format", 2, _FORMATS)
    return ""


def _copy_data(parts: Parts, session: PostgresqlSession) -> str:
    return one_line(f"copy data {parts.rest('data')}")


def _copy_fail(parts: Parts, session: PostgresqlSession) -> str:
    return one_line(f"copy fail: {parts.string('why')}")


TO_SERVER: dict[str, Reader] = {
    "B": _bind,
    "C": _of_target("close"),
    "D": _of_target("describe"),
    "E": _execute,
    "P": _parse,
    "Q": _query,
    "d": _copy_data,
    "f": _copy_fail,
    "p": _password,
}
TO_CLIENT: dict[str, Reader] = {
    "A": _notification,
    "C": _complete,
    "D": _data_row,
    "E": _report,
    "G": _copy,
    "H": _copy,
    "K": _key,
    "N": _report,
    "R": _authentication,
    "S": _parameter,
    "T": _row_description,
    "W": _copy,
    "Z": _ready,
    "d": _copy_data,
    "t": _types,
}


def read_parts(parts: Parts, read: Reader | None, session: PostgresqlSession) -> str:
    """The message in words; what does not fit stays raw, and that is said."""
    words = ""
    if read is not None:
        try:
            words = read(parts, session)
        except Short:
            parts.body.at = parts.fields[-1].end if parts.fields else parts.body.at
            words = "(it ends too early)"
    parts.rest("rest", "bytes")
    return words


def one_line(text: str) -> str:
    """Text without line ends and runs of spaces, shortened."""
    line = " ".join(text[: 4 * _LINE].split())
    return line[:_LINE] + ("…" if len(line) > _LINE else "")
