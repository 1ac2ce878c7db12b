"""issue.md -> Issue, or every mistake in it with file, line and how to mend it (DESIGN section 4)."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from markdown_it.token import Token

from mailer.compose import attributes, markup
from mailer.compose.assets import IssueAssets
from mailer.compose.frontmatter import FrontMatter, read_front_matter
from mailer.config import Config
from mailer.errors import InputError, nearest
from mailer.models import Issue, Link, Picture, Problem, Prose, Section, Story

# What no mail may hold: C0 and C1 controls but tab and line feed, and the two code points XML refuses. C1 controls
# make Gmail clip a mail (email-bugs #41), C0 ones make MRML fail without a position (rendering.md 2.2).
_CONTROLS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ufffe\uffff]")


def load(path: Path, shown: str, config: Config) -> Issue:
    """Read and check an issue file.

    `shown` is how messages name the file. Raises InputError with every mistake at once.
    """
    reader = _Reader(path, shown, config)
    issue = reader.issue()
    if reader.problems or issue is None:
        raise InputError(sorted(reader.problems, key=lambda problem: problem.line))
    return issue


@dataclass(slots=True)
class _Reader:
    """One pass over one file. Mistakes gather in `problems`; reading goes on behind each."""

    path: Path
    shown: str
    config: Config
    problems: list[Problem] = field(default_factory=list)

    def report(self, line: int, text: str) -> None:
        self.problems.append(Problem(self.shown, line, text))

    def issue(self) -> Issue | None:
        content = self._content()
        if content is None:
            return None
        tokens = markup.parse(_CONTROLS.sub("", content))
        front, tokens = self._front_matter(tokens)
        assets = IssueAssets(self.path.parent, self.config, self.report)
        writer = markup.Writer(assets, self.report)
        intro, sections = self._sections(tokens, writer)
        masthead = (
            assets.picture(front.masthead, front.masthead_alt, front.line("masthead")) if front.masthead else None
        )
        if not sections:
            self.report(0, "holds no story; a section begins with “# Section”, a story with “## Title”")
        self._check_unique([*((story.id, story.line, "stories") for s in sections for story in s.stories)])
        self._check_unique([*((section.id, section.line, "sections") for section in sections)])
        leading = [s.picture for section in sections for s in section.stories if s.picture]
        pictures = [*([masthead] if masthead else []), *leading, *writer.pictures]
        return Issue(
            slug=self.path.parent.name,
            path=self.path,
            digest=hashlib.sha256(content.encode("utf-8")).hexdigest(),
            title=front.title,
            date=front.date,
            subject=front.subject or front.title,
            preheader=front.preheader,
            language=front.language or self.config.newsletter.language,
            template=front.template or self.config.newsletter.template,
            number=front.number,
            masthead=masthead,
            intro=intro,
            sections=tuple(sections),
            pictures=tuple({picture.url: picture for picture in pictures}.values()),
        )

    def _content(self) -> str | None:
        try:
            raw = self.path.read_bytes()
        except FileNotFoundError:
            self.report(0, "there is no such file; an issue is a folder in issues/ with an issue.md in it")
            return None
        except OSError as error:
            self.report(0, f"cannot be read: {error.strerror}")
            return None
        try:
            content = raw.decode("utf-8-sig").replace("\r\n", "\n").replace("\r", "\n")
        except UnicodeDecodeError as error:
            self.report(raw[: error.start].count(b"\n") + 1, "is not UTF-8 here; save the file as UTF-8")
            return None
        if not content.strip():
            self.report(0, "is empty; begin with --- and title:, date:, then # Section and ## Story")
            return None
        return content

    def _front_matter(self, tokens: list[Token]) -> tuple[FrontMatter, list[Token]]:
        if tokens and tokens[0].type == "front_matter":
            return read_front_matter(tokens[0].content, self.config, self.report), tokens[1:]
        self.report(1, "the front matter is missing; the file begins with a line ---, then title: and date:, then ---")
        return FrontMatter(), tokens

    def _sections(self, tokens: Sequence[Token], writer: markup.Writer) -> tuple[Prose, list[Section]]:
        """Split at `#` and `##`; what stands before the first is the welcome, or a section's introduction."""
        runs = _runs(tokens)
        intro = writer.prose(runs[0].body)
        sections: list[Section] = []
        heading: _Run | None = None
        stories: list[Story] = []
        for run in runs[1:]:
            self._check_levels(run)
            if run.level == 1:
                if heading is not None:
                    sections.append(self._section(heading, stories, writer))
                heading, stories = run, []
            else:
                if heading is None:
                    self.report(run.line, "this story stands outside a section; put a line “# Section name” before it")
                stories.append(self._story(run, writer))
        if heading is not None:
            sections.append(self._section(heading, stories, writer))
        return intro, sections

    def _check_levels(self, run: _Run) -> None:
        level = run.level
        for token in run.body:
            if token.type != "heading_open":
                continue
            deeper, line = int(token.tag[1]), (token.map or [0])[0] + 1
            if deeper > level + 1:
                self.report(
                    line, f"this heading skips a level: {'#' * deeper} after {'#' * level}; write {'#' * (level + 1)}"
                )
            level = deeper
            if token.meta.get("attributes") is not None:
                self.report(line, "only sections and stories take {attributes}; take them out here")

    def _section(self, run: _Run, stories: list[Story], writer: markup.Writer) -> Section:
        given = attributes.section(run.attributes, run.line, self.report)
        if not run.title:
            self.report(run.line, "this section has no name; write it behind the #")
        if not stories:
            self.report(run.line, f"section “{run.title}” has no story; add “## Title” under it or take it out")
        return Section(
            id=given.id or slug_from_title(run.title, "section"),
            title=run.title,
            stories=tuple(stories),
            intro=writer.prose(run.body),
            line=run.line,
        )

    def _story(self, run: _Run, writer: markup.Writer) -> Story:
        given = attributes.story(run.attributes, run.line, self.report)
        if not run.title:
            self.report(run.line, "this story has no title; write it behind the ##")
        for topic in given.topics:
            if topic not in self.config.interests:
                self.report(run.line, f"unknown topic “{topic}”. {nearest(topic, self.config.interests)}")
        picture, body = self._leading_picture(run.body, writer)
        link, body = self._closing_link(body, writer)
        return Story(
            id=given.id or slug_from_title(run.title, "story"),
            title=run.title,
            body=writer.prose(body),
            topics=self.config.topic_order(set(given.topics)),
            picture=picture,
            link=link,
            event=given.event,
            language=given.language,
            line=run.line,
        )

    def _leading_picture(self, body: list[Token], writer: markup.Writer) -> tuple[Picture | None, list[Token]]:
        """A picture alone in the first paragraph leads the story."""
        if not (len(body) >= 3 and body[0].type == "paragraph_open"):
            return None, body
        children = body[1].children or []
        if [child.type for child in children] != ["image"]:
            return None, body
        source = str(children[0].attrGet("src") or "")
        line = (body[1].map or [0])[0] + 1
        return writer.assets.picture(source, markup.plain(children[0]), line), body[3:]

    def _closing_link(self, body: list[Token], writer: markup.Writer) -> tuple[Link | None, list[Token]]:
        """A `{.button}` link alone in the last paragraph is where the story leads."""
        if not (len(body) >= 3 and body[-3].type == "paragraph_open"):
            return None, body
        children = [child for child in body[-2].children or [] if child.type != "text" or child.content.strip()]
        types = [child.type for child in children]
        if not children or types[0] != "link_open" or types.count("link_open") != 1 or types[-1] != "link_close":
            return None, body
        if "button" not in str(children[0].attrGet("class") or "").split():
            return None, body
        line = (body[-2].map or [0])[0] + 1
        words = markup.plain(body[-2])
        url = writer.assets.link(str(children[0].attrGet("href") or ""), line)
        if not words:
            self.report(line, "this link has no words; write [what it leads to](address){.button}")
        return Link(words, url or ""), body[:-3]

    def _check_unique(self, ids: list[tuple[str, int, str]]) -> None:
        first: dict[str, int] = {}
        for id_, line, what in ids:
            if id_ in first:
                self.report(
                    line,
                    f"two {what} have the id “{id_}”, the other is on line {first[id_]}; "
                    f"give this one another: {{#{id_}-2}}",
                )
            first.setdefault(id_, line)


@dataclass(slots=True)
class _Run:
    """A heading of level 1 or 2 and the blocks up to the next one. Level 0 is what comes before the first."""

    level: int
    title: str = ""
    attributes: str | None = None
    line: int = 0
    body: list[Token] = field(default_factory=list)


def _runs(tokens: Sequence[Token]) -> list[_Run]:
    runs = [_Run(level=0)]
    position = 0
    while position < len(tokens):
        token = tokens[position]
        if token.type == "heading_open" and token.tag in ("h1", "h2") and token.level == 0:
            runs.append(
                _Run(
                    level=int(token.tag[1]),
                    title=markup.plain(tokens[position + 1]),
                    attributes=token.meta.get("attributes"),
                    line=(token.map or [0])[0] + 1,
                )
            )
            position += 3
        else:
            runs[-1].body.append(token)
            position += 1
    return runs


def slug_from_title(title: str, kind: str) -> str:
    """A stable id: the title's ASCII words joined by hyphens, else the kind and a short hash."""
    folded = unicodedata.normalize("NFKD", title).encode("ascii", "ignore").decode("ascii").lower()
    slug = "-".join(re.findall(r"[a-z0-9]+", folded.replace("'", "")))[:60].strip("-")
    return slug or f"{kind}-{hashlib.sha256(title.encode('utf-8')).hexdigest()[:8]}"
