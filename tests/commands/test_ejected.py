"""Ejected servers and clients, on Pythons without netlab: with each other, and with the lab."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from netlab import cli
from netlab.certificates import authority, certs
from netlab.topics.discovery import find_topics, topic_named
from tests.support.forking.process import run_netlab
from tests.support.pythons import options_of, pythons, run_alone, serving_alone
from tests.support.server_processes import serving
from tests.support.waiting import PATIENCE

TOPICS = [topic.name for topic in find_topics() if topic.package.startswith("netlab.")]
EACH = pytest.mark.parametrize("topic", TOPICS)
EACH_PYTHON = pytest.mark.parametrize("python", pythons().values(), ids=pythons())
ANSWERS = {
    "tcp": "b'Hello",
    "udp": ":",
    "wsgi": "Hello Guido!",
    "xmlrpc": "[1, 2, 3]",
    "multiprocessing": "{'a': (1, 2)}",
    "hmac": "b'Hello'",
    "tls": "b'Hello'",
    "zerocopy": "recv_into",
}
EXPRESSIONS = {
    "tcp": ["Hello"],
    "udp": ["Hello"],
    "wsgi": ["get('/hello', name='Guido')"],
    "xmlrpc": ["set('spam', [1, 2, 3])", "get('spam')"],
    "multiprocessing": ["{'a': (1, 2)}"],
    "hmac": ["Hello"],
    "tls": ["Hello"],
    "zerocopy": ["receive('64 KiB')"],
}


@pytest.fixture(scope="module")
def ejected(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All topics' files in one folder, as a person ejects them."""
    folder = tmp_path_factory.mktemp("ejected")
    assert [cli.main(["eject", topic, str(folder)]) for topic in TOPICS] == [0] * len(TOPICS)
    return folder


def call(topic: str, to: str, *options: str) -> subprocess.CompletedProcess[str]:
    return run_netlab("call", topic, *EXPRESSIONS[topic], "--to", to, *options, timeout=PATIENCE)


def client(python: str, folder: Path, topic: str, at: str, *options: str) -> subprocess.CompletedProcess[str]:
    host, _, port = at.rpartition(":")
    return run_alone(python, str(folder / f"{topic}_client.py"), "--host", host, "--port", port, *options)


@EACH
def test_all_have_the_same_options(topic: str, ejected: Path) -> None:
    first = topic_named(topic)
    (python, *_) = pythons().values()
    server = options_of(python, ejected / f"{topic}_server.py")
    expected = {"--model", "--host", "--port", "--timeout"}
    expected |= {option.flag for option in first.options if option.server and not option.secret}
    assert set(server) == expected | {"--help"} | ({"--certificates"} if first.certificates else set())
    expected = {"--host", "--port", "--help"} | ({"--certificates"} if first.certificates else set())
    expected |= {option.flag for option in first.options if option.client and not option.secret}
    assert set(options_of(python, ejected / f"{topic}_client.py")) == expected


@EACH_PYTHON
@EACH
def test_an_ejected_pair_speaks_with_itself_and_with_the_lab(topic: str, python: str, ejected: Path) -> None:
    script, model = ejected / f"{topic}_server.py", topic_named(topic).models[-1]
    with serving_alone(python, script, "--host", "127.0.0.1", "--port", "0", "--model", model, "--timeout", "9") as at:
        own = client(python, ejected, topic, at)
        assert (own.returncode, own.stderr if topic != "tls" else "") == (0, ""), own
        assert ANSWERS[topic] in own.stdout
        lab = call(topic, at)
        assert lab.returncode == 0, lab
        assert EXPECTED_OF_LAB.get(topic, ANSWERS[topic]) in lab.stdout
    with serving(topic) as child:
        own = client(python, ejected, topic, "{}:{}".format(*child.address))
        assert own.returncode == 0, own
        assert ANSWERS[topic] in own.stdout


EXPECTED_OF_LAB = {"zerocopy": "65,536 bytes"}


@pytest.fixture(scope="module")
def strangers(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Certificates of another authority, as a person has them: without netlab's marker and gallery."""
    folder = tmp_path_factory.mktemp("strangers")
    for name, (content, mode) in authority.make().items():
        if "/" not in name:
            (folder / name).write_bytes(content)
            (folder / name).chmod(mode)
    return folder


def test_whose_authority_it_is_can_be_chosen_on_either_side(ejected: Path, strangers: Path) -> None:
    (python, *_) = pythons().values()
    theirs, ca = ["--certificates", str(strangers)], str(strangers / "ca_cert.pem")
    with serving_alone(python, ejected / "tls_server.py", "--port", "0", *theirs, "--client-certs", "request") as at:
        refused = [call("tls", at), client(python, ejected, "tls", at)]
        assert [(each.returncode, "CERTIFICATE_VERIFY_FAILED" in each.stderr) for each in refused] == [(1, True)] * 2
        trusting = ["--ca", ca, "--client-cert", "no"]
        for options in (theirs, trusting):
            assert "b'Hello'" in call("tls", at, *options).stdout
            assert "b'Hello'" in client(python, ejected, "tls", at, *options).stdout
    with serving("tls", *theirs) as child:
        assert "b'Hello'" in client(python, ejected, "tls", "{}:{}".format(*child.address), *theirs).stdout


def test_a_server_of_its_own_shows_what_the_folder_has(strangers: Path) -> None:
    done = run_netlab("call", "tls", "Hello", "--certificates", str(strangers), timeout=PATIENCE)
    assert (done.returncode, "b'Hello'" in done.stdout) == (0, True), done


def test_an_authority_that_is_not_there_is_named(tmp_path: Path) -> None:
    failed = call("tls", "127.0.0.1:9", "--ca", str(tmp_path / "nobody.pem"))
    assert failed.returncode == 1
    assert str(tmp_path / "nobody.pem") in failed.stderr
    assert failed.stderr.count("\n") == 1


def test_what_was_ejected_is_of_the_labs_own_authority(ejected: Path) -> None:
    assert (ejected / "certs/ca_cert.pem").read_bytes() == (certs.ensure() / "ca_cert.pem").read_bytes()
