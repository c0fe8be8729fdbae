"""``netlab wire --control HOST:PORT``: wires that programs in any language make and break, by toxiproxy's HTTP API."""

from __future__ import annotations

import argparse
import errno
import signal
import sys
import threading
from ipaddress import ip_address

from netlab.api.control.control_refused import ControlRefused
from netlab.api.control.control_server import ControlServer
from netlab.api.control.proxies import LIMIT, Proxies
from netlab.api.wire_errors import WireError
from netlab.names import endpoint_of, resolve

FIRST = "wire"
"""The name of the proxy that the command line asks for with ``--to``."""


def run(arguments: argparse.Namespace) -> int:
    """Serve the API until a signal comes; returns the exit status."""
    proxies = Proxies([arguments.listen.host], udp=arguments.udp, seed=arguments.seed, limit=arguments.limit or LIMIT)
    ended = _ended_by_signals()
    try:
        first = _first(proxies, arguments)
        server = ControlServer(resolve(arguments.control)[0], proxies)
    except (ControlRefused, WireError) as error:
        return _failed(str(error), proxies)
    except OSError as error:
        text = "port in use; port 0 takes any free one" if error.errno == errno.EADDRINUSE else error.strerror
        return _failed(f"cannot listen on {arguments.control}: {text}", proxies)
    address = endpoint_of(server.socket)
    sys.stdout.write(f"control on http://{address}{first}\n")
    if not ip_address(address.host.partition("%")[0]).is_loopback:
        warning = f"{address.host} is not loopback: other machines can control these wires"
        sys.stderr.write(f"netlab wire: warning: {warning}\n")
    sys.stdout.flush()
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.1}, daemon=True).start()
    ended.wait()
    server.shutdown()
    server.server_close()
    proxies.close()
    return 0


def _first(proxies: Proxies, arguments: argparse.Namespace) -> str:
    """Make the proxy that the command line asks for; what to say of it."""
    if arguments.to is None:
        return ""
    body = {"name": FIRST, "listen": str(arguments.listen), "upstream": str(arguments.to)}
    proxy = proxies.create(body, arguments.fault)
    return f"; proxy {FIRST}: listening on {proxy.wire.address} → {proxy.wire.to}"


def _failed(text: str, proxies: Proxies) -> int:
    proxies.close()
    sys.stderr.write(f"netlab wire: {text}\n")
    return 1


def _ended_by_signals() -> threading.Event:
    """Set by SIGTERM, SIGINT and SIGHUP (unless that is ignored, as under nohup)."""
    ended = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda number, frame: ended.set())
    if sys.platform != "win32" and signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
        signal.signal(signal.SIGHUP, lambda number, frame: ended.set())
    return ended
