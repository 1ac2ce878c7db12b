"""send: sending an issue."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Annotated

import typer
from rich.markup import escape

from mailer.cli import loop, views
from mailer.cli.app import IssueName, Json, confirmed, err, newsroom, out, print_json, say
from mailer.cli.progress import watch
from mailer.compose.composition import Composition
from mailer.deliver import plan
from mailer.deliver.job import Job
from mailer.deliver.run import Run
from mailer.errors import MailerError, RelayError, StoreError, TooManyRefusals
from mailer.models import Balance
from mailer.newsroom import Newsroom, clock
from mailer.store.base import SendLog
from mailer.times import minute_of, timestamp


def send(
    context: typer.Context,
    issue: IssueName,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would happen, send nothing.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    limit: Annotated[int, typer.Option("--limit", min=0, help="At most so many messages in this run.")] = 0,
    rate: Annotated[float, typer.Option("--rate", min=0, help="At most so many messages a second.")] = 0,
    no_wait: Annotated[bool, typer.Option("--no-wait", help="Do not wait for deferred deliveries.")] = False,
    replan: Annotated[bool, typer.Option("--replan", help="Plan anew; only while nothing was sent.")] = False,
    at: Annotated[str, typer.Option("--at", metavar="TIME", help="Begin then, as 2018-12-14 08:00; or now.")] = "",
    keep_going: Annotated[bool, typer.Option("--keep-going", help="Do not pause, however many are refused.")] = False,
    as_json: Json = False,
) -> None:
    """Plan, ask, send, balance. Run it again to go on after an interruption."""
    begin_at = _begin_at(at)
    room = newsroom(context)
    ready = room.snapshot(issue) or room.compose(issue)
    slug = ready.issue.slug
    sendlog = room.store.sendlog
    with sendlog.lock(slug):
        unplanned = plan.unplanned(ready, room.store, replan)
        planned = unplanned is None
        if planned and not dry_run and (unknown := sendlog.recover(slug, timestamp(clock()))):
            say(f"[warn]The last run was cut short: {unknown} went out without a reply being read and are unknown.[/]")
        before = _announce(room, slug, unplanned, unasked=yes and not dry_run)
        if planned and not before.open:
            say(f"{slug} is finished; there is nothing to send.")
            if as_json:
                print_json(views.balance_data(before))
            else:
                out.print(views.balance_table(before))
            raise typer.Exit(_exit_code(before))
        if planned and not at:
            begin_at = sendlog.begin_at(slug)
        _foretell(room, room.job(ready, rate, limit), before.open, planned, begin_at)
        if dry_run:
            if as_json:
                print_json(views.balance_data(before))
            say("Nothing was sent: this was a dry run.")
            return
        if not yes and not confirmed("Send?", otherwise="Nothing was sent"):
            raise typer.Exit(1)
        if unplanned:
            plan.freeze(unplanned, room.store, timestamp(clock()))
        if at:
            sendlog.set_begin_at(slug, begin_at)
        run = Run(room.job(ready, rate, limit, keep_going), sendlog, clock)
        try:
            balance = loop.run(watch(run, before, wait=not no_wait))
        except asyncio.CancelledError:
            sendlog.recover(slug, timestamp(clock()))
            balance = sendlog.balance(slug)
        except StoreError as error:
            raise StoreError(
                f"{error}. The sending has stopped. When that is mended, go on with: mailer send {slug}"
            ) from None
        except (RelayError, TooManyRefusals):
            if as_json:
                print_json(views.balance_data(sendlog.balance(slug)))
            raise
    if as_json:
        print_json(views.balance_data(balance))
    else:
        out.print(views.balance_table(balance))
    for why in run.tally.away.values():
        say(f"[warn]A relay was left out: {escape(why)}[/]")
    if not run.begun:
        begins = datetime.fromisoformat(sendlog.begin_at(slug)).astimezone()
        say(f"{slug} begins at {begins:%Y-%m-%d %H:%M}: run mailer send {slug} again by then, or leave it running.")
    elif balance.open and not run.stopped:
        say(_what_is_left(room, run, balance))
    if run.stopped:
        say(f"Stopped. What was in flight is recorded; go on with: mailer send {slug}")
        raise typer.Exit(130)
    raise typer.Exit(_exit_code(balance))


def _begin_at(given: str) -> str:
    """The moment as the log keeps it; empty for now."""
    if given in ("", "now"):
        return ""
    try:
        written = datetime.fromisoformat(given)
        moment = written.astimezone()  # without an offset it is this machine's time
    except ValueError:
        raise typer.BadParameter("write 2018-12-14 08:00, or now", param_hint="--at") from None
    if written.tzinfo is None and moment.replace(tzinfo=None) != written:
        raise typer.BadParameter(f"there is no {given}: the clocks go forward over it", param_hint="--at")
    if moment <= clock():
        raise typer.BadParameter(f"{moment:%Y-%m-%d %H:%M} is past", param_hint="--at")
    return timestamp(moment)


def _foretell(room: Newsroom, job: Job, open_: int, planned: bool, begin_at: str) -> None:
    """Say how the mail will go, and when it will be done under the limits."""
    store, minute = room.store, minute_of(clock())
    count = min(open_, job.limit) if job.limit else open_
    by_domain: Mapping[str, int] = {}
    if job.domains and not job.limit:
        by_domain = store.sendlog.domains(job.issue) if planned else store.audience.domains()
    seconds = job.gates(store.sendlog.pace, minute).seconds(count, by_domain, minute)
    end = ""
    if seconds:
        begins = max(clock(), datetime.fromisoformat(begin_at or "1970-01-01T00:00:00Z"))
        takes = timedelta(seconds=seconds)
        end = f", under the limits in about {views.span(takes)}: until {begins + takes:%a %d %b %H:%M}"
    relays = ", ".join(str(relay) for relay in job.relays)
    connections = views.count_of(job.connections, "connection")
    say(f"Relay{'s' if len(job.relays) > 1 else ''} {relays}, {connections}; {count:,} to send{end}.")
    if begin_at and datetime.fromisoformat(begin_at) > clock():
        # With the time zone: an hour of one night in spring is none, one in autumn comes twice.
        say(f"It begins at {datetime.fromisoformat(begin_at).astimezone():%a %Y-%m-%d %H:%M %Z}.")


def _exit_code(balance: Balance) -> int:
    """0 when everybody has it who is to have it, so that a timer knows when to stop."""
    return 3 if balance.refused or balance.unknown or balance.open else 0


def _what_is_left(room: Newsroom, run: Run, balance: Balance) -> str:
    """Why a run ended with open deliveries, how many these are, and when they may go."""
    counts = ((balance.queued, "queued"), (balance.deferred, "deferred"))
    left = " and ".join(f"{count:,} {state}" for count, state in counts if count)
    if run.job.limit and run.tally.attempts >= run.job.limit:
        return f"Ended as --limit says, with {left}. Go on with: mailer send {balance.issue}"
    why = "a limit is used up" if balance.queued else "what was put off is not due yet"
    moment = _goes_on_at(room.store.sendlog, run.job, balance)
    # Rounded up to a whole minute, as limits are counted by minutes.
    when = f", from {moment + timedelta(seconds=59):%Y-%m-%d %H:%M}" if moment > clock() else ""
    return f"Nothing more may go now: {why}, with {left}. Go on{when}, with: mailer send {balance.issue}"


def _goes_on_at(log: SendLog, job: Job, balance: Balance) -> datetime:
    """The first moment at which a deferred delivery is due, or the limits let a queued one go."""
    moments = [datetime.fromisoformat(log.next_due(job.issue)).astimezone()] if balance.deferred else []
    if balance.queued:
        minute = minute_of(clock())
        gates = job.gates(log.pace, minute)
        of_domains = filter(None, (gates.seconds(1, {domain: 1}, minute) for domain in job.domains))
        seconds = gates.seconds(1, {}, minute) or min(of_domains, default=0.0)
        moments.append((clock() + timedelta(seconds=seconds)).astimezone())
    return min(moments)


def _announce(room: Newsroom, slug: str, composition: Composition | None, unasked: bool) -> Balance:
    """Say who will get what. Returns the balance to begin with; `composition` is what is to be planned yet."""
    if composition is None:
        balance = room.store.sendlog.balance(slug)
        are = "is" if balance.open == 1 else "are"
        say(f"{slug} was planned for {balance.audience:,} people; {balance.open:,} {are} open.")
        if balance.open:
            _say_what_changed(room, slug, balance.open)
        return balance
    forecast = plan.forecast(composition, room.store, timestamp(clock()))
    balance = forecast.balance(slug)
    if not balance.audience:
        raise MailerError("nobody is subscribed yet. Begin with: mailer subscribers import FILE.csv")
    sizes = {edition.key: composition.sizes(edition.selection) for edition in forecast.editions}
    err.print(views.editions_table(composition, forecast.editions, forecast.nothing_left, sizes))
    from mailer.cli.check import errors  # 100 ms that going on has no use for

    if count := errors(room, composition):
        say(f"[bad]It has {views.count_of(count, 'error')}, which readers would meet. See them: mailer check {slug}[/]")
        if unasked:
            raise MailerError("not sent: --yes answers only for an issue without errors. Mend them, or send without it")
    return balance


def _say_what_changed(room: Newsroom, slug: str, waiting: int) -> None:
    planned = room.store.sendlog.plan(slug)
    if planned and (differences := room.differences(planned)):
        say(f"[warn]It has changed since it was planned at {planned.planned_at}:[/]")
        say(escape(plan.listed(differences)))
        who = "The reader who still waits gets" if waiting == 1 else f"The {waiting:,} readers who still wait get"
        say(f"{who} what the others got. Changes are not sent.")
