"""An issue, composed: the marked pages, the editions cut from them, and their message templates.

composition = Composition.of(issue, theme, config)     rendered once
composition.template(selection)                        MIME with slots, once per distinct selection
"""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from mailer.compose import assets, page
from mailer.compose.editions import MarkedPage, select
from mailer.compose.marks import Marks
from mailer.compose.message import MessageTemplate, compile_message, fill_page, qp
from mailer.compose.personal import Personal, Personaliser
from mailer.compose.reading import Reading
from mailer.compose.rendering import Rendering
from mailer.compose.theme import Theme
from mailer.errors import InputError
from mailer.models import Issue, Picture, Problem, Selection, Story
from mailer.settings import Config
from mailer.tokens import Tokens

GMAIL_CLIP = 102_400  # bytes of quoted-printable HTML; Gmail hides the rest behind a link (email-bugs #41)


@dataclass(frozen=True, slots=True)
class Renewal:
    """What is kept of an issue by whoever composes it again and again, such as the desk."""

    reading: Reading = field(default_factory=Reading)
    rendering: Rendering = field(default_factory=Rendering)


@dataclass(frozen=True, slots=True)
class Composition:
    """One issue in one template."""

    issue: Issue
    theme: Theme
    config: Config
    marks: Marks
    html: MarkedPage
    text: MarkedPage
    _templates: dict[tuple[Selection, str], MessageTemplate] = field(default_factory=dict)

    @classmethod
    def of(cls, issue: Issue, theme: Theme, config: Config, before: Rendering | None = None) -> Composition:
        """Render both pages; what stands as it stood `before` is taken from there.

        Raises InputError when the template is wrong.
        """
        marks = Marks.of(issue)
        render = before.page if before else page.render
        html, text = render(issue, theme, config, marks), theme.text(issue, config, marks)
        return cls(
            issue, theme, config, marks,
            html=_marked(html, f"{theme.shown}/page.mjml.j2", marks, issue),
            text=_marked(text, f"{theme.shown}/page.txt.j2", marks, issue),
        )  # fmt: skip

    @property
    def everything(self) -> Selection:
        """The selection of a reader who chose no interests: the whole issue."""
        return select(self.issue, ())

    def template(self, selection: Selection, subject: str = "") -> MessageTemplate:
        """The message of an edition, compiled when first asked for."""
        wanted = (selection, subject)
        if wanted not in self._templates:
            self._templates[wanted] = compile_message(
                self.issue, self.html.cut(selection), self.text.cut(selection), self.config, self.marks, subject
            )
        return self._templates[wanted]

    def embedding(self) -> Composition:
        """The same with its pictures inside the mail, for one that goes out before they are published."""
        folder, issue, html = self.issue.path.parent.resolve(), self.issue, self.html
        pictures = []
        for picture in issue.pictures:
            url = assets.embedded(picture.path.relative_to(folder).as_posix(), issue.slug)
            pictures.append(dataclasses.replace(picture, url=url))
            html = html.with_picture(picture.url, url)
        issue = dataclasses.replace(issue, pictures=tuple(pictures))
        return dataclasses.replace(self, issue=issue, html=html, _templates={})

    def embeds(self, selection: Selection) -> bool:
        """Whether pictures travel inside an edition's mail."""
        return 'src="cid:' in self.html.cut(selection)

    def personaliser(self, tokens: Tokens, inert: bool = False) -> Personaliser:
        """Makes the personal values of this issue's readers."""
        words = self.theme.words(self.issue.language)
        return Personaliser(self.issue, self.config, tokens, words["reader"], words["everything"], inert)

    def html_for(self, selection: Selection, personal: Personal) -> str:
        """An edition's HTML with one person's values, as a mail program gets it."""
        return fill_page(self.html.cut(selection), personal, self.marks, html=True)

    def text_for(self, selection: Selection, personal: Personal) -> str:
        """An edition's text part with one person's values."""
        return fill_page(self.text.cut(selection), personal, self.marks, html=False)

    def sizes(self, selection: Selection) -> tuple[int, int]:
        """Bytes of an edition's HTML: in UTF-8, and quoted-printable as mailed."""
        html = self.html.cut(selection)
        return len(html.encode("utf-8")), len(qp(html))

    def fingerprint(self) -> dict[str, str]:
        """What a send is planned from, in parts that can be named when one of them changes."""
        return fingerprint(self.issue, self.theme, self.config)


def fingerprint(issue: Issue, theme: Theme, config: Config) -> dict[str, str]:
    """What a send of this issue is planned from, in parts that can be named when one of them changes."""
    parts: dict[str, object] = {f"story “{story.id}”": _placeless(story) for story in issue.stories}
    parts["the list of stories"] = [(section.id, [story.id for story in section.stories])
                                    for section in issue.sections]  # fmt: skip
    parts["the sections"] = [(section.id, section.title, section.intro) for section in issue.sections]
    parts["the front matter"] = (issue.title, issue.date, issue.subject, issue.preheader, issue.language,
                                 issue.number, issue.template, _pathless(issue.masthead))  # fmt: skip
    parts["the welcome"] = issue.intro
    parts["the newsletter's settings"] = config.newsletter.model_dump()
    parts["the interests"] = list(config.interests.items())
    prints = {name: _digest(repr(part).encode("utf-8", "replace")) for name, part in parts.items()}
    files = (path for path in theme.folder.rglob("*") if path.is_file())
    for path in sorted(path for path in files if not path.name.startswith(".")):  # an editor's leavings
        prints[f"{theme.shown}/{path.relative_to(theme.folder).as_posix()}"] = _digest(path.read_bytes())
    folder = issue.path.parent.resolve()
    for picture in issue.pictures:
        prints[f"picture {picture.path.relative_to(folder).as_posix()}"] = _digest(picture.path.read_bytes())
    return prints


def changes(before: Mapping[str, str], after: Mapping[str, str]) -> list[str]:
    """What differs between two fingerprints, in words."""
    changed = [f"{name} changed" for name in before if name in after and before[name] != after[name]]
    gone = [f"{name} is gone" for name in before if name not in after]
    new = [f"{name} is new" for name in after if name not in before]
    return changed + gone + new


def _marked(rendered: str, shown: str, marks: Marks, issue: Issue) -> MarkedPage:
    try:
        return MarkedPage.parse(rendered, marks, issue)
    except ValueError as error:
        raise InputError([Problem(shown, 0, str(error))]) from None


def _placeless(story: Story) -> Story:
    """A story without its line in the file and its folder: a line written above it does not change it."""
    return dataclasses.replace(story, line=0, picture=_pathless(story.picture))


def _pathless(picture: Picture | None) -> Picture | None:
    """A picture without the newsroom's place on disk; its url names the file."""
    return picture and dataclasses.replace(picture, path=Path())


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:16]
