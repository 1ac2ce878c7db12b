"""A proof of work: what a browser computes by itself while a form is filled in, so that robots pay for each form.

    task(visit)         what stands in the form: a signed text with the time and a random number, good for this network
    is_done(visit)      whether the form brings the proof of it; takes it, for it is good once
    POLICY              what a page with a task may do besides: run our own script, pages/public/work.js

A proof is 16 different numbers of 8 hexadecimal digits; the SHA-256 of each, followed by the task, begins with 15 zero
bits (Hashcash, Back 2002). That takes 16 * 2**15 = 524,288 hashes in the mean: 0.4 s on a core of a server or desktop,
at 1.3 million a second in JavaScript, and 1 to 2 s on a telephone, which has a quarter to a half of that. Sixteen small
parts in place of a large one make the time differ by a quarter of itself, not by as much as itself. To verify it takes
16 hashes, 15 us, whoever's the address is.

Whoever writes a solver in C needs a twentieth of the time for it: a proof makes a flood dear, not impossible. The
limits for an address and for a network (audience/joining.py) hold for forms with a proof as for all others.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from starlette.responses import Response

from mailer.audience.joining import network_of
from mailer.times import shifted
from mailer.web.security import PAGE_POLICY, PUBLIC
from mailer.web.visit import Visit, page

PARTS = 16
BITS = 15
FIELD = "work"
GOOD_FOR = timedelta(minutes=15)  # from when the form is shown: time to fill it in, and none to collect proofs
POLICY = f"{PAGE_POLICY}; script-src 'self'; worker-src 'self'"
_SCRIPT = Path(__file__).parent / "pages" / "public" / "work.js"
_RANDOM = 32  # bits, behind the time: two who come from one network in the same second get different tasks
_PROOF = re.compile(rf"([^:]{{1,40}}):((?:[0-9a-f]{{8}}){{{PARTS}}})")


@dataclass(frozen=True, slots=True)
class Task:
    """What the script needs to know."""

    text: str
    parts: int
    bits: int


def task(visit: Visit) -> Task:
    """A new one for this visit's network."""
    number = int(datetime.fromisoformat(visit.now).timestamp()) << _RANDOM | secrets.randbits(_RANDOM)
    return Task(visit.site.room.tokens.sign(_purpose(visit), number), PARTS, BITS)


def is_done(visit: Visit) -> bool:
    """Whether the form brings the proof of a task that was made for this network within 15 minutes. Takes it."""
    found = _PROOF.fullmatch(str(visit.form.get(FIELD, "")))
    if not found or not _is_ours(visit, found[1]) or not _is_solved(found[1], found[2]):
        return False
    once = visit.site.room.tokens.digest("proof", found[1])
    return visit.store.audience.count_ask([(once, shifted(visit.now, -GOOD_FOR), 1)], visit.now)


def script(visit: Visit) -> Response:
    """What solves it, for a page that has one."""
    return Response(_SCRIPT.read_bytes(), media_type="text/javascript", headers=PUBLIC)


def _is_ours(visit: Visit, text: str) -> bool:
    number = visit.site.room.tokens.read(_purpose(visit), text)
    if number is None:
        return False
    age = datetime.fromisoformat(visit.now).timestamp() - (number >> _RANDOM)
    return 0 <= age < GOOD_FOR.total_seconds()


def _is_solved(text: str, proof: str) -> bool:
    numbers = {proof[at : at + 8] for at in range(0, len(proof), 8)}
    hashes = (hashlib.sha256(f"{number}{text}".encode("ascii")).digest() for number in numbers)
    return len(numbers) == PARTS and all(int.from_bytes(each[:4]) >> (32 - BITS) == 0 for each in hashes)


def _purpose(visit: Visit) -> str:
    return f"work {network_of(visit.client)}"


ROUTES = [page("/work.js", get=script)]
