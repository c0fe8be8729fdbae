"""Redis: commands and replies (RESP2, RESP3), whatever program speaks them."""

from __future__ import annotations

import re

from netlab.dissect.flow import Match, Opening, Protocol
from netlab.dissect.redis.redis_flow import RedisFlow

_COMMAND = re.compile(rb"\*[1-9][0-9]{0,6}\r\n\$[1-9][0-9]{0,8}\r\n")
_BEGUN = re.compile(rb"\*(?:[1-9][0-9]{0,6}(?:\r(?:\n(?:\$(?:[1-9][0-9]{0,8}\r?)?)?)?)?)?")
_INLINE = re.compile(
    rb"(?i)(?:PING|ECHO|GET|SET|DEL|INCR|DECR|KEYS|EXISTS|TYPE|TTL|EXPIRE|INFO|SELECT|DBSIZE|HELLO|MONITOR|COMMAND"
    rb"|CLIENT|CONFIG|SUBSCRIBE|PUBLISH|HGET|HSET|HGETALL|LPUSH|RPUSH|LRANGE|SADD|SMEMBERS|ZADD|FLUSHALL)"
    rb"(?: [^\r\n]{0,4000})?\r?\n"
)
_REPLY = re.compile(rb"(?:[+-][^\r\n]{0,200}|[:$*%][0-9-]{1,10}|_|#[tf])\r\n")


def recognise(opening: Opening) -> Match:
    """An array of strings from the client; or a word that is a command, answered as Redis does."""
    asked, answered = bytes(opening.to_server[:4096]), bytes(opening.to_client[:256])
    if _COMMAND.match(asked):
        return Match.SURE
    if _BEGUN.fullmatch(asked):
        return Match.UNDECIDED
    if not _INLINE.match(asked):
        return Match.NO
    if not answered:
        return Match.UNDECIDED
    return Match.LIKELY if _REPLY.match(answered) else Match.NO


PROTOCOL = Protocol("redis", "Redis", recognise, RedisFlow, 30)
