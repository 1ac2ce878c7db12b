"""Freeze the audience of an issue into its send log, or find that it was frozen before."""

from __future__ import annotations

from dataclasses import dataclass

from mailer.audience import segments
from mailer.compose.composition import Composition, changes
from mailer.errors import PlanChanged
from mailer.models import Edition, Segment
from mailer.store.base import Store


@dataclass(frozen=True, slots=True)
class Forecast:
    """What a send will do, before it is frozen."""

    editions: list[Edition]
    nothing_left: list[Segment]

    @property
    def audience(self) -> int:
        """Everybody the send log will have a row for."""
        return self.to_send + sum(segment.count for segment in self.nothing_left)

    @property
    def to_send(self) -> int:
        """How many messages."""
        return sum(edition.count for edition in self.editions)


def forecast(composition: Composition, store: Store) -> Forecast:
    """The editions the active audience would get now."""
    return Forecast(*segments.of(composition.issue, store.audience))


def check_unchanged(composition: Composition, store: Store) -> bool:
    """Whether a plan stands and is the one this issue would give now. Raises PlanChanged, saying what changed."""
    issue = composition.issue.slug
    plan = store.sendlog.plan(issue)
    if plan is None:
        return False
    differences = changes(dict(plan.fingerprint), composition.fingerprint())
    if differences:
        shown = "".join(f"\n  - {difference}" for difference in differences[:20])
        if plan.touched:
            advice = "Messages have gone out, so the rest must be the same: take the changes back."
        else:
            advice = f"Nothing was sent yet: plan it anew with: mailer send {issue} --replan"
        raise PlanChanged(f"issue {issue} has changed since it was planned at {plan.planned_at}:{shown}\n{advice}")
    return True


def freeze(composition: Composition, store: Store, now: str) -> None:
    """Write one row a person, in one transaction."""
    editions, nothing_left = segments.of(composition.issue, store.audience)
    store.sendlog.freeze(composition.issue.slug, composition.fingerprint(), editions, nothing_left, now)


def replan(composition: Composition, store: Store) -> None:
    """Drop a plan of which nothing was tried. Raises PlanChanged when something was."""
    issue = composition.issue.slug
    plan = store.sendlog.plan(issue)
    if plan is None:
        return
    if plan.touched:
        raise PlanChanged(f"issue {issue} is partly sent and cannot be planned anew; go on with: mailer send {issue}")
    store.sendlog.forget(issue)
