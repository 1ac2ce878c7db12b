"""What the site and its sends did, for Prometheus (text exposition format 0.0.4). Only for configured networks."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict
from ipaddress import ip_address, ip_network

from starlette.exceptions import HTTPException
from starlette.responses import PlainTextResponse, Response

from mailer.store.base import Store
from mailer.web.requestlog import Requests
from mailer.web.visit import Visit, page

_ISSUES = 5  # counting the states of one issue reads all its deliveries: 60 ms for a million
_STATES = ("queued", "claimed", "deferred", "accepted", "refused", "unknown", "skipped")

Sample = tuple[Mapping[str, object], float]


def metrics(visit: Visit) -> Response:
    """Counts since the start of the site, and where the latest issues stand."""
    if not _allowed(visit.client, visit.site.room.config.web.metrics):
        raise HTTPException(404)
    lines = [*_requests(visit.site.requests), *_sends(visit.store)]
    return PlainTextResponse("\n".join(lines) + "\n", media_type="text/plain; version=0.0.4")


def _requests(requests: Requests) -> Iterator[str]:
    counts = [
        ({"method": method, "page": name, "status": status}, count)
        for (method, name, status), count in sorted(requests.counts.items())
    ]
    yield from _metric("mailer_http_requests_total", "counter", "Requests, by page.", counts)
    seconds = [({"page": name}, round(spent, 6)) for name, spent in sorted(requests.seconds.items())]
    yield from _metric("mailer_http_seconds_total", "counter", "Time spent answering, by page.", seconds)


def _sends(store: Store) -> Iterator[str]:
    balances = [asdict(store.sendlog.balance(plan.issue)) for plan in store.sendlog.plans()[:_ISSUES]]
    states = [
        ({"issue": balance["issue"], "state": state}, balance[state]) for balance in balances for state in _STATES
    ]
    yield from _metric("mailer_deliveries", "gauge", "Deliveries of the latest issues, by state.", states)
    running = [({"issue": one["issue"]}, float(store.sendlog.holder(one["issue"]) is not None)) for one in balances]
    yield from _metric("mailer_sending", "gauge", "1 while an issue is being sent.", running)
    yield from _metric("mailer_outbox", "gauge", "Mails of the pages that wait.", [({}, store.outbox.count())])
    people = [({"state": state}, count) for state, count in sorted(store.audience.counts().items())]
    yield from _metric("mailer_subscribers", "gauge", "Subscribers, by state.", people)


def _metric(name: str, kind: str, help_: str, samples: Iterable[Sample]) -> Iterator[str]:
    yield f"# HELP {name} {help_}"
    yield f"# TYPE {name} {kind}"
    for labels, value in samples:
        # Every value is a word of ours: a route, a slug, a state. None needs escaping.
        told = ",".join(f'{key}="{label}"' for key, label in labels.items())
        yield f"{name}{{{told}}} {value}"


def _allowed(client: str, networks: tuple[str, ...]) -> bool:
    try:
        address = ip_address(client)
    except ValueError:
        return False
    address = getattr(address, "ipv4_mapped", None) or address
    return any(address in ip_network(network, strict=False) for network in networks)


ROUTES = [page("/metrics", get=metrics)]
