"""Heading attributes in Pandoc's form: `{#id topics=a,b date=2019-01-10/2019-01-11 place="Cape Town"}`."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime

from mailer.errors import nearest
from mailer.models import Occasion

ID = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_ITEM = re.compile(
    r"""\s*(?:
    \#(?P<id>[^\s"'=]+)
  | (?P<key>[A-Za-z][\w-]*)=(?:"(?P<quoted>(?:[^"\\]|\\.)*)"|(?P<bare>[^\s"]*))
)(?=\s|$)""",
    re.VERBOSE,
)
_MORE = re.compile(r"[^\s\"'=#.][^\s\"=#]*")  # a word that belongs to the value before it
_QUOTES = "“”„«»‘‚’'"  # that are none here
_STORY_KEYS = ("topics", "date", "place", "lang")
LANGUAGE = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]+)*")

Report = Callable[[int, str], None]


@dataclass(frozen=True, slots=True)
class Given:
    """What a heading's braces say."""

    id: str = ""
    topics: str = ""  # as written; `scattered` when it has blanks outside quotes
    scattered: bool = False
    event: Occasion | None = None
    language: str = ""


def section(text: str | None, line: int, report: Report) -> Given:
    """A section takes an id and nothing else."""
    id_, pairs, _ = _items(text or "", line, report)
    for key in pairs:
        report(line, f"unknown attribute “{key}”: a section takes only an id, such as {{#events}}")
    return Given(id=id_)


def story(text: str | None, line: int, report: Report) -> Given:
    """A story takes an id, topics, a language, and as an event a date with a place."""
    id_, pairs, scattered = _items(text or "", line, report)
    for key in pairs:
        if key not in _STORY_KEYS:
            report(line, f"unknown attribute “{key}”. {nearest(key, _STORY_KEYS)}")
    for key in ("place", "lang"):
        if key in scattered:
            report(line, f'put what has blanks between quotes: {key}="{pairs[key]}"')
    topics = pairs.get("topics", "")
    if "topics" in pairs and not topics.strip(" ,"):
        report(line, "topics= names no topic; name some, or leave it out so that everybody gets the story")
    language = pairs.get("lang", "")
    if language and not LANGUAGE.fullmatch(language):
        report(line, f"“{language}” is no language tag; write one such as lang=fr or lang=pt-BR")
    apart = "topics" in scattered
    return Given(id=id_, topics=topics, scattered=apart, event=_event(pairs, line, report), language=language)


def moment(text: str) -> date | datetime:
    """`2019-01-10`, or `2019-01-10T09:30+01:00` with its offset from UTC. Raises ValueError."""
    if re.fullmatch(r"\d{4}-\d{2}-\d{2}", text):
        return date.fromisoformat(text)
    value = datetime.fromisoformat(text)
    if value.tzinfo is None:
        raise ValueError("a time needs its offset from UTC")
    return value


def _event(pairs: dict[str, str], line: int, report: Report) -> Occasion | None:
    if "date" not in pairs:
        if "place" in pairs:
            report(line, "place= needs a date=, such as date=2019-01-10 or date=2019-01-10/2019-01-11")
        return None
    first, slash, last = pairs["date"].partition("/")
    try:
        start = moment(first)
        end = moment(last) if slash else start
    except ValueError:
        report(
            line,
            f"“{pairs['date']}” is no date; write date=2019-01-10, date=2019-01-10/2019-01-11, "
            "or with a time date=2019-01-10T09:30+01:00",
        )
        return None
    if isinstance(start, datetime) != isinstance(end, datetime):
        report(line, f"“{pairs['date']}” has a time at one end only; give both or neither")
        return None
    if end < start:
        report(line, f"this event ends ({last}) before it starts ({first}); swap them or mend one")
        return None
    return Occasion(start=start, end=end, place=pairs.get("place", ""))


def _items(text: str, line: int, report: Report) -> tuple[str, dict[str, str], set[str]]:
    """The id and the key-value pairs between the braces, and the keys whose values have blanks outside quotes.

    Anything else is reported.
    """
    id_, pairs, position = "", dict[str, str](), 0
    last, scattered, bare = "", set[str](), set[str]()  # `last` is the key before
    while position < len(text.rstrip()):
        item = _ITEM.match(text, position)
        if item is None:
            word = text[position:].split()[0]
            if last and _MORE.fullmatch(word):
                pairs[last] += f" {word}"
                scattered.add(last)
                position = text.index(word, position) + len(word)
                continue
            report(line, f'“{word}” is no attribute; write #id, key=value, or key="a value with blanks"')
            position = text.index(word, position) + len(word)
            continue
        position = item.end()
        last = item["key"] or ""
        if item["id"]:
            if id_:
                report(line, f"two ids are given, #{id_} and #{item['id']}; keep one")
            id_ = item["id"]
            if not ID.fullmatch(id_):
                report(line, f"“#{id_}” is no id; use small letters a-z, digits and single hyphens")
        elif item["key"] in pairs:
            report(line, f"attribute “{item['key']}” is given twice; keep one")
        else:
            quoted = item["quoted"]
            pairs[item["key"]] = re.sub(r"\\(.)", r"\1", quoted) if quoted is not None else item["bare"]
            if quoted is None:
                bare.add(item["key"])
    for key in sorted(bare):
        value = pairs[key].strip(_QUOTES)
        if len(value) <= len(pairs[key]) - 2 and pairs[key][0] in _QUOTES:
            pairs[key] = value
            scattered.discard(key)
            report(line, f'write straight double quotes: {key}="{value}"')
    return id_, pairs, scattered
