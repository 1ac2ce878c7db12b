"""What a form asks for is done behind the page: look the address up, write the mail that is due, hand it to the relay.

    a page      puts an errand into the outbox: the same few bytes whoever's the address is, so that its answer and its
                time say nothing about who is subscribed (standards P5)
    a task      takes one after another. An errand becomes a letter (or nothing) in one transaction; a letter leaves the
                outbox when the relay took it. One that is away is tried again until the letter's link has expired

A letter is taken for a quarter of an hour, and given back when the site is stopped in the middle of it. Where a process
is killed between the relay's reply and the next write, it goes out again: twice the same Message-ID does no harm, a
mail that never comes does.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from dataclasses import asdict, dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Any

from mailer.audience import joining, life
from mailer.audience.registry import Registry
from mailer.compose import headers
from mailer.deliver import once
from mailer.deliver.smtp import Parcel
from mailer.errors import MailerError, RelayError, StoreError
from mailer.models import Channel, Claim, DeliveryState, Evidence, Letter, LetterKind, Subscriber
from mailer.store import SqliteStore
from mailer.store.base import Waiting
from mailer.times import shifted, timestamp
from mailer.web import letters
from mailer.web.site import Site
from mailer.web.visit import Visit

LEASE = timedelta(minutes=15)
WAITS = (timedelta(seconds=10), timedelta(minutes=1), timedelta(minutes=5), LEASE)  # the last one again and again
_UNDATED = timedelta(days=1)  # how long a letter whose link does not expire is tried
_LOOK = 10.0  # seconds between looks at what is due again
_GRACE = 5.0  # seconds for a conversation with the relay when the site is stopped
_TIMEOUT = 60.0  # seconds for the relay's reply: others wait behind
_log = logging.getLogger("mailer.web")


class Act(StrEnum):
    """What was asked for."""

    SUBSCRIBE = "subscribe"
    ADDRESS = "address"  # another one
    MY_DATA = "my-data"


@dataclass(frozen=True, slots=True)
class Errand:
    """What a form asked for, with fields that are known to be right."""

    act: Act
    email: str
    evidence: Evidence
    subscriber_id: int = 0
    name: str = ""
    interests: tuple[str, ...] = ()
    language: str = ""


def ask(visit: Visit, errand: Errand) -> None:
    """Put it into the outbox and wake the task."""
    visit.store.outbox.put(json.dumps({"errand": asdict(errand)}), visit.now)
    visit.site.bell.ring()


@asynccontextmanager
async def running(site: Site) -> AsyncGenerator[None]:
    """The task, for as long as the site runs."""
    site.bell.hang()
    stopping = asyncio.Event()
    task = asyncio.create_task(_work(site, stopping))
    try:
        yield
    finally:
        stopping.set()
        site.bell.ring()
        await asyncio.wait([task], timeout=_GRACE)
        site.bell.take_down()
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def _work(site: Site, stopping: asyncio.Event) -> None:
    while not stopping.is_set():
        try:
            busy = await _one(site)
        except Exception as error:  # such as a full disk: what is in the outbox stays there
            _log.error("the outbox cannot be worked on: %s", type(error).__name__)
            busy = False
        if not busy and not stopping.is_set():
            await site.bell.wait(_LOOK)


async def _one(site: Site) -> bool:
    """Do the first thing that is due; whether there was one."""
    taken = await asyncio.to_thread(_take, site)
    if taken is None:
        return False
    waiting, content = taken
    if content:
        try:
            outcome = await _mailed(site, content)
        except asyncio.CancelledError:  # the site stops: whoever starts next need not wait for the lease
            _put_back(site, waiting)
            raise
        await asyncio.to_thread(_settle, site, waiting, content, outcome)
    return True


@dataclass(frozen=True, slots=True)
class _Content:
    """A letter, and whom and what it concerns."""

    letter: Letter
    parcel: Parcel
    expires_at: str


def _take(site: Site) -> tuple[Waiting, _Content | None] | None:
    """The first that is due: an errand is done here and now, a letter is made ready to be mailed."""
    now = timestamp(site.clock())
    with site.stores.borrow() as store:
        waiting = store.outbox.take(now, shifted(now, LEASE))
        if waiting is None:
            return None
        content = json.loads(waiting.content)
        registry = Registry(store, site.room.config, site.room.tokens)
        if "errand" in content:
            _run(store, registry, waiting, _errand(content["errand"]), now)
            return waiting, None
        letter = _letter(content["letter"])
        if life.get(registry, letter.subscriber_id) is None:  # erased meanwhile: their address is no longer ours
            store.outbox.drop(waiting.number)
            return waiting, None
        interests = site.interests(site.texts_for(letter.language))
        chosen = tuple(interests.get(topic, topic) for topic in content["interests"])
        recipient = headers.ascii_address(letter.to)
        sender = headers.parts_of(site.room.config.newsletter.sender)[1]
        mail = letters.compose(site, letter, chosen, site.clock())
        claim = Claim(Subscriber(letter.to), "", waiting.tries)
        parcel = Parcel(sender, recipient, mail, claim, utf8=not recipient.isascii())
        return waiting, _Content(letter, parcel, content["expires_at"])


def _run(store: SqliteStore, registry: Registry, waiting: Waiting, errand: Errand, now: str) -> None:
    with store.audience.transaction():
        letter = _asked(registry, errand).letter
        if letter is None:
            store.outbox.drop(waiting.number)
            return
        expires_at = letter.expires_at or shifted(now, _UNDATED)
        content = {"letter": asdict(letter), "interests": errand.interests, "expires_at": expires_at}
        store.outbox.replace(waiting.number, json.dumps(content), now)


def _asked(registry: Registry, errand: Errand) -> joining.Asked:
    try:
        if errand.act is Act.SUBSCRIBE:
            return joining.ask(registry, errand.email, errand.evidence, name=errand.name,
                               interests=errand.interests, language=errand.language)  # fmt: skip
        if errand.act is Act.ADDRESS:
            return joining.ask_address_change(registry, errand.subscriber_id, errand.email, errand.evidence)
        return joining.ask_my_data(registry, errand.email, errand.evidence)
    except StoreError:
        raise
    except MailerError:  # they left or were erased, or a topic was taken off the configuration, since the form was sent
        return joining.Asked()


async def _mailed(site: Site, content: _Content) -> DeliveryState:
    try:
        relay = site.room.relay
        timeout = min(site.room.config.smtp.timeout.total_seconds(), _TIMEOUT)
        return (await once.send(relay, content.parcel, timeout, site.room.signer)).state
    except RelayError:
        return DeliveryState.DEFERRED


def _settle(site: Site, waiting: Waiting, content: _Content, state: DeliveryState) -> None:
    now = timestamp(site.clock())
    with site.stores.borrow() as store:
        if state in (DeliveryState.ACCEPTED, DeliveryState.REFUSED) or now > content.expires_at:
            store.outbox.drop(waiting.number)
            return
        store.outbox.put_off(waiting.number, shifted(now, WAITS[min(waiting.tries, len(WAITS) - 1)]))
        _log.warning("the relay did not take a mail of the pages; %d wait and are tried again", store.outbox.count())


def _put_back(site: Site, waiting: Waiting) -> None:
    with site.stores.borrow() as store:
        store.outbox.put_off(waiting.number, timestamp(site.clock()))


def _errand(told: dict[str, Any]) -> Errand:
    evidence = told["evidence"]
    told["evidence"] = Evidence(**evidence | {"channel": Channel(evidence["channel"])})
    return Errand(**told | {"act": Act(told["act"]), "interests": tuple(told["interests"])})


def _letter(told: dict[str, Any]) -> Letter:
    return Letter(**told | {"kind": LetterKind(told["kind"])})
