"""A certificate chain in a ladder: what can be read against each certificate, and what the receiver made of it."""

from __future__ import annotations

from collections.abc import Iterator

from netlab.dissect.picture import Row, SeenFlow, Tone
from netlab.dissect.tls.certificate import Certificate
from netlab.dissect.tls.chain import Examined, examined
from netlab.dissect.tls.conversation import Said
from netlab.dissect.tls.ladder_lines import cut, plain, remark
from netlab.dissect.tls.story import CLIENT, SERVER, Story, refusal

OF_CERTIFICATES = frozenset({42, 43, 44, 45, 46, 48, 49, 116})
"""The alerts that are about a certificate (RFC 8446, section 6.2)."""
_LONGEST = 200


def verdict_rows(seen: SeenFlow, story: Story, said: Said, width: int) -> Iterator[Row]:
    """The chain of one side, a row each, and the verdict."""
    ours = said.direction is SERVER
    chain = story.chains.get(said.direction, ())
    host = story.asked.host if ours and story.asked is not None else ""
    for each in examined(chain, said.record.ended_ns, host, "server" if ours else "client"):
        tone = Tone.WRONG if each.faults else Tone.QUIET
        details = tuple(Row(cut(line, _LONGEST), said.began) for line in _facts(each))
        yield remark(_line(each), width, segment=said.began, details=details, tone=tone)
    if chain:
        text, tone = _servers(seen, story) if ours else _clients(story)
        yield remark(text, width, segment=said.began, tone=tone)


def _line(found: Examined) -> str:
    certificate = found.certificate
    who = plain(certificate.subject) or "no common name"
    if found.faults:
        return f"✗ {who}: {plain('; '.join(found.faults))}"
    until = f", valid until {certificate.not_after:%Y-%m-%d}" if certificate.not_after is not None else ""
    return f"{who}: {_use(certificate)}{until}, {certificate.key or 'no key'}"


def _use(certificate: Certificate) -> str:
    if certificate.authority:
        return "authority"
    if certificate.names:
        return f"for {plain(', '.join(certificate.names[:4]))}"
    return f"for use as {', '.join(certificate.purposes) or 'anything'}"


def _facts(found: Examined) -> Iterator[str]:
    certificate = found.certificate
    yield f"subject: {certificate.subject or 'no common name'}"
    yield f"issuer: {certificate.issuer or 'no common name'}"
    begin, end = certificate.not_before, certificate.not_after
    if begin is not None and end is not None:
        yield f"valid: {begin:%Y-%m-%d %H:%M} to {end:%Y-%m-%d %H:%M} UTC"
    yield f"names: {', '.join(certificate.names) or 'none'}"
    yield f"for use as: {', '.join(certificate.purposes) or 'anything'}"
    yield f"may sign others: {'yes' if certificate.authority else 'no'}"
    yield f"key: {certificate.key or 'unknown'}"
    yield from (f"fault: {fault}" for fault in found.faults)


def _servers(seen: SeenFlow, story: Story) -> tuple[str, Tone]:
    """What the client made of the server's chain: what it says itself, else what it did."""
    said = refusal(seen)
    if said:
        return f"✗ refused by the lab's client: {said}", Tone.WRONG
    if said is not None and CLIENT in story.finished:
        return "✓ accepted by the lab's client: authority, dates and name", Tone.GOOD
    alert = story.alert
    if alert is not None and alert.early and alert.direction is CLIENT:
        did = "refused" if alert.description in OF_CERTIFICATES else "handshake ended"
        return f"✗ {did} by the client: {alert.meaning}", Tone.WRONG
    if CLIENT in story.finished:
        return "✓ accepted by the client: it finished the handshake", Tone.GOOD
    return "what the client made of it cannot be seen", Tone.QUIET


def _clients(story: Story) -> tuple[str, Tone]:
    """What the server made of the client's certificate, by what it did."""
    alert = story.alert
    if alert is not None and alert.direction is SERVER and (alert.early or alert.description in OF_CERTIFICATES):
        return f"✗ refused by the server: {alert.meaning}", Tone.WRONG
    if story.spoken or SERVER in story.goodbyes:
        return "✓ accepted by the server: it went on", Tone.GOOD
    return "what the server made of it cannot be seen yet", Tone.QUIET
