"""What the page shows, in the words of its templates: findings with their lines, editions, the message, its size."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from mailer.compose.composition import GMAIL_CLIP, Composition
from mailer.compose.editions import key, select
from mailer.models import Finding, Issue, Segment, Selection, Subscriber
from mailer.newsroom import Newsroom
from mailer.web import desk_editor
from mailer.web.desk_choice import Choice
from mailer.web.desk_editor import Way
from mailer.web.desk_proof import Proof

GMAIL_NEAR = 90 * 1024  # bytes from which the gauge warns: a correction that adds a story should still fit
_AROUND = 1  # lines shown before and behind the one that is meant
ANYBODY = "reader@example.org"  # stands for whoever chose the ticked interests


@dataclass(frozen=True, slots=True)
class Excerpt:
    """Lines of a file: number, words, and whether it is the one meant."""

    lines: tuple[tuple[int, str, bool], ...]


@dataclass(frozen=True, slots=True)
class Place:
    """A line in a file of the newsroom, and the ways there."""

    path: str
    line: int
    excerpt: Excerpt
    way: Way

    @classmethod
    def of(cls, room: Newsroom, path: str, line: int) -> Place:
        """Read the lines around it; a file outside the newsroom has none."""
        file = inside(room, path)
        if file is None:  # such as a secret that the environment names
            return cls(path, line, Excerpt(()), Way())
        rows = file.read_text("utf-8", "replace").removesuffix("\n").split("\n")
        near = range(max(line - _AROUND, 1), min(line + _AROUND, len(rows)) + 1) if line else range(0)
        excerpt = Excerpt(tuple((number, rows[number - 1], number == line) for number in near))
        return cls(path, line, excerpt, desk_editor.way(room.config.desk.editor, room.env, file, line))


@dataclass(frozen=True, slots=True)
class FindingRow:
    """A finding, its place, and the story that stands there."""

    name: str  # the same after a save that moves it
    finding: Finding
    place: Place
    story: str
    editions: int  # how many it concerns; 0 for all


def findings(room: Newsroom, proof: Proof) -> list[FindingRow] | None:
    """Each finding with its place; None as long as they are being looked for."""
    if proof.checked is None:
        return None
    rows, met = [], Counter[str]()
    for finding in proof.checked.findings:
        met[finding.id] += 1
        story = _story_at(proof.checked.issue, finding.line) if finding.path.endswith("issue.md") else ""
        place = Place.of(room, finding.path, finding.line)
        rows.append(FindingRow(f"{finding.id}-{met[finding.id]}", finding, place, story, len(finding.editions)))
    return rows


@dataclass(frozen=True, slots=True)
class Option:
    """An edition that can be looked at or compared."""

    key: str
    name: str
    selection: Selection
    interests: tuple[str, ...]  # of its largest group of readers
    people: int


def options(proof: Proof, labels: Mapping[str, str]) -> list[Option]:
    """The whole issue first, then every other edition that somebody gets."""
    composition = proof.composition
    whole = composition.everything
    made = {whole: Option(key(whole), "The whole issue", whole, (), 0)}
    for edition in proof.editions:
        largest = max(edition.segments, key=lambda segment: segment.count)
        first = edition.selection == whole
        name = "The whole issue" if first else names(edition.segments, labels)
        interests = () if first else largest.interests
        made[edition.selection] = Option(edition.key, name, edition.selection, interests, edition.count)
    return list(made.values())


def names(segments: Sequence[Segment], labels: Mapping[str, str]) -> str:
    """`Green jobs + Social finance`, the largest group of those who share an edition; the others are counted."""
    largest = max(segments, key=lambda segment: segment.count)
    shown = " + ".join(labels.get(topic, topic) for topic in largest.interests) or "No interests chosen"
    return f"{shown}, and {len(segments) - 1} more" if len(segments) > 1 else shown


@dataclass(frozen=True, slots=True)
class MatrixRow:
    """A story: which single interests bring it, how many people get it, and whether the edition shown has it."""

    story: str
    title: str
    line: int
    interests: tuple[bool, ...]
    people: int
    shown: bool


@dataclass(frozen=True, slots=True)
class Matrix:
    """Stories by interests. `chosen` is how many people chose each interest."""

    sections: tuple[tuple[str, tuple[MatrixRow, ...]], ...]
    chosen: tuple[int, ...]
    everything: int  # how many chose no interest and get the whole issue
    nothing: int  # for how many nothing is left
    people: int


def matrix(proof: Proof, selection: Selection, topics: Sequence[str]) -> Matrix:
    """Count who gets what."""
    segments = list(proof.segments)
    sections = []
    for section in proof.composition.issue.sections:
        rows = tuple(
            MatrixRow(
                story.id,
                story.title,
                story.line,
                tuple(story.suits((topic,)) for topic in topics),
                sum(edition.count for edition in proof.editions if story.id in edition.selection),
                story.id in selection,
            )
            for story in section.stories
        )
        sections.append((section.title, rows))
    return Matrix(
        sections=tuple(sections),
        chosen=tuple(sum(one.count for one in segments if topic in one.interests) for topic in topics),
        everything=sum(one.count for one in segments if not one.interests),
        nothing=sum(one.count for one in proof.nothing_left),
        people=sum(one.count for one in segments),
    )


@dataclass(frozen=True, slots=True)
class Gauge:
    """Bytes of HTML as mailed, against what Gmail shows."""

    mailed: int
    state: str  # fits, near or cut
    near: int = GMAIL_NEAR
    limit: int = GMAIL_CLIP

    @classmethod
    def at(cls, mailed: int) -> Gauge:
        """For so many bytes of quoted-printable HTML."""
        return cls(mailed, "cut" if mailed >= GMAIL_CLIP else "near" if mailed >= GMAIL_NEAR else "fits")


def reader(room: Newsroom, choice: Choice) -> Subscriber:
    """The chosen subscriber, or somebody with the ticked interests."""
    if choice.reader and (found := room.store.audience.get(choice.reader)):
        return found
    known = tuple(topic for topic in room.config.interests if topic in choice.interests)
    return Subscriber(ANYBODY, interests=known)


def compared(choice: Choice, proof: Proof, shown: Selection, labels: Mapping[str, str]) -> tuple[Option, Option]:
    """The two editions to compare: as chosen, else the whole issue and the edition shown, or the first that differs."""
    every = options(proof, labels)
    by_key = {option.key: option for option in every}
    left = by_key.get(choice.left, every[0])
    other = next((option for option in every if option.selection == shown and option is not left), None)
    return left, by_key.get(choice.right, other or every[min(1, len(every) - 1)])


def only_in(issue: Issue, one: Selection, other: Selection) -> list[str]:
    """The titles of the stories that one selection has and the other has not."""
    return [story.title for story in issue.stories if story.id in one and story.id not in other]


def selection_of(composition: Composition, who: Subscriber) -> Selection:
    """The stories somebody gets."""
    return select(composition.issue, who.interests)


def inside(room: Newsroom, path: str) -> Path | None:
    """A file of the newsroom by its name there; None when it is none, or elsewhere."""
    file = (room.root / path).resolve()
    return file if file.is_relative_to(room.root) and file.is_file() else None


def _story_at(issue: Issue, line: int) -> str:
    """The story whose lines hold this one; empty in the front matter and in a section's introduction."""
    starts = sorted([(story.line, story.id) for story in issue.stories] + [(one.line, "") for one in issue.sections])
    return next((name for start, name in reversed(starts) if start <= line), "")
