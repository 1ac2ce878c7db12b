"""docs/deploy is what people copy: its commands are ours, and its ports and paths are those of the reader's pages."""

from __future__ import annotations

import configparser
import json
import re
import shlex
import signal
from pathlib import PurePosixPath
from typing import Any

import httpx
import pytest
import typer
from conftest import ROOT
from sending import finish

from mailer.cli.main import app
from mailer.settings import Web
from mailer.web import public

FOLDER = ROOT / "docs/deploy"
NGINX = (FOLDER / "nginx.conf").read_text("utf-8")
CONTAINER = (FOLDER / "Containerfile").read_text("utf-8")
HOST, PORT = Web().host, Web().port


def service() -> dict[str, str]:
    """The section that says what runs, and as whom."""
    unit = configparser.ConfigParser(comment_prefixes=("#",), interpolation=None, strict=False)
    unit.optionxform = str  # type: ignore[method-assign,assignment]
    unit.read(FOLDER / "mailer.service", "utf-8")
    return dict(unit["Service"])


def instruction(name: str) -> list[str]:
    """The words of the container's last ENTRYPOINT or CMD."""
    words: list[str] = json.loads(re.findall(rf"^{name} (\[.*\])$", CONTAINER, re.MULTILINE)[-1])
    return words


UNIT = shlex.split(service()["ExecStart"])
INSIDE = instruction("ENTRYPOINT") + instruction("CMD")


def parsed(words: list[str]) -> dict[str, Any]:
    """The options of a command as it would run with them; a wrong one raises."""
    group = typer.main.get_command(app)
    context = typer.Context(group)
    command = group.get_command(context, words[1])  # type: ignore[attr-defined]
    options: dict[str, Any] = command.make_context(words[1], list(words[2:]), context).params
    return options


@pytest.mark.parametrize(
    ("words", "options"),
    [
        pytest.param(UNIT, {"host": None, "port": None, "log": "json"}, id="systemd"),
        pytest.param(INSIDE, {"host": "0.0.0.0", "port": PORT, "log": "json"}, id="container"),
    ],
)
def test_what_is_started_is_a_command_with_these_options(words, options):
    assert words[:2] == ["/opt/mailer/bin/mailer", "serve"]
    assert parsed(words) == options


@pytest.mark.parametrize("words", [UNIT, INSIDE], ids=["systemd", "container"])
def test_started_so_the_pages_answer_the_question_whether_they_are_well(office, words):
    process = office.start(*words[1:], "--port", "0")  # the last one counts
    port = re.search(r":(\d+)/,", json.loads(process.stderr.readline())["message"])[1]
    assert httpx.get(f"http://127.0.0.1:{port}/healthz", timeout=20).text == "ok\n"
    process.send_signal(signal.SIGTERM)
    assert finish(process).code == 0


def test_the_unit_may_write_where_a_newsroom_in_its_folder_keeps_its_readers(newsroom):
    home = PurePosixPath(service()["WorkingDirectory"])
    assert service()["ReadWritePaths"] == str((home / newsroom.config.store.url.removeprefix("sqlite:")).parent)


def test_nginx_hands_on_to_where_the_unit_listens():
    assert parsed(UNIT)["host"] is parsed(UNIT)["port"] is None  # so they are the configuration's
    assert set(re.findall(r"proxy_pass (\S+);", NGINX)) == {f"http://{HOST}:{PORT}"}


def test_nginx_hands_on_every_page_but_the_figures():
    pages = {route.path for route in public.ROUTES}
    server, _, below = NGINX.partition("# Below another site")
    handed_on = re.findall(r"location (?:= )?(\S+) \{\s*(proxy_pass|return 404)", server)
    assert handed_on == [("/", "proxy_pass"), ("/metrics", "return 404")]
    assert re.findall(r"location (?:= )?/newsletter(\S+) \{\s*(?:#\s*)?(proxy_pass|return 404)", below) == handed_on
    assert "/metrics" in pages


def test_the_containers_ports_are_one_and_its_health_is_a_page():
    asked = re.search(r"urlopen\('http://127\.0\.0\.1:(\d+)(/\w+)'", CONTAINER)
    pages = {route.path for route in public.ROUTES}
    assert (int(asked[1]), asked[2] in pages) == (PORT, True)
    assert re.findall(r"^EXPOSE (\d+)$", CONTAINER, re.MULTILINE) == [str(PORT)]
    assert re.findall(r"-p 127\.0\.0\.1:(\d+):(\d+)", CONTAINER) == [(str(PORT), str(PORT))]


def test_the_guide_asks_the_same_port():
    guide = (FOLDER / "README.md").read_text("utf-8")
    assert set(re.findall(r"\b127\.0\.0\.1:(\d+)", guide)) == {str(PORT)}
