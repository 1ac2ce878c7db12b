"""explain: what one person got or will get, and why."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Annotated

import typer
from rich.console import Group
from rich.markup import escape
from rich.text import Text

from mailer.audience import subscribers as people
from mailer.cli import views
from mailer.cli.app import IssueName, Json, newsroom, out, print_json
from mailer.compose.editions import select
from mailer.models import Delivery, DeliveryState, Story, Subscriber
from mailer.newsroom import today
from mailer.store.base import QUEUED_AGAIN, SETTLED


@dataclass(frozen=True, slots=True)
class _Attempt:
    """What came before, as the log keeps it; its step is SETTLED or QUEUED_AGAIN for a decision."""

    at: str
    step: str
    code: int
    reply: str


def explain(
    context: typer.Context,
    issue: IssueName,
    email: Annotated[str, typer.Argument(metavar="EMAIL")],
    as_json: Json = False,
) -> None:
    """What this person got or will get, and why."""
    room = newsroom(context)
    composition = room.snapshot(issue) or room.compose(issue)
    person = people.find(room.store.audience, email)
    sendlog = room.store.sendlog
    planned = sendlog.plan(issue) is not None
    row = sendlog.delivery(issue, person.id) if planned else None
    told = _told([_Attempt(*one) for one in sendlog.attempts(issue, person.id)] if planned else [])
    selection = select(composition.issue, person.interests)
    if row and row.edition:
        selection = sendlog.editions(issue)[row.edition]
    decision = told[-1][1] if told else None  # unless another attempt came after it
    sentence = _sentence(person, row, decision, planned, bool(selection), today())
    labels = composition.config.interests
    reasons = [_reason(story, person.interests, story.id in selection, labels) for story in composition.issue.stories]
    if as_json:
        stories = [
            {"id": story.id, "title": story.title, "shown": story.id in selection, "why": why}
            for story, why in zip(composition.issue.stories, reasons, strict=True)
        ]
        message_id = composition.personaliser(room.tokens).message_id(person)
        print_json(
            {
                "issue": issue,
                "subscriber": views.subscriber_data(person),
                "sentence": sentence,
                "delivery": views.delivery_data(row, message_id) if row else None,
                "put_off": [asdict(one) for one, end in told if not end],
                "settled": [_settled_data(one, end) for one, end in told if end],
                "stories": stories,
            }
        )
        return
    made = views.table("", "story", "why")
    for story, why in zip(composition.issue.stories, reasons, strict=True):
        shown = story.id in selection
        made.add_row(
            "[good]yes[/]" if shown else "no", escape(story.title), escape(why), style="" if shown else "second"
        )
    history = [Text(line) for one, end in told for line in _lines(one, end)]
    chosen = ", ".join(labels.get(topic, topic) for topic in person.interests) or "none chosen"
    name = f"{person.name}, " if person.name else ""
    out.print(Group(Text(f"{name}{person.email}. Interests: {chosen}."), Text(sentence), *history, made))


def _told(attempts: Iterable[_Attempt]) -> list[tuple[_Attempt, _Attempt | None]]:
    """Each earlier attempt, with the decision that came after it where it was unknown or refused."""
    told: list[tuple[_Attempt, _Attempt | None]] = []
    for one in attempts:
        if one.step in (SETTLED, QUEUED_AGAIN) and told:
            told[-1] = (told[-1][0], one)
        else:
            told.append((one, None))
    return told


def _lines(attempt: _Attempt, decision: _Attempt | None) -> Iterator[str]:
    said = " ".join(str(part) for part in (attempt.code or "", attempt.reply) if part)
    was = f"put off at {attempt.step}" if decision is None else _was(attempt, decision)
    yield f"  {attempt.at} {was}: {said}"
    if decision:
        yield f"  {decision.at} {decision.reply or decision.step}"


def _was(attempt: _Attempt, decision: _Attempt) -> str:
    return f"refused at {attempt.step}" if decision.step == QUEUED_AGAIN else "unknown"


def _settled_data(attempt: _Attempt, decision: _Attempt) -> dict[str, object]:
    """As JSON: what was unknown or refused, by that name, and the decision."""
    was = "refused" if decision.step == QUEUED_AGAIN else "unknown"
    return {was: asdict(attempt), "at": decision.at, "why": decision.reply}


def _settled(row: Delivery, decision: _Attempt) -> str:
    """What a delivery is by a decision, when nothing was tried since; else empty."""
    why = decision.reply or decision.step  # [retention] takes out replies
    if row.state in (DeliveryState.QUEUED, DeliveryState.DEFERRED):
        return f"{why[:1].upper()}{why[1:]} at {decision.at}. Waits to be sent again."
    if row.state in (DeliveryState.ACCEPTED, DeliveryState.REFUSED) and not row.code and row.settled_at == decision.at:
        return f"Counts as {row.state} since {decision.at}: {why}."
    return ""


def _sentence(
    person: Subscriber, row: Delivery | None, decision: _Attempt | None, planned: bool, anything: bool, today: str
) -> str:
    if row is None:
        if person.state != "active":
            return f"Gets nothing: {person.state} since {person.changed_at}."
        if person.paused_until > today:
            return f"Gets nothing: paused until {person.paused_until}."
        if planned:
            return "Not in this send: subscribed after it was planned."
        return "Would get the stories marked yes." if anything else "Would get no mail: no story matches."
    if decision and (settled := _settled(row, decision)):
        return settled
    said = " ".join(str(part) for part in (row.code or "", row.reply) if part)
    tries = f" after {row.attempts} attempt{'s' if row.attempts != 1 else ''}" if row.attempts else ""
    by = " by the server" if row.code else ""
    sentences = {
        DeliveryState.QUEUED: "Waits to be sent.",
        DeliveryState.CLAIMED: "Is being sent.",
        DeliveryState.ACCEPTED: f"Accepted by the server at {row.settled_at}{tries}: {said}",
        DeliveryState.REFUSED: f"Refused{by} at {row.settled_at}{tries}, at {row.step}: {said}",
        DeliveryState.DEFERRED: f"Put off{tries}, at {row.step}: {said}. Next attempt at {row.next_at}.",
        DeliveryState.UNKNOWN: f"Unknown since {row.settled_at}: {said}. Not sent again by itself.",
        DeliveryState.SKIPPED: f"Skipped: {said}.",
    }
    return sentences[row.state]


def _reason(story: Story, interests: tuple[str, ...], shown: bool, labels: Mapping[str, str]) -> str:
    if shown != story.suits(interests):
        return f"{'chosen' if shown else 'not chosen'} when the send was planned"
    if not story.topics:
        return "for everybody"
    if not interests:
        return "no interests chosen: the whole issue"
    common = [labels.get(topic, topic) for topic in story.topics if topic in interests]
    return "chose " + ", ".join(common) if common else "only for " + ", ".join(labels.get(t, t) for t in story.topics)
