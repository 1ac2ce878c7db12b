"""What the rules look at: the issue as written, and its editions as mailed, each made when first asked for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from mailer.compose.checks import passages
from mailer.compose.checks.answers import Answer
from mailer.compose.checks.passages import Passage
from mailer.compose.checks.rules import Rule
from mailer.compose.checks.sheets import Sheet
from mailer.compose.composition import Composition
from mailer.compose.editions import key
from mailer.compose.personal import Personal
from mailer.models import Edition, Finding, Issue, Segment, Selection, Severity, Story, Subscriber, Verdict
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
    earlier: Iterable[Issue] = ()  # the newest first; read when a rule first asks for `before`
    root: Path | None = None  # the newsroom, for what rules keep there (a cache, a dictionary)
    dictionaries: Sequence[Path] = ()  # folders of hunspell's; without any, spelling is not looked at
    verdict: Verdict | None = None  # SpamAssassin's, where it was asked
    answers: Mapping[str, Answer] = field(default_factory=dict)  # what web servers said, when they were asked
    english: Mapping[str, Sequence[str]] = field(default_factory=dict)  # by language, what of the site it leaves so

    @property
    def issue(self) -> Issue:
        """The issue."""
        return self.composition.issue

    @property
    def path(self) -> str:
        """The issue's file as people name it."""
        return f"issues/{self.issue.slug}/issue.md"

    @property
    def configuration(self) -> str:
        """The configuration's file as people name it."""
        return "pyproject.toml" if self.root and not (self.root / "mailer.toml").exists() else "mailer.toml"

    @cached_property
    def before(self) -> tuple[Issue, ...]:
        """The issues that came before this one, the newest first."""
        return tuple(self.earlier)

    @cached_property
    def source(self) -> tuple[str, ...]:
        """The lines of issue.md; line n of the file is source[n - 1]."""
        text = self.issue.path.read_text("utf-8-sig").removesuffix("\n")
        return tuple(text.split("\n"))  # not splitlines, which also cuts at what no editor counts, such as U+2028

    @cached_property
    def passages(self) -> tuple[Passage, ...]:
        """The issue's words, passage by passage, each with its line."""
        return tuple(passages.of(self.source, self.issue))

    @cached_property
    def samples(self) -> tuple[Sample, ...]:
        """The whole issue first, then each other edition somebody gets."""
        selections = dict.fromkeys([self.composition.everything, *(edition.selection for edition in self.editions)])
        return tuple(
            Sample(
                key(selection),
                selection,
                self.composition.html_for(selection, self.personal),
                self.composition.text_for(selection, self.personal),
            )
            for selection in selections
        )

    @cached_property
    def personal(self) -> Personal:
        """The values that stand in the samples."""
        return self.composition.personaliser(Tokens("checks", b"checks"), inert=True).personal(_READER)

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
        keys = tuple(edition.key for edition in self.editions if story and story.id in edition.selection)
        return keys if len(keys) < len(self.editions) else ()

    def editions_of(self, samples: Iterable[Sample]) -> tuple[str, ...]:
        """The keys of the editions among these that somebody gets; none when it is all of them."""
        found = {sample.key for sample in samples}
        keys = tuple(edition.key for edition in self.editions if edition.key in found)
        return keys if len(keys) < len(self.editions) else ()

    def sheet(self, name: str) -> Sheet:
        """A style sheet of the template."""
        theme = self.composition.theme
        return Sheet.read(theme.folder / name, f"{theme.shown}/{name}")

    def template_line(self, words: str) -> tuple[str, int]:
        """Where words stand first in the template's pages: the file as people name it, and the line; else its page."""
        theme = self.composition.theme
        for path in sorted(theme.folder.glob("*.j2")):
            source = path.read_text("utf-8")
            if words in source:
                return f"{theme.shown}/{path.name}", source.count("\n", 0, source.index(words)) + 1
        return f"{theme.shown}/page.mjml.j2", 0

    def finding(
        self,
        rule: Rule,
        text: str,
        fix: str,
        line: int = 0,
        story: Story | None = None,
        path: str = "",
        severity: Severity | None = None,
        editions: tuple[str, ...] | None = None,
    ) -> Finding:
        """A finding of a rule, in the story when one is given and no line is; in its editions unless others are."""
        return Finding(
            rule.id,
            severity or rule.severity,
            path or self.path,
            line or (story.line if story else 0),
            text,
            fix,
            rule.why,
            self.editions_with(story) if editions is None else editions,
            story.id if story else "",
        )
