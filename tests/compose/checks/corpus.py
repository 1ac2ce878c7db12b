"""Seeded faults: small newsrooms on disk, each with one fault and beside it without.

    tests/data/checks/MLR024-shortener/
      fault/issue.md          what stands in issues/2019-01/issue.md
      fault/expected.json     [{"id": "MLR024", "line": 14}]; "editions": how many it concerns, 0 (the default) for all;
                              "path": where it stands, when not in issue.md; "story": its id, when it has one. A line of
                              the theme is named by some of its words, since the theme changes: {"line": "<mjml"}
      clean/issue.md          the same without the fault; nothing may be found

Beside an issue.md there may be, each only where the fault needs it:

    mailer.toml         tables laid over the configuration of BASE
    subscribers.csv     instead of the four of subscribers.csv above: no interests, each topic, both
    template.toml       changes to files of templates/enterprises: ["head.css"] add = a rule behind its own, or
                        find = words that stand there once, put = what stands there instead
    template/           files in place of those of templates/enterprises
    earlier/SLUG.md     issues that came before
    dictionary/         of hunspell: spelling is looked at
    spamassassin.txt    the report of SpamAssassin
    pictures.json       {"images/a.png": {"width": 4, "height": 3, "noise": false, "frames": 1}}, drawn for the test;
                        with "cut_out": "#16181d" half of it is of that colour, and half transparent
    answers.json        {"https://example.org/a": {"status": 404}}, what a web server said when it was asked
"""

from __future__ import annotations

import json
import random
import shutil
import tomllib
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from conftest import ROOT, SECRET
from PIL import Image

from mailer import spamassassin
from mailer.audience import segments
from mailer.audience.intake import import_csv
from mailer.compose import checks
from mailer.compose.checks.answers import Answer
from mailer.compose.checks.material import Material
from mailer.errors import InputError
from mailer.models import Finding
from mailer.newsroom import Newsroom
from mailer.web import texts

FOLDER = ROOT / "tests/data/checks"
THEME = ROOT / "templates/enterprises"
SLUG = "2019-01"
SHOWN = f"issues/{SLUG}/issue.md"
BASE = tomllib.loads((FOLDER / "mailer.toml").read_text("utf-8"))


def cases() -> list[Path]:
    """Every folder of a pair."""
    return sorted(path for path in FOLDER.glob("MLR*") if path.is_dir())


def rule_of(case: Path) -> str:
    return case.name.partition("-")[0]


def findings(side: Path) -> list[Finding]:
    """What is found in the newsroom of one side of a pair, as `mailer check` finds it."""
    with TemporaryDirectory() as scratch:
        return _findings(_newsroom(side, Path(scratch) / "newsroom"), _json(side / "answers.json"), side)


def _findings(room: Newsroom, answers: dict[str, dict[str, Any]], side: Path) -> list[Finding]:
    try:
        composition = room.compose(SLUG)
        served = segments.of(composition.issue, room.store.audience)
        material = Material(composition, *served, room.earlier(composition.issue), room.root)
        material.english = texts.untranslated(room.config)
        material.answers = {url: Answer(**said) for url, said in answers.items()}
        material.dictionaries = [path for path in [side / "dictionary"] if path.is_dir()]
        if (side / "spamassassin.txt").exists():
            material.verdict = spamassassin.read((side / "spamassassin.txt").read_text("utf-8"))
        return checks.run(material)
    except InputError as error:
        return checks.mistakes(error.problems)
    finally:
        room.close()


def expected(side: Path) -> list[dict[str, Any]]:
    """What expected.json says, its defaults filled in."""
    path = side / "expected.json"
    given = json.loads(path.read_text("utf-8")) if path.exists() else []
    return [{"path": SHOWN, "line": 0, "editions": 0, "story": ""} | one | _numbered(one, side) for one in given]


def _numbered(one: dict[str, Any], side: Path) -> dict[str, int]:
    """The number of a line that is named by its words, in the theme as changed."""
    if not isinstance(one.get("line"), str):
        return {}
    lines = _changed(side)[one["path"].rpartition("/")[2]].splitlines()
    return {"line": next(number for number, line in enumerate(lines, 1) if one["line"] in line)}


def _changed(side: Path) -> dict[str, str]:
    """The files of the theme that template.toml changes, each as it is then."""
    path = side / "template.toml"
    changes = tomllib.loads(path.read_text("utf-8")) if path.exists() else {}
    files = {}
    for name, change in changes.items():
        theme = (THEME / name).read_text("utf-8")
        if "add" in change:
            files[name] = f"{theme}{change['add']}\n"
            continue
        if (times := theme.count(change["find"])) != 1:
            raise ValueError(f"{path}: “{change['find']}” stands {times} times in {name} of the theme; find one place")
        files[name] = theme.replace(change["find"], change["put"])
    return files


def as_expected(finding: Finding) -> dict[str, Any]:
    """A finding as expected.json has it."""
    return {
        "path": finding.path, "line": finding.line, "editions": len(finding.editions), "story": finding.story,
        "id": finding.id,
    }  # fmt: skip


def _newsroom(side: Path, folder: Path) -> Newsroom:
    folder.mkdir(parents=True)
    home = folder / "issues" / SLUG
    home.mkdir(parents=True)
    shutil.copyfile(side / "issue.md", home / "issue.md")
    for earlier in side.glob("earlier/*.md"):
        (folder / "issues" / earlier.stem).mkdir()
        shutil.copyfile(earlier, folder / "issues" / earlier.stem / "issue.md")
    for name, about in _json(side / "pictures.json").items():
        draw(home / name, **about)
    shutil.copytree(ROOT / "templates", folder / "templates")
    if (side / "template").is_dir():
        shutil.copytree(side / "template", folder / "templates/enterprises", dirs_exist_ok=True)
    for name, content in _changed(side).items():
        (folder / "templates/enterprises" / name).write_text(content, "utf-8")
    (folder / "mailer.toml").write_text(_toml(side), "utf-8")
    room = Newsroom.open(folder, {"MAILER_SECRET_KEY": SECRET})
    people = side / "subscribers.csv" if (side / "subscribers.csv").exists() else FOLDER / "subscribers.csv"
    chosen = {topic for row in people.read_text("utf-8").split()[1:] for topic in row.split(",")[-1].split(";")}
    once = room.config.model_copy(update={"interests": {topic: topic for topic in chosen if topic}})  # topics may go
    import_csv(people, people.name, room.store.audience, once, room.tokens, "2019-01-01T00:00:00Z")
    return room


def _json(path: Path) -> dict[str, Any]:
    return dict(json.loads(path.read_text("utf-8"))) if path.exists() else {}


def _toml(side: Path) -> str:
    given = tomllib.loads((side / "mailer.toml").read_text("utf-8")) if (side / "mailer.toml").exists() else {}
    tables = {name: BASE.get(name, {}) | given.get(name, {}) for name in [*BASE, *(n for n in given if n not in BASE)]}
    lines = []
    for name, table in tables.items():
        lines += [f"[{name}]", *(f"{key} = {json.dumps(value, ensure_ascii=False)}" for key, value in table.items())]
    return "\n".join(lines) + "\n"


def draw(path: Path, width: int, height: int, noise: bool = False, frames: int = 1, cut_out: str = "") -> None:
    """A picture; with `noise` it has some 3 bytes a pixel as PNG, with `frames` it moves."""
    path.parent.mkdir(exist_ok=True)
    if cut_out:
        logo = Image.new("RGBA", (width, height), (0, 0, 0, 0))
        logo.paste(cut_out, (0, 0, width // 2, height))
        logo.save(path)
        return
    drawn = [_canvas(width, height, noise, number) for number in range(frames)]
    drawn[0].save(path, **({"save_all": True, "append_images": drawn[1:]} if frames > 1 else {}))


@cache
def _canvas(width: int, height: int, noise: bool, seed: int) -> Image.Image:
    if noise:
        return Image.frombytes("RGB", (width, height), random.Random(seed).randbytes(width * height * 3))
    return Image.new("RGB", (width, height), (40 + seed * 60, 90, 120))
