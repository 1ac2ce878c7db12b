"""Composing opens no socket and reads nothing outside the newsroom, whatever an issue or a template holds."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import sysconfig
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from conftest import ROOT, SECRET
from drafts import CONFIG, FRONT, mistakes, read
from small_theme import lay_out

from mailer.compose import page
from mailer.compose.composition import Composition
from mailer.compose.marks import Marks
from mailer.compose.theme import Theme
from mailer.errors import InputError

# Runs in a process of its own: an audit hook cannot be taken off again (PEP 578).
AUDITED = """
import json, sys
import babel.dates  # looks the system's time zone up when imported
opened, sockets = [], []
def hook(event, arguments):
    if event == "open" and isinstance(arguments[0], str):
        opened.append(arguments[0])
    elif event.startswith(("socket.", "subprocess.", "os.system", "os.exec", "os.posix_spawn", "urllib.", "ftplib.")):
        sockets.append(event)
sys.addaudithook(hook)
from pathlib import Path
from mailer.newsroom import Newsroom
composition = Newsroom.open(Path(sys.argv[1]), {"MAILER_SECRET_KEY": "%s"}).compose(sys.argv[2])
for selection in [composition.everything, composition.everything[:3]]:
    composition.html.cut(selection), composition.text.cut(selection), composition.template(selection)
print(json.dumps([opened, sockets]))
"""


def audited(newsroom: Path, slug: str) -> tuple[list[str], list[str]]:
    """The files opened and the sockets and processes begun while an issue is composed."""
    run = subprocess.run(
        [sys.executable, "-W", "error::ResourceWarning", "-c", AUDITED % SECRET, str(newsroom), slug],
        capture_output=True, text=True, check=True, cwd=newsroom,
    )  # fmt: skip
    opened, begun = json.loads(run.stdout)
    return opened, begun


def test_composing_reads_only_the_newsroom_and_opens_no_socket(tmp_path):
    """DESIGN section 3: compose has no socket. Python's own files and the packages are what it runs on."""
    folder = tmp_path / "newsroom"
    folder.mkdir()
    shutil.copyfile(ROOT / "pyproject.toml", folder / "pyproject.toml")
    for name in ("templates", "issues"):
        shutil.copytree(ROOT / name, folder / name)
    opened, begun = audited(folder, "2018-12")
    archives = [path for path in sys.path if path.endswith(".zip")]
    python = [Path(path).resolve() for path in (*sysconfig.get_paths().values(), *archives, ROOT / "mailer")]
    outside = [
        path
        for path in opened
        if not any(Path(path).resolve().is_relative_to(home) for home in (folder.resolve(), *python))
    ]
    assert outside == []
    assert begun == []
    assert str(folder / "issues/2018-12/issue.md") in opened  # the hook does see


class Bait:
    """A web server on this machine that nobody should ever ask."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        bait = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                bait.asked.append(self.path)
                self.send_response(200)
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        self.thread = threading.Thread(target=self.server.serve_forever)
        self.thread.start()

    def close(self) -> None:
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()


@pytest.fixture(scope="module")
def bait() -> Iterator[Bait]:
    """The server, and a proof that it hears."""
    from urllib.request import ProxyHandler, build_opener

    server = Bait()
    build_opener(ProxyHandler({})).open(f"{server.url}/heard").close()
    assert server.asked == ["/heard"]
    server.asked.clear()
    yield server
    server.close()


IMPORT = "@import would fetch a file; copy the rules in"
ADDRESS = "url( may only name an https:// address"
TAG = "this tag has no place in a mail; take it out"
HEAD_ONLY = "cannot be written into a style attribute; move the rule to head.css"
HIDDEN = "“\\” can hide what a rule says; write the character itself"
CSS = {
    "import of a file": ("@import url(file://{secret});", [IMPORT, HEAD_ONLY, ADDRESS]),
    "import from a host": ('@import "{url}/a.css";', [IMPORT, HEAD_ONLY]),
    "import in capitals": ("@IMPORT '{url}/a.css';", [IMPORT, HEAD_ONLY]),
    "import spelled with an escape": ('@\\69mport "{url}/a.css";', [HEAD_ONLY, HIDDEN]),
    "picture from a host": ("h2 {{ background: url({url}/a.png) }}", [ADDRESS]),
    "picture from a file": ("h2 {{ background: url( 'file://{secret}') }}", [ADDRESS]),
    "picture of no scheme": ("h2 {{ background: url(//example.org/a.png) }}", [ADDRESS]),
    "font from a host": ('@font-face {{ font-family: x; src: url("{url}/a.woff") }}', [HEAD_ONLY, ADDRESS]),
    "another character set": ("@charset 'latin-1';", ["@charset has no place in a mail; take it out", HEAD_ONLY]),
    "end of the style": ("</style><script>x</script>", ["“<” would end the style; take it out"]),
    "expression": ("h2 {{ width: expression(alert(1)) }}", ["scripts have no place in a mail"]),
}


@pytest.mark.parametrize("sheet", ["inline.css", "head.css"])
@pytest.mark.parametrize(("rule", "whys"), CSS.values(), ids=CSS)
def test_a_style_sheet_that_points_elsewhere_is_refused_with_its_line(tmp_path, bait, sheet, rule, whys):
    (tmp_path / "secret").write_text("h2 { color: red }")
    old = "h2, h3" if sheet == "inline.css" else "@media"
    bad = rule.format(url=bait.url, secret=tmp_path / "secret")
    folder = lay_out(tmp_path / "t", {sheet: (old, f"{bad}\n{old}")})
    line = 3 if sheet == "inline.css" else 1
    expected = [why for why in whys if sheet == "inline.css" or why != HEAD_ONLY]
    with pytest.raises(InputError) as caught:
        Theme.load(folder, "templates/t")
    assert str(caught.value).split("\n") == [f"templates/t/{sheet}:{line}: {why}" for why in expected]
    assert bait.asked == []


TAGS = {
    "style sheet of a file": ('<mj-raw><link rel="stylesheet" href="file://{secret}"></mj-raw>', [TAG]),
    "style sheet from a host": ('<mj-raw><LINK rel="stylesheet" href="{url}/a.css"></mj-raw>', [TAG]),
    "style": ('<mj-raw><STYLE>@import "{url}/a.css"</STYLE></mj-raw>', [IMPORT, TAG]),
    "mj-style": ('<mj-style>@import "{url}/a.css"</mj-style>', [IMPORT]),
    "mj-font": ('<mj-font name="x" href="{url}/a.css" />', [TAG]),
    "mj-include": ('<mj-include path="{secret}" />', [TAG]),
    "mj-include of style": ('<mj-include path="file://{secret}" type="css" />', [TAG]),
    "script": ('<mj-raw><script src="{url}/a.js"></script></mj-raw>', [TAG]),
    "frame": ('<mj-raw><iframe src="{url}/a"></iframe></mj-raw>', [TAG]),
    "style attribute": ('<mj-raw><p style="background: url({url}/a.png)">x</p></mj-raw>', [ADDRESS]),
}  # fmt: skip


@pytest.mark.parametrize(("tag", "whys"), TAGS.values(), ids=TAGS)
def test_a_tag_that_fetches_is_refused_with_its_line(tmp_path, bait, tag, whys):
    (tmp_path / "secret").write_text("<mj-text>secret</mj-text>")
    bad = tag.format(url=bait.url, secret=tmp_path / "secret")
    folder = lay_out(tmp_path / "t", {"page.mjml.j2": ("    <mj-style>", f"    {bad}\n    <mj-style>")})
    with pytest.raises(InputError) as caught:
        Theme.load(folder, "templates/t")
    assert str(caught.value).split("\n") == [f"templates/t/page.mjml.j2:4: {why}" for why in whys]
    assert bait.asked == []


def test_a_tag_put_together_out_of_parts_is_refused_too(tmp_path, bait):
    tag = f"{{{{ ('<li' ~ 'nk rel=stylesheet href={bait.url}/a.css>') | safe }}}}"
    folder = lay_out(tmp_path / "t", {"page.mjml.j2": ("    <mj-style>", f"    {tag}\n    <mj-style>")})
    with pytest.raises(InputError) as caught:
        Composition.of(read(tmp_path, f"{FRONT}# S\n\n## A\n"), Theme.load(folder, "templates/t"), CONFIG)
    assert str(caught.value) == "templates/t/page.mjml.j2: <link> has no place in a mail; take it out"
    assert bait.asked == []


def test_an_import_hidden_in_a_value_of_theme_toml_is_refused(tmp_path, bait):
    value = ('"Arial, sans-serif"', f"\"Arial; }} @import '{bait.url}/a.css'; p {{ color: red\"")
    folder = lay_out(tmp_path / "t", {"theme.toml": value})
    with pytest.raises(InputError) as caught:
        Composition.of(read(tmp_path, f"{FRONT}# S\n\n## A\n"), Theme.load(folder, "templates/t"), CONFIG)
    assert f"templates/t/inline.css:2: {IMPORT}" in str(caught.value).split("\n")
    assert bait.asked == []


def test_premailer_fetches_nothing_even_when_a_sheet_asks_for_it(tmp_path, bait, monkeypatch):
    """cssutils follows @import, http and file:// alike, even with allow_network=False: the wall behind the rules."""
    secret = tmp_path / "secret.css"
    secret.write_text("h2 { color: #ab12cd }")
    sheet = f"@import '{bait.url}/a.css'; @import url({secret.as_uri()}); h3 {{ color: #123456 }}"
    monkeypatch.setattr(Theme, "inline_css", lambda *_: sheet)
    issue = read(tmp_path, f"{FRONT}# S\n\n## A\n")
    html = page.render(issue, Theme.load(lay_out(tmp_path / "t"), "templates/t"), CONFIG, Marks.of(issue))
    assert bait.asked == []
    assert "#ab12cd" not in html
    assert '<h3 style="color:#123456">A</h3>' in html


def test_what_an_issue_points_to_is_neither_read_nor_fetched(tmp_path, bait):
    (tmp_path / "secret.png").write_bytes(b"x")
    body = (
        f"![a]({bait.url}/a.png) ![b](file://{tmp_path}/secret.png) ![c](../secret.png)\n\n"
        f'<img src="{bait.url}/b.png"><link rel="stylesheet" href="{bait.url}/c.css">\n'
    )
    elsewhere = "is on another host; put the picture into the issue's folder"
    assert mistakes(tmp_path, f"{FRONT}# S\n\n## A\n\n{body}") == [
        f"9: “{bait.url}/a.png” {elsewhere}",
        f"9: “file://{tmp_path}/secret.png” {elsewhere}",
        "9: the picture “../secret.png” lies outside the issue's folder; copy it into 2019-01/",
        "11: raw HTML: <img> is not kept in a mail; write ![what it shows](images/name.png)",
        "11: raw HTML: <link> is not kept in a mail; write it in Markdown or take it out",
    ]
    assert bait.asked == []
