"""What the rules look at: the issue as written, and its editions as mailed, each made when first asked for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from mailer.compose.checks.rules import Rule
from mailer.compose.composition import Composition
from mailer.compose.personal import Personaliser
from mailer.models import Edition, Finding, Issue, Segment, Selection, Severity, Story, Subscriber
from mailer.tokens import Tokens

_READER = Subscriber("reader@example.org", "A. Reader")


@dataclass(frozen=True, slots=True)
class Sample:
    """An edition as somebody gets it: cut, and filled with a reader's values whose links change nothing."""

    key: str
    selection: Selection
    html: str
    text: str


@dataclass
class Material:
    """One composed issue, its audience, and the issues that came before it."""

    composition: Composition
    editions: Sequence[Edition] = ()  # those somebody gets
    nothing_left: Sequence[Segment] = ()
    earlier: Sequence[Issue] = ()
    root: Path | None = None  # the newsroom, for what rules keep there (a cache, a dictionary)
    _lines: dict[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def issue(self) -> Issue:
        """The issue."""
        return self.composition.issue

    @property
    def path(self) -> str:
        """The issue's file as people name it."""
        return f"issues/{self.issue.slug}/issue.md"

    @cached_property
    def source(self) -> tuple[str, ...]:
        """The lines of issue.md; line n of the file is source[n - 1]."""
        return tuple(self.issue.path.read_text("utf-8-sig").splitlines())

    @cached_property
    def samples(self) -> tuple[Sample, ...]:
        """The whole issue first, then each other edition somebody gets."""
        selections = {self.composition.everything: "everything"}
        for edition in self.editions:
            selections.setdefault(edition.selection, edition.key)
        personal = self._personaliser.personal(_READER)
        return tuple(
            Sample(
                key,
                selection,
                self.composition.html_for(selection, personal),
                self.composition.text_for(selection, personal),
            )
            for selection, key in selections.items()
        )

    def span(self, story: Story) -> range:
        """The 1-based lines of the file on which a story stands, its heading first."""
        sections = self.issue.sections
        starts = sorted([section.line for section in sections] + [other.line for other in self.issue.stories])
        after = next((line for line in starts if line > story.line), len(self.source) + 1)
        return range(story.line, after)

    def line_of(self, needle: str, within: Story | None = None) -> int:
        """The first line that holds these words, in the story or the whole file; else the story's, else 0."""
        lines = self.span(within) if within else range(1, len(self.source) + 1)
        return next((line for line in lines if needle in self.source[line - 1]), within.line if within else 0)

    def key_line(self, key: str) -> int:
        """The line of a front matter key; 0 when it isn't there."""
        head = enumerate(self.source[1:], 2)
        return next((number for number, line in head if line.startswith(f"{key}:")), 0)

    def editions_with(self, story: Story | None) -> tuple[str, ...]:
        """The keys of the editions that show a story; none for what concerns all of them."""
        return tuple(edition.key for edition in self.editions if story and story.id in edition.selection)

    def finding(
        self,
        rule: Rule,
        text: str,
        fix: str,
        line: int = 0,
        story: Story | None = None,
        path: str = "",
        severity: Severity | None = None,
    ) -> Finding:
        """A finding of a rule, in the story when one is given and no line is."""
        return Finding(
            rule.id,
            severity or rule.severity,
            path or self.path,
            line or (story.line if story else 0),
            text,
            fix,
            rule.why,
            self.editions_with(story),
        )

    def stories(self) -> Iterator[Story]:
        """Every story, in the order of the issue."""
        yield from self.issue.stories

    @cached_property
    def _personaliser(self) -> Personaliser:
        return self.composition.personaliser(Tokens(b"checks"), inert=True)
