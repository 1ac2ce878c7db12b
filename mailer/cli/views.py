"""How things look in a terminal: tables without heavy boxes, numbers right, a closing line that says what next."""

from __future__ import annotations

import textwrap
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from rich import box
from rich.cells import cell_len
from rich.console import Group, RenderableType
from rich.markup import escape
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from mailer.cli.app import out
from mailer.models import Balance, Delivery, DeliveryState, Edition, Finding, Issue, Segment, Severity, Subscriber

if TYPE_CHECKING:
    from mailer.compose.checks.reading import Reading
    from mailer.compose.composition import Composition

_SEVERITY = {Severity.ERROR: "bad", Severity.WARNING: "warn", Severity.NOTE: "second"}
_SHOWN_SEGMENTS = 3
_GAP = 3  # columns between two of a table
_ENOUGH = 16  # columns; text of many words is not set narrower
LOG_COLUMNS = ("email", "state", "attempts", "code", "enhanced", "reply", "step", "message_id", "edition",
               "queued_at", "settled_at")  # fmt: skip
Sizes = Mapping[str, tuple[int, int]]


def table(*columns: str, right: Iterable[str] = ()) -> Table:
    """An empty table in the house style."""
    made = Table(box=box.SIMPLE_HEAD, pad_edge=False, header_style="accent", expand=False)
    for column in columns:
        if column in right:
            made.add_column(column, justify="right", no_wrap=True)
        else:
            made.add_column(column, overflow="fold")
    return made


def count_of(count: int, noun: str) -> str:
    """`1 story`, `2 stories`, `1,234 lines`."""
    plural = f"{noun[:-1]}ies" if noun.endswith("y") else f"{noun}s"
    return f"{count:,} {noun if count == 1 else plural}"


def span(time: timedelta) -> str:
    """`40 seconds`, `5 minutes`, `2.5 hours`: as exact as anybody plans by."""
    seconds = time.total_seconds()
    if seconds < 90:
        return count_of(max(1, round(seconds)), "second")
    return f"{seconds / 60:.0f} minutes" if seconds < 5400 else f"{seconds / 3600:.1f} hours"


def in_whole_words(made: Table, rows: Sequence[tuple[str, ...]]) -> RenderableType:
    """The rows, the first cell plain, no word broken: no grep would find it. Where that is too wide, two lines a row.

    An address, a time or an issue stands in the first column.
    """
    texts = [[Text(row[0]), *(Text.from_markup(cell, emoji=False) for cell in row[1:])] for row in rows]
    least, most = [], []  # columns of the terminal, for each of the table
    for column, cells in zip(made.columns, zip(*texts, strict=True), strict=True) if texts else ():
        words = (word for cell in (column.header, *cells) for word in str(cell).split())
        most.append(max(cell_len(str(cell)) for cell in (column.header, *cells)))
        least.append(max(*map(cell_len, words), min(_ENOUGH, most[-1])))
    spare = out.width + 1 - sum(width + _GAP for width in least)
    if spare >= 0:
        # Rich would take from the widest first, and break its words.
        for number, at in enumerate(sorted(range(len(least)), key=lambda at: most[at] - least[at])):
            more = min(most[at] - least[at], spare // (len(least) - number))
            made.columns[at].width = least[at] + more
            spare -= more
        for row in texts:
            made.add_row(*row)
        return made
    lines: list[RenderableType] = []
    for name, *others in texts:
        named = zip(made.columns[1:], others, strict=True)
        said = [Text(f"{column.header} ") + cell if column.justify == "right" else cell for column, cell in named]
        lines += [name, Padding(Text(", ").join(cell for cell in said if cell), (0, 0, 0, 2), expand=False)]
    return Group(*lines)


def findings(
    issue: Issue, found: Sequence[Finding], editions: int = 0, reading: Reading | None = None
) -> RenderableType:
    """Findings by severity, or that there are none; what the author silenced is counted."""
    measured: list[RenderableType] = [Text(_reading(reading), style="second")] if reading and reading.words else []
    head = f"{issue.slug}: {count_of(len(issue.sections), 'section')}, {count_of(len(issue.stories), 'story')}."
    heard = [finding for finding in found if not finding.silenced]
    silenced = f"{len(found) - len(heard):,} silenced." if len(heard) < len(found) else ""
    if not heard:
        return Group(Text.from_markup(" ".join(filter(None, (head, "[good]Nothing to mend.[/]", silenced)))), *measured)
    rows: list[RenderableType] = [Text(head), *measured]
    counts = []
    for severity, style in _SEVERITY.items():
        group = [finding for finding in heard if finding.severity is severity]
        if group:
            counts.append(count_of(len(group), severity))
            rows.append(Text(f"\n{counts[-1]}", style=style))
            same = Counter(group)  # five links of one line to the same placeholder are told once
            rows += [_finding(finding, style, editions, times) for finding, times in same.items()]
    rows.append(Text(f"\n{', '.join(counts)}. {silenced}".rstrip()))
    return Group(*rows)


def _reading(reading: Reading) -> str:
    """`Reading ease 42 of 100 (difficult), 23 words a sentence.`"""
    ease = "" if reading.ease is None else f"Reading ease {reading.ease:.0f} of 100 ({reading.level}), "
    return f"{ease}{reading.per_sentence:.0f} words a sentence."


def reading_data(reading: Reading | None) -> dict[str, Any] | None:
    """The same as JSON."""
    if reading is None:
        return None
    return {
        "ease": None if reading.ease is None else round(reading.ease, 1),
        "level": reading.level,
        "words": reading.words,
        "sentences": reading.sentences,
        "words_a_sentence": round(reading.per_sentence, 1),
    }


def _finding(finding: Finding, style: str, editions: int, times: int) -> RenderableType:
    where = f"{finding.path}:{finding.line}" if finding.line else finding.path
    share = f" (in {len(finding.editions)} of {editions} editions)" if finding.editions else ""
    often = f" ({times} times)" if times > 1 else ""
    what = Text.from_markup(f"\n[{style}]{finding.id}[/] {escape(where)}{often}[second]{share}[/]")
    said = (f"{sentence(finding.text)} {sentence(finding.why)}", sentence(finding.fix))
    rows = [row for text in said for row in textwrap.wrap(text, out.width - 2, break_long_words=False)]
    return Group(what, *(Text(f"  {row}") for row in rows))


def sentence(text: str) -> str:
    """With a capital at its beginning, unless an address or a file stands there, and a full stop, unless it asks."""
    if not {"/", "@", "."} & set(text.partition(" ")[0]):
        text = f"{text[:1].upper()}{text[1:]}"
    return text if text.endswith((".", "?")) else f"{text}."


def segment_names(segments: Sequence[Segment], labels: Mapping[str, str]) -> str:
    """`Green jobs + Social finance; no interests`, the largest first."""
    names = []
    for segment in sorted(segments, key=lambda one: -one.count):
        chosen = [labels.get(topic, topic) for topic in segment.interests]
        names.append(" + ".join(chosen) or "no interests chosen")
    more = len(names) - _SHOWN_SEGMENTS
    return "; ".join(names[:_SHOWN_SEGMENTS]) + (f"; and {more} more" if more > 0 else "")


def editions_table(
    composition: Composition, editions: Sequence[Edition], nothing_left: Sequence[Segment], sizes: Sizes
) -> RenderableType:
    """Each edition with its head count."""
    from mailer.compose.composition import GMAIL_CLIP  # 100 ms that `status` has no use for

    labels = composition.config.interests
    made = table("edition", "interests", "stories", "bytes", "people", right=("stories", "bytes", "people"))
    for edition in editions:
        plain, mailed = sizes[edition.key]
        size = f"{plain:,}"
        made.add_row(
            edition.key,
            escape(segment_names(edition.segments, labels)),
            str(len(edition.selection)),
            f"[bad]{size}[/]" if mailed >= GMAIL_CLIP else size,
            f"{edition.count:,}",
        )
    if nothing_left:
        count = sum(segment.count for segment in nothing_left)
        made.add_row("none", escape(segment_names(nothing_left, labels)), "0", "", f"{count:,}", style="second")
    people = sum(edition.count for edition in editions)
    who = "1 person gets" if people == 1 else f"{people:,} people get"
    number = count_of(len(editions), "edition")
    what = number if len(editions) == 1 else f"one of {number}"
    return Group(made, Text(f"{who} {what} of {composition.issue.slug}."))


def editions_data(
    issue: Issue, editions: Sequence[Edition], nothing_left: Sequence[Segment], sizes: Sizes
) -> dict[str, Any]:
    """The same as JSON."""
    return {
        "issue": issue.slug,
        "audience": sum(edition.count for edition in editions) + sum(segment.count for segment in nothing_left),
        "editions": [
            {
                "edition": edition.key,
                "interests": [list(segment.interests) for segment in edition.segments],
                "stories": len(edition.selection),
                "story_ids": list(edition.selection),
                "bytes": sizes[edition.key][0],
                "bytes_mailed": sizes[edition.key][1],
                "people": edition.count,
            }
            for edition in editions
        ],
        "nothing_left": [{"interests": list(segment.interests), "people": segment.count} for segment in nothing_left],
    }


def balance_data(balance: Balance) -> dict[str, Any]:
    """The balance as JSON. What a running send holds counts as queued."""
    data = asdict(balance)
    data["queued"] += data.pop("claimed")
    return data


def balance_table(balance: Balance, closing: str = "") -> RenderableType:
    """audience = accepted + refused + skipped + unknown, or what is open; `closing` instead of what to do next."""
    made = table("state", "people", "", right=("people",))
    rows = (
        ("accepted", balance.accepted, "the server took responsibility", "good"),
        ("refused", balance.refused, "the server said no for good", "bad"),
        ("skipped", balance.skipped, "not offered: left, erased, or nothing for them", ""),
        ("unknown", balance.unknown, "sent, but no reply was read", "bad"),
        ("deferred", balance.deferred, "put off; will be tried again", "warn"),
        ("queued", balance.queued + balance.claimed, "not tried yet", ""),
    )
    for name, count, meaning, style in rows:
        shown = f"[{style}]{count:,}[/]" if style and count else f"{count:,}"
        made.add_row(name, shown, f"[second]{meaning}[/]")
    made.add_section()
    made.add_row("audience", f"{balance.audience:,}", f"[second]{count_of(balance.editions, 'edition')}[/]")
    return Group(made, Text(closing or closing_line(balance)))


def closing_line(balance: Balance) -> str:
    """What to do next."""
    name = balance.issue
    if balance.unknown:
        told = f"{balance.unknown} could not be decided and will not be sent again by themselves: mailer log {name}"
        told += f" --state unknown. Decide them with: mailer settle {name} --from-log FILE, --as sent or --as unsent."
        return f"{told} Still open: {balance.open:,}; go on with: mailer send {name}" if balance.open else told
    if not balance.closed:
        return f"Not finished. Go on with: mailer send {name}"
    if balance.refused:
        return f"Finished: the balance closes. See who was refused: mailer log {name} --state refused"
    return "Finished: the balance closes."


def log_table(deliveries: Iterable[Delivery], issue: str, state: DeliveryState | None = None) -> RenderableType:
    """The send log in columns that fit 80, or that there is nothing in it."""
    rows = []
    for row in deliveries:
        reply = " ".join(str(part) for part in (row.code or "", row.reply) if part)
        who = row.email or f"(erased, no. {row.subscriber_id})"
        rows.append((who, row.state, str(row.attempts), escape(reply)))
    if not rows:
        return Text(f"Nobody is {state} in {issue}." if state else f"Nobody is in the log of {issue}.")
    return in_whole_words(table("address", "state", "tries", "reply", right=("tries",)), rows)


def delivery_data(row: Delivery, message_id: str) -> dict[str, Any]:
    """One row of the log as DESIGN section 6 prints it."""
    return {column: message_id if column == "message_id" else getattr(row, column) for column in LOG_COLUMNS}


def subscribers_table(people: Iterable[Subscriber], labels: Mapping[str, str]) -> RenderableType:
    """People with their interests."""
    rows = []
    for person in people:
        chosen = escape(", ".join(labels.get(topic, topic) for topic in person.interests))
        rows.append((person.email, escape(person.name), chosen or "[second]none chosen[/]", person.state))
    return in_whole_words(table("address", "name", "interests", "state"), rows)


def subscriber_data(person: Subscriber) -> dict[str, Any]:
    """One person as JSON."""
    return {
        "email": person.email,
        "name": person.name,
        "interests": list(person.interests),
        "language": person.language,
        "fields": dict(person.fields),
        "state": person.state,
        "changed_at": person.changed_at,
        "paused_until": person.paused_until,
    }
