"""Everything held about one person (GDPR articles 15 and 20), ready for JSON."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from mailer.audience.registry import Registry
from mailer.errors import NotFound
from mailer.models import JournalRow


def of(registry: Registry, subscriber_id: int) -> dict[str, Any]:
    """The subscription, the consent journal with the texts that were shown, and each issue. Raises NotFound."""
    person = registry.audience.get(subscriber_id)
    if person is None:
        raise NotFound("nothing is held: this subscription was erased")
    rows = registry.journal.rows(subscriber_id)
    held = asdict(person)
    held["interests"] = {topic: registry.config.interests.get(topic, topic) for topic in person.interests}
    return {
        "subscriber": held,
        "consent": [row_data(row) for row in rows],
        "wordings": wordings(registry, rows),
        "issues": _issues(registry, subscriber_id),
    }


def row_data(row: JournalRow) -> dict[str, Any]:
    """A row of the journal for JSON."""
    return asdict(row) | {"details": dict(row.details) if row.details is not None else None}


def wordings(registry: Registry, rows: list[JournalRow]) -> dict[str, str | None]:
    """The texts that these rows say were shown, by id."""
    ids = [str(row.details["wording"]) for row in rows if row.details and "wording" in row.details]
    return {id_: registry.journal.wording(id_) for id_ in dict.fromkeys(ids)}


def _issues(registry: Registry, subscriber_id: int) -> list[dict[str, Any]]:
    log = registry.store.sendlog
    return [
        asdict(row) | {"issue": plan.issue, "attempts_before": log.attempts(plan.issue, subscriber_id)}
        for plan in log.plans()
        if (row := log.delivery(plan.issue, subscriber_id))
    ]
