"""The rooms of the house: imports point down, and every library has one home."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "mailer"

# Floors from the ground up. A module may import from floors below its own, and from its own room.
FLOORS = [
    {"models", "errors", "times", "values", "settings", "config", "tokens", "__init__"},
    {"compose", "store"},
    {"audience"},  # `deliver -> audience` is allowed (whom to send to), so audience lies one step lower
    {"deliver"},
    {"newsroom", "spamassassin"},
    {"web"},
    {"cli"},  # `preview` and `serve` open the web's doors, so that room lies one step lower
    {"__main__"},
]
HOMES = {
    "mjml": {"compose/page.py"},
    "premailer": {"compose/page.py"},
    "jinja2": {"compose/theme.py", "cli/gallery.py", "web"},
    "markupsafe": {"compose/theme.py", "compose/marks.py", "web"},
    "cssutils": {"compose/page.py"},
    "nh3": {"compose/rawhtml.py"},
    "markdown_it": {
        "compose/checks/passages.py",
        "compose/markup.py",
        "compose/outline.py",
        "compose/plaintext.py",
        "compose/reading.py",
        "compose/source.py",
        "compose/drafting/spans.py",
        "compose/drafting/text.py",
    },
    "mdit_py_plugins": {"compose/markup.py"},
    "ruamel": {"compose/frontmatter.py"},
    "PIL": {"compose/pictures.py"},
    "mammoth": {"compose/drafting/word.py"},
    "lxml": {"compose/drafting/html.py"},
    "spylls": {"compose/dictionary.py"},
    "babel": {"compose/dates.py", "compose/mentions.py", "compose/scripts.py", "web/texts.py"},
    "wcwidth": {"compose/plaintext.py"},
    "itsdangerous": {"tokens.py"},
    "pydantic": {"values.py", "settings.py", "config.py", "compose/snapshot.py"},
    "email_validator": {"values.py", "settings.py", "audience/addresses.py", "compose/headers.py"},
    "sqlite_utils": {"store/sqlite.py", "store/schema.py"},
    "sqlite3": {"store/sqlite.py"},
    "aiosmtplib": {"deliver/session.py"},
    "cryptography": {"deliver/signingkeys.py"},
    "aiosmtpd": {"deliver/mailserver.py"},
    "httpx": {"cli/online.py"},
    "uvloop": {"cli/loop.py"},
    "starlette": {"web"},
    "icalendar": {"web/calendar.py"},
    "httptools": {"web"},  # uvicorn's parser
    "uvicorn": {"web"},
    "python_multipart": {"web"},
    "typer": {"cli"},
    "click": {"cli"},
    "rich": {"cli"},
}
MODULES = sorted(path.relative_to(PACKAGE).as_posix() for path in PACKAGE.rglob("*.py") if "sample" not in path.parts)


def imports(module: str) -> set[str]:
    """Every dotted name a module imports, also inside functions."""
    names: set[str] = set()
    for node in ast.walk(ast.parse((PACKAGE / module).read_text("utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return names


def room(module: str) -> str:
    return module.partition("/")[0].removesuffix(".py")


def floor(name: str) -> int:
    return next(number for number, rooms in enumerate(FLOORS) if name in rooms)


@pytest.mark.parametrize("module", MODULES)
def test_imports_point_down(module):
    for name in imports(module):
        if not name.startswith("mailer."):
            continue
        target = name.split(".")[1]
        if target in ("__version__", room(module)):
            continue
        words = target in FLOORS[0] and room(module) in FLOORS[0]  # the ground floor is one room
        assert words or floor(target) < floor(room(module)), f"{module} imports {name}"


@pytest.mark.parametrize("module", MODULES)
def test_a_library_has_one_home(module):
    for name in imports(module):
        homes = HOMES.get(name.partition(".")[0])
        assert homes is None or module in homes or room(module) in homes, f"{module} imports {name}"


def test_every_dependency_has_a_home_listed():
    """A new library is given a place on purpose."""
    import tomllib

    project = tomllib.loads((PACKAGE.parent / "pyproject.toml").read_text("utf-8"))["project"]
    names = {dependency.split(">")[0].split(";")[0].strip() for dependency in project["dependencies"]}
    imported = {"mjml-python": "mjml", "markdown-it-py": "markdown_it", "mdit-py-plugins": "mdit_py_plugins",
                "ruamel.yaml": "ruamel", "pillow": "PIL", "email-validator": "email_validator",
                "sqlite-utils": "sqlite_utils", "python-multipart": "python_multipart"}  # fmt: skip
    assert {imported.get(name, name) for name in names} <= set(HOMES)
