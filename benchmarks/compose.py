"""Composing, measured: sixteen editions of the real issue against npm mjml 5 + juice, and a thousand by cutting.

    python benchmarks/compose.py [--rounds N] [--no-peer] [--quick]

Our side reads issue.md, renders the page once (Jinja2, MJML, premailer) and cuts, all of it anew in every round. The
peer gets the sixteen MJML documents ready-made, and renders and inlines each. What a composer waits for after an edit
is measured in process and, where Chromium is installed, up to the page in the browser.
"""

from __future__ import annotations

import argparse
import itertools
import random
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from html import unescape
from pathlib import Path
from time import perf_counter

import measure
from desk import NoBrowser, saves
from measure import Timing, checked, in_turn, judged, machine
from peer import NoPeer, Peer

from mailer.compose import checks, page
from mailer.compose.composition import Composition, Renewal
from mailer.compose.editions import OUTLOOK_SEAM, MarkedPage, group, restrict, select
from mailer.compose.marks import Marks
from mailer.compose.theme import Theme
from mailer.models import Finding, Issue, Segment, Selection, Severity, Subscriber
from mailer.newsroom import Newsroom

ROOT = Path(__file__).parent.parent
SLUG = "2018-12"
SEED = 2018
WARM_UP = 6  # rounds until Node's compiler has settled

Way = Callable[[], float | None]


def main() -> None:
    options = _options()
    desk = Desk(Newsroom.open(ROOT, {"MAILER_SECRET_KEY": "a key for benchmarks only"}))
    issue = desk.newsroom.issue(SLUG)
    selections = desk.selections(issue)
    print(machine("jinja2", "mjml-python", "premailer", "lxml", "markdown-it-py"))
    with ExitStack() as stack:
        scratch = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        peer: Peer | None = None
        try:
            if options.no_peer:
                raise NoPeer("--no-peer was given")
            documents = [desk.mjml(issue, selection) for selection in selections]
            peer = stack.enter_context(Peer(documents, desk.inline_css(issue), scratch))
            print(f"peer      {peer.versions()}; one warm process")
        except NoPeer as reason:
            print(f"peer      not measured: {reason}")
        distinct = f"{len(set(selections))} distinct editions"
        print(f"issue     {SLUG}: {len(issue.stories)} stories, {len(selections)} choices of interests, {distinct}")
        print(
            f"times     medians of {options.rounds} rounds in turn (fastest to slowest){measure.QUICK * options.quick}"
        )
        warm_up = 1 if options.quick else WARM_UP
        sixteen(desk, selections, peer, options.rounds, warm_up)
        thousand(desk, issue, options.rounds, many=50 if options.quick else 1000, few=3 if options.quick else 30)
        texts(desk, selections, options.rounds, warm_up)
        preview(desk, peer, scratch, options.rounds, warm_up)
        on_the_page(desk, scratch, options.rounds)
        checking(desk, selections, options.rounds)


@dataclass(frozen=True, slots=True)
class Desk:
    """A newsroom, and the steps of composing in it."""

    newsroom: Newsroom

    def selections(self, issue: Issue) -> list[Selection]:
        """What each choice of interests gets; no interest chosen is the whole issue, and stands first."""
        names = list(self.newsroom.config.interests)
        return [
            select(issue, tuple(itertools.compress(names, bits)))
            for bits in itertools.product((0, 1), repeat=len(names))
        ]

    def marked(self, issue: Issue) -> MarkedPage:
        """The page that editions are cut from."""
        marks = Marks.of(issue)
        return MarkedPage.parse(page.render(issue, self._theme(issue), self.newsroom.config, marks), marks, issue)

    def marked_text(self, issue: Issue) -> MarkedPage:
        marks = Marks.of(issue)
        return MarkedPage.parse(self._theme(issue).text(issue, self.newsroom.config, marks), marks, issue)

    def alone(self, issue: Issue, selection: Selection) -> str:
        """The reference: a page rendered from these stories only, with Outlook's comments joined as cutting does."""
        marks = Marks.of(issue, live=False)
        html = page.render(restrict(issue, selection), self._theme(issue), self.newsroom.config, marks)
        return html.replace(OUTLOOK_SEAM, "")

    def text_alone(self, issue: Issue, selection: Selection) -> str:
        marks = Marks.of(issue, live=False)
        return self._theme(issue).text(restrict(issue, selection), self.newsroom.config, marks)

    def mjml(self, issue: Issue, selection: Selection) -> str:
        """What the peer gets."""
        marks = Marks.of(issue, live=False)
        return self._theme(issue).mjml(restrict(issue, selection), self.newsroom.config, marks)

    def inline_css(self, issue: Issue) -> str:
        return self._theme(issue).inline_css(issue, self.newsroom.config)

    def _theme(self, issue: Issue) -> Theme:
        return Theme.load(self.newsroom.root / "templates" / issue.template, f"templates/{issue.template}")


def sixteen(desk: Desk, selections: list[Selection], peer: Peer | None, rounds: int, warm_up: int) -> None:
    """From the issue file to the HTML of every choice of interests."""
    print(f"\n{len(selections)} editions as inlined HTML")
    reading, rendering, cutting = parts = [
        Timing("  of which: reading issue.md and its pictures"),
        Timing("  of which: one marked page (Jinja2, MJML, premailer)"),
        Timing(f"  of which: {len(selections)} cuts"),
    ]

    def ours() -> None:
        began = perf_counter()
        issue = desk.newsroom.issue(SLUG)
        read = perf_counter()
        marked = desk.marked(issue)
        rendered = perf_counter()
        for selection in selections:
            marked.cut(selection)
        reading.seconds.append(read - began)
        rendering.seconds.append(rendered - read)
        cutting.seconds.append(perf_counter() - rendered)

    ways: dict[str, Way] = {"mailer, from the file on": ours}
    every = list(range(len(selections)))
    if peer:
        ways["mjml 5 + juice as they come, on ready-made MJML"] = lambda: peer.render(every)["seconds"]
        own_sheet = "mjml 5 + juice without MJML's own style sheets"
        ways[own_sheet] = lambda: peer.render(every, author_only=True)["seconds"]
    whole, *peers = in_turn(rounds, warm_up, ways)
    for part in parts:
        del part.seconds[:warm_up]
    for timing in (whole, *parts, *peers):
        print(timing.row())
    if peers:
        behind = rendering.median + cutting.median
        # The peer reads no Markdown, so like is compared with like behind the reading; the whole is shown beside it.
        print(judged("composing is", peers[0].median / behind, 20, "times as fast as mjml 5 + juice"))
        print(
            f"     for information: {peers[0].median / whole.median:.1f} times from the file on, Markdown included; "
            f"{peers[1].median / behind:.1f} and {peers[1].median / whole.median:.1f} without MJML's sheets"
        )
    issue = desk.newsroom.issue(SLUG)
    marked = desk.marked(issue)
    equal = sum(marked.cut(selection) == desk.alone(issue, selection) for selection in selections)
    checked(equal == len(selections), f"{equal} of {len(selections)} cuts equal the page rendered alone, byte for byte")
    if peer:
        answer = peer.render(every, pages=True)
        titles = {story.id: story.title for story in issue.stories}
        complete = sum(
            all(_words(titles[story]) in _words(html) for story in selection)
            for selection, html in zip(selections, answer["pages"], strict=True)
        )
        what = f"{complete} of {len(selections)} pages of the peer hold every story title of their selection"
        checked(complete == len(selections) and not answer["errors"], f"{what}; no MJML error")


def thousand(desk: Desk, issue: Issue, rounds: int, *, many: int, few: int) -> None:
    """Random sets of stories: cut from one page, against each rendered alone (a few, scaled up)."""
    print(f"\n{many:,} editions of random stories, from the loaded issue (seed {SEED})")
    chance = random.Random(SEED)
    ids = [story.id for story in issue.stories]
    sets: list[Selection] = []
    while len(sets) < many:
        chosen = set(chance.sample(ids, chance.randint(1, len(ids))))
        sets.append(tuple(story for story in ids if story in chosen))

    def cut() -> None:
        marked = desk.marked(issue)
        for selection in sets:
            marked.cut(selection)

    def alone() -> float:
        began = perf_counter()
        for selection in sets[:few]:
            desk.alone(issue, selection)
        return (perf_counter() - began) * many / few

    by_cutting, each = in_turn(
        rounds,
        1,
        {"rendered once with marks, then cut": cut, f"each rendered alone ({few} measured, scaled up)": alone},
    )
    print(by_cutting.row())
    print(each.row())
    print(judged("cutting is", each.median / by_cutting.median, 40, "times cheaper"))
    marked = desk.marked(issue)
    equal = sum(marked.cut(selection) == desk.alone(issue, selection) for selection in sets[:few])
    checked(equal == few, f"{equal} of {few} cuts equal the page rendered alone, byte for byte")


def texts(desk: Desk, selections: list[Selection], rounds: int, warm_up: int) -> None:
    """The text parts of every choice of interests."""
    print(f"\n{len(selections)} editions as text")

    def ours() -> None:
        issue = desk.newsroom.issue(SLUG)
        marked = desk.marked_text(issue)
        for selection in selections:
            marked.cut(selection)

    [timing] = in_turn(rounds, warm_up, {"mailer, from the file on": ours})
    print(timing.row())
    issue = desk.newsroom.issue(SLUG)
    marked = desk.marked_text(issue)
    equal = sum(marked.cut(selection) == desk.text_alone(issue, selection) for selection in selections)
    checked(equal == len(selections), f"{equal} of {len(selections)} text parts equal the text rendered alone")


def preview(desk: Desk, peer: Peer | None, scratch: Path, rounds: int, warm_up: int) -> None:
    """What a composer waits for after an edit: from the file that was saved to the page, filled, as the desk shows it.

    The peer renders ready-made MJML and reads no Markdown; a story after the other is edited, then the welcome.
    """
    print("\nOne preview after an edit, HTML and text, from the saved file on")
    copy = _copied(desk, scratch / "newsroom")
    file = copy.root / "issues" / SLUG / "issue.md"
    written = file.read_text("utf-8")
    issue = copy.issue(SLUG)
    reader = Subscriber("ann@example.org")
    numbers = itertools.count(1)
    stories = itertools.cycle(story.line for story in issue.stories)

    def filled(composition: Composition) -> tuple[str, str]:
        personal = composition.personaliser(copy.tokens, inert=True).personal(reader)
        everything = composition.everything
        return composition.html_for(everything, personal), composition.text_for(everything, personal)

    def edit(line: int) -> str:
        """Put a paragraph behind a line of the file."""
        words = f"Edit {next(numbers)}."
        rows = written.split("\n")
        file.write_text("\n".join([*rows[:line], "", words, "", *rows[line:]]), "utf-8")
        return words

    shown: list[tuple[str, tuple[str, str]]] = []

    def way(renewal: Renewal | None, lines: Iterator[int]) -> Way:
        def run() -> float:
            line = next(lines)
            edit(line)
            copy.compose(SLUG, renewal)  # what was on the desk before
            words = edit(line)
            began = perf_counter()
            page = filled(copy.compose(SLUG, renewal))
            took = perf_counter() - began
            shown.append((words, page))
            return took

        return run

    welcome = itertools.repeat(written.split("\n").index("---", 1) + 1)
    ways: dict[str, Way] = {
        "mailer: a story was edited": way(Renewal(), stories),
        "mailer: the welcome was edited": way(Renewal(), welcome),
        "mailer: a story was edited, everything rendered anew": way(None, stories),
    }
    if peer:
        ways["mjml 5 + juice: HTML only, on ready-made MJML"] = lambda: peer.render([0])["seconds"]
    timings = in_turn(rounds, warm_up, ways)
    for timing in timings:
        print(timing.row())
    if peer:
        story, frame, _, theirs = (timing.median for timing in timings)
        print(judged("a preview is", theirs / story, 3, "times as fast as mjml 5 + juice"))
        print(
            f"     for information: {theirs / frame:.1f} times after an edit of the welcome, which renders all stories"
        )
    right = sum(all(words in part for part in page) for words, page in shown)
    checked(right == len(shown), "every edit stands in both parts of its page")
    renewal, equal = Renewal(), 0
    for line in (story.line for story in issue.stories):
        edit(line)
        equal += filled(copy.compose(SLUG, renewal)) == filled(copy.compose(SLUG))
    checked(equal == len(issue.stories), f"{equal} of {equal} pages after an edit equal those rendered anew")


def on_the_page(desk: Desk, scratch: Path, rounds: int) -> None:
    """The same through watcher, server and browser; a story after the other is edited."""
    print("\nOne save of issue.md until its words are seen in the browser")
    copy = _copied(desk, scratch / "watched")
    file = copy.root / "issues" / SLUG / "issue.md"
    rows = file.read_text("utf-8").split("\n")
    places = enumerate(itertools.cycle(story.line for story in copy.issue(SLUG).stories), 1)

    def save() -> str:
        number, line = next(places)
        words = f"Save {number}."
        beside = file.with_name("issue.md~")  # as many editors do: written beside, then renamed
        beside.write_text("\n".join([*rows[:line], "", words, "", *rows[line:]]), "utf-8")
        beside.replace(file)
        return words

    try:
        timing = saves(copy, SLUG, save, rounds)
    except NoBrowser as reason:
        print(f"  not measured: {reason}")
        return
    print(timing.row())
    print(judged("a save is on the page in", timing.median * 1000, 300, "ms", at_most=True))
    print(f"     for information: the slowest of {rounds} took {max(timing.seconds) * 1000:.0f} ms")


def _copied(desk: Desk, folder: Path) -> Newsroom:
    """The newsroom with this issue alone, to be written in."""
    for name in ("templates", f"issues/{SLUG}"):
        shutil.copytree(ROOT / name, folder / name)
    shutil.copyfile(ROOT / "pyproject.toml", folder / "pyproject.toml")
    return Newsroom.open(folder, desk.newsroom.env)


def checking(desk: Desk, selections: list[Selection], rounds: int) -> None:
    """`mailer check` in process, from the file on, with a reader for each choice of interests."""
    print(f"\nChecking the issue in {len(set(selections))} editions, from the file on")
    names = list(desk.newsroom.config.interests)
    chosen = itertools.product((0, 1), repeat=len(names))
    segments = [Segment(tuple(itertools.compress(names, bits)), 1) for bits in chosen]
    findings: list[Finding] = []

    def check() -> None:
        room = Newsroom.open(desk.newsroom.root, desk.newsroom.env)
        composition = room.compose(SLUG)
        served = group(composition.issue, segments)
        findings[:] = checks.run(checks.Material(composition, *served, room.earlier(composition.issue), room.root))

    [timing] = in_turn(rounds, 1, {f"mailer: {len(checks.RULES)} rules": check})
    print(timing.row())
    print(judged("half a second holds", 0.5 / timing.median, 1, "checks"))
    checked(all(one.severity is Severity.NOTE for one in findings), "no errors, no warnings")


def _words(html: str) -> str:
    return " ".join(unescape(html).split())


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else "")
    parser.add_argument("--rounds", type=int, default=9, help="rounds of each measurement")
    parser.add_argument("--no-peer", action="store_true", help="measure our side only; nothing is installed")
    parser.add_argument("--quick", action="store_true", help="one small round of everything, to see that it works")
    options = parser.parse_args()
    if options.quick:
        options.rounds = 1
    return options


if __name__ == "__main__":
    main()
