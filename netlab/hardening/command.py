"""A recipe's command line: ``python server.py --model MODEL --host HOST --port PORT``."""

from __future__ import annotations

import argparse
import logging
from collections.abc import Callable, Mapping
from contextlib import suppress
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

from netlab.hardening.events import name

Models = Mapping[str, Callable[..., Any]]
"""What makes each model's server: ``Server(address, *, timeout, **options)``."""


def main(models: Models, port: int, options: argparse.ArgumentParser | None = None) -> None:
    """Serve until Ctrl+C. The first model is the default; ``options`` has the flags of the recipe's own options."""
    parser = argparse.ArgumentParser(parents=[options] if options else [])
    parser.add_argument("--model", choices=models, default=next(iter(models)), help="default: %(default)s")
    parser.add_argument("--host", default="127.0.0.1", help="default: %(default)s")
    parser.add_argument("--port", type=int, default=port, help="default: %(default)s")
    parser.add_argument("--timeout", type=float, default=30.0, help="seconds that a client may stall")
    chosen = vars(parser.parse_args())
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    address = chosen.pop("host"), chosen.pop("port")
    try:
        server = models[chosen.pop("model")](address, **chosen)
    except (OSError, ValueError) as error:
        parser.error(str(error))
    print("listening on", name(server.server_address), flush=True)
    with suppress(KeyboardInterrupt):
        server.serve_forever()
    server.server_close()


def host_option() -> argparse.ArgumentParser:
    """``--allow-host NAME``, as often as need be, of a server that speaks HTTP."""
    options = argparse.ArgumentParser(add_help=False)
    text = "a further name that the server answers to"
    options.add_argument("--allow-host", action="append", default=[], metavar="NAME", help=text)
    return options


def add_yes_or_no(options: argparse.ArgumentParser, flag: str, text: str) -> None:
    """An option that is ``yes`` or ``no``, and ``yes`` by default."""
    options.add_argument(flag, type=_yes_or_no, default="yes", metavar="yes|no", help=text)


def _yes_or_no(text: str) -> bool:
    if text not in ("yes", "no"):
        raise argparse.ArgumentTypeError(f"{text!r} is neither yes nor no")
    return text == "yes"


def models_beside(server: str, first: str) -> Models:
    """The models in the files ``server_MODEL.py`` beside ``server.py``, this one first; loaded when they are made."""
    path = Path(server)
    files = {each.stem.removeprefix(f"{path.stem}_"): each for each in sorted(path.parent.glob(f"{path.stem}_*.py"))}
    return {model: _maker(files[model]) for model in sorted(files, key=lambda model: (model != first, model))}


def _maker(path: Path) -> Callable[..., Any]:
    def make(*arguments: Any, **options: Any) -> Any:
        spec = spec_from_file_location(path.stem, path)
        assert spec is not None and spec.loader is not None  # it is a Python file
        module = module_from_spec(spec)
        spec.loader.exec_module(module)
        return module.Server(*arguments, **options)

    return make
