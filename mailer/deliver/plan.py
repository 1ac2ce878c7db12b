"""Freeze the audience of an issue into its send log, or find that it was frozen before."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from mailer.audience import segments
from mailer.compose import snapshot
from mailer.compose.composition import Composition, changes
from mailer.compose.snapshot import Snapshot
from mailer.errors import PlanChanged
from mailer.models import Balance, Edition, Segment
from mailer.store.base import Store

_SHOWN_CHANGES = 20


@dataclass(frozen=True, slots=True)
class Forecast:
    """What a send will do, before it is frozen."""

    editions: list[Edition]
    nothing_left: list[Segment]
    paused: int = 0  # people

    def balance(self, issue: str) -> Balance:
        """What the send log will hold."""
        queued = sum(edition.count for edition in self.editions)
        skipped = sum(segment.count for segment in self.nothing_left) + self.paused
        return Balance(issue, queued + skipped, skipped=skipped, queued=queued, editions=len(self.editions))


def forecast(composition: Composition, store: Store, now: str = "") -> Forecast:
    """The editions the active audience would get at `now`; who ever paused gets none when no time is given."""
    today = now[:10]
    return Forecast(*segments.of(composition.issue, store.audience, today), store.audience.paused(today))


def unplanned(ready: Composition | Snapshot, store: Store, replan: bool = False) -> Composition | None:
    """What is to be planned first; None when there is a plan to go on with.

    That is one of which something was sent, kept as it was, or one that the issue would give now and that `replan` does
    not drop. Raises PlanChanged, saying what changed, or that too much was done to plan anew.
    """
    issue = ready.issue.slug
    plan = store.sendlog.plan(issue)
    if replan and plan and plan.touched:
        raise PlanChanged(f"issue {issue} is partly sent and cannot be planned anew; go on with: mailer send {issue}")
    if isinstance(ready, Snapshot):
        return None
    if plan is None or replan:
        return ready
    if differences := changes(plan.fingerprint, ready.fingerprint()):
        if plan.touched:
            advice = "Messages have gone out, so the rest must be the same: take the changes back."
        else:
            advice = f"Nothing was sent yet: plan it anew with: mailer send {issue} --replan"
        raise PlanChanged(
            f"issue {issue} has changed since it was planned at {plan.planned_at}:\n{listed(differences)}\n{advice}"
        )
    return None


def listed(differences: Sequence[str]) -> str:
    """A line each, the first twenty of them."""
    more = len(differences) - _SHOWN_CHANGES
    shown = [*differences[:_SHOWN_CHANGES], *([f"and {more} more"] if more > 0 else ())]
    return "\n".join(f"  - {difference}" for difference in shown)


def freeze(composition: Composition, store: Store, now: str) -> None:
    """Write one row a person, in one transaction; an untouched plan that does not stand is dropped first."""
    issue = composition.issue.slug
    found = forecast(composition, store, now)
    if store.sendlog.plan(issue):
        store.sendlog.forget(issue)
    store.sendlog.freeze(
        issue,
        composition.fingerprint(),
        found.editions,
        found.nothing_left,
        now,
        snapshot.take(composition),
    )
