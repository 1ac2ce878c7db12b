"""issue.md -> Issue, or every mistake in it with file, line and how to mend it (DESIGN section 4)."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from markdown_it.token import Token

from mailer.compose import attributes, markup, outline, topics
from mailer.compose.assets import IssueAssets
from mailer.compose.characters import printable
from mailer.compose.frontmatter import FrontMatter, read_front_matter
from mailer.compose.outline import Run, slug_from_title
from mailer.compose.reading import Part, Passage, Reading
from mailer.errors import InputError
from mailer.models import Issue, Link, Picture, Problem, Prose, Section, Silence, Story
from mailer.settings import Config


def load(path: Path, shown: str, config: Config, before: Reading | None = None) -> Issue:
    """Read and check an issue file; what stands in it as it stood `before` is not read again.

    `shown` is how messages name the file. Raises InputError with every mistake at once.
    """
    reader = _Reader(path, shown, config, before)
    issue = reader.issue()
    if not reader.problems and issue is not None:
        if before:
            before.keep()
        return issue
    if before:  # mistakes are told as they are without it
        return load(path, shown, config)
    raise InputError(sorted(reader.problems, key=lambda problem: problem.line))


@dataclass(slots=True)
class _Reader:
    """One pass over one file. Mistakes gather in `problems`; reading goes on behind each."""

    path: Path
    shown: str
    config: Config
    before: Reading | None
    problems: list[Problem] = field(default_factory=list)

    def report(self, line: int, text: str) -> None:
        one_line = " ".join(text.split())  # a link may hold a line break, written &#10;
        self.problems.append(Problem(self.shown, line, one_line))

    def issue(self) -> Issue | None:
        content = self._content()
        if content is None:
            return None
        assets = IssueAssets(self.path.parent, self.config, self.report)
        passages = self._passages(content, assets)
        parts = [part for passage in passages for part in passage.parts]
        front = next((part for part in parts if isinstance(part, FrontMatter)), FrontMatter())
        intro = next(part for part in parts if isinstance(part, Prose))
        sections = self._sections([part for part in parts if isinstance(part, Section | Story)])
        masthead = None
        if front.masthead:
            masthead = assets.picture(front.masthead, front.masthead_alt or "?", front.lines["masthead"])
        stories = [story for section in sections for story in section.stories]
        outline.check_unique([(story.id, story.line) for story in stories], "stories", self.report)
        outline.check_unique([(section.id, section.line) for section in sections], "sections", self.report)
        within = [picture for passage in passages for picture in passage.pictures]
        pictures = [masthead, *(story.picture for story in stories), *within]
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
            pictures=tuple({picture.url: picture for picture in pictures if picture}.values()),
            silences=self._silences(front, stories),
        )

    def _silences(self, front: FrontMatter, stories: Sequence[Story]) -> tuple[Silence, ...]:
        if not front.silence:
            return ()
        from mailer.compose.checks import silences  # the rules, which few issues ask for by name

        return silences.read(front.silence, [story.id for story in stories], self.report)

    def _content(self) -> str | None:
        try:
            raw = self.path.read_bytes()
        except FileNotFoundError:
            self.report(0, "there is no such file; an issue is a folder in issues/ with an issue.md in it")
            return None
        except OSError as error:
            self.report(0, f"cannot be read: {error.strerror}")
            return None
        raw = raw.removeprefix(b"\xef\xbb\xbf").replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        try:
            content = raw.decode("utf-8")
        except UnicodeDecodeError as error:
            self.report(raw[: error.start].count(b"\n") + 1, "is not UTF-8 here; save the file as UTF-8")
            return None
        if not content.strip():
            self.report(0, "is empty; begin with --- and title:, date:, then # Section and ## Story")
            return None
        return content

    def _passages(self, content: str, assets: IssueAssets) -> list[Passage]:
        text = printable(content)
        if self.before and (passages := self.before.passages(text, self.config, assets, self._passage)):
            return passages
        tokens = markup.parse(text)
        if not (tokens and tokens[0].type == "front_matter"):
            what = "the front matter is missing; the file begins with a line ---, then title: and date:, then ---"
            if content.startswith("---\n"):
                what = "the front matter is never closed; put a line --- behind its last key"
            elif content.lstrip().startswith("---\n"):
                what = "an empty line stands above the front matter; take it out, so that the file begins with ---"
            self.report(1, what)
        return [self._passage(tokens, assets)]

    def _passage(self, tokens: list[Token], assets: markup.Assets) -> Passage:
        """What stands before the first heading is the welcome; between `#` and `##`, a section's introduction."""
        writer = markup.Writer(assets, self.report)
        parts: list[Part] = []
        if tokens and tokens[0].type == "front_matter":
            parts.append(read_front_matter(tokens.pop(0).content, self.config, self.report))
        welcome, *runs = outline.split(tokens, self.report)
        parts.append(writer.prose(welcome.body))
        for run in runs:
            parts.append(self._section(run, writer) if run.level == 1 else self._story(run, writer))
        return Passage(tuple(parts), tuple(writer.pictures))

    def _sections(self, parts: Sequence[Section | Story]) -> list[Section]:
        if not parts:
            self.report(0, "holds no story; a section begins with “# Section”, a story with “## Title”")
        homes: list[tuple[Section, list[Story]]] = []
        for part in parts:
            if isinstance(part, Section):
                homes.append((part, []))
            elif homes:
                homes[-1][1].append(part)
            else:
                self.report(part.line, "this story stands outside a section; put a line “# Section name” before it")
        for section, stories in homes:
            if section.title and not stories:
                what = f"section “{section.title}” has no story; add “## Title” under it or take it out"
                self.report(section.line, what)
        return [replace(section, stories=tuple(stories)) for section, stories in homes]

    def _section(self, run: Run, writer: markup.Writer) -> Section:
        given = attributes.section(run.attributes, run.line, self.report)
        if not run.title:
            self.report(run.line, "this section has no name; write it behind the #")
        return Section(
            id=given.id or slug_from_title(run.title, "section"),
            title=run.title,
            stories=(),
            intro=writer.prose(run.body),
            line=run.line,
        )

    def _story(self, run: Run, writer: markup.Writer) -> Story:
        given = attributes.story(run.attributes, run.line, self.report)
        if not run.title:
            self.report(run.line, "this story has no title; write it behind the ##")
        chosen, mistakes = topics.read(given.topics, given.scattered, self.config)
        for mistake in mistakes:
            self.report(run.line, mistake)
        picture, body = _leading_picture(run.body, writer)
        link, body = _closing_link(body, writer)
        return Story(
            id=given.id or slug_from_title(run.title, "story"),
            title=run.title,
            body=writer.prose(body),
            topics=chosen,
            picture=picture,
            link=link,
            event=given.event,
            language=given.language,
            line=run.line,
        )


def _leading_picture(body: list[Token], writer: markup.Writer) -> tuple[Picture | None, list[Token]]:
    """A picture alone in the first paragraph leads the story."""
    if not (len(body) >= 3 and body[0].type == "paragraph_open"):
        return None, body
    children = body[1].children or []
    if [child.type for child in children] != ["image"]:
        return None, body
    line, image = markup.line_of(body[1]), children[0]
    writer.check_attributes(image, ("src", "alt"), line)
    return writer.assets.picture(str(image.attrGet("src") or ""), markup.plain(image), line), body[3:]


def _closing_link(body: list[Token], writer: markup.Writer) -> tuple[Link | None, list[Token]]:
    """A `{.button}` link alone in the last paragraph is where the story leads."""
    if not (len(body) >= 3 and body[-3].type == "paragraph_open"):
        return None, body
    inline = body[-2]
    children = [child for child in inline.children or [] if child.type != "text" or child.content.strip()]
    types = [child.type for child in children]
    if not children or types[0] != "link_open" or types.count("link_open") != 1 or types[-1] != "link_close":
        return None, body
    opening = children[0]
    if opening.attrGet("class") != "button":
        return None, body
    line, words = markup.line_of(inline), markup.plain(inline)
    writer.check_attributes(opening, ("href", "class"), line)
    url = writer.assets.link(str(opening.attrGet("href") or ""), line)
    if not words:
        writer.report(line, "this link has no words; write [what it leads to](address){.button}")
    return Link(words, url or ""), body[:-3]
