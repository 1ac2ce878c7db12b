"""Documentation that fails the build: what the command and the configuration know, the README says."""

from __future__ import annotations

import re

import pytest
import typer
from conftest import ROOT

from mailer.cli.main import app
from mailer.models import DeliveryState, SubscriberState
from mailer.settings import Checks, Config, Dkim, Newsletter, Retention, Smtp, Store

README = (ROOT / "README.md").read_text("utf-8")
COMMANDS = typer.main.get_command(app).commands  # type: ignore[attr-defined]


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_every_command_is_in_the_readme_and_has_help(name):
    assert re.search(rf"\bmailer {name}\b", README)
    assert COMMANDS[name].help


@pytest.mark.parametrize("name", sorted(COMMANDS["subscribers"].commands))
def test_every_subscribers_command_is_in_the_readme_and_has_help(name):
    assert re.search(rf"`(mailer subscribers )?{name}\b", README)
    assert COMMANDS["subscribers"].commands[name].help


@pytest.mark.parametrize("option", sorted({o for p in COMMANDS["send"].params for o in p.opts if o.startswith("--")}))
def test_every_option_of_send_is_in_the_readme(option):
    assert option in README


@pytest.mark.parametrize(
    "table", [Config, Checks, Newsletter, Dkim, Smtp, Store, Retention], ids=lambda table: table.__name__
)
def test_every_key_of_the_configuration_is_in_the_readme(table):
    example = README[README.index("## Configuration") :]
    for key in table.model_fields:
        assert re.search(rf"(?m)^(\[{key}\]|\[\[(\w+\.)*{key}\]\]|{key} =)", example), key


@pytest.mark.parametrize("state", sorted(set(DeliveryState) - {DeliveryState.CLAIMED}))
def test_every_state_of_the_send_log_is_in_the_readme(state):
    assert f"| {state} |" in README


@pytest.mark.parametrize("state", sorted(SubscriberState))
def test_every_state_of_a_subscriber_is_in_the_readme(state):
    assert f"| {state} |" in README


@pytest.mark.parametrize("name", ["consent show", "consent verify", "keys rotate", "keys dkim"])
def test_every_command_about_consent_is_in_the_readme_and_has_help(name):
    group, _, command = name.partition(" ")
    assert f"`mailer {name}" in README
    assert COMMANDS[group].commands[command].help


def test_the_pictures_of_the_readme_are_there_and_have_alt_text():
    pictures = re.findall(r'<img src="([^"]+)"[^>]* alt="([^"]+)"', README)
    assert len(pictures) == README.count("<img ") >= 2
    for source, alt in pictures:
        assert (ROOT / source).is_file()
        assert len(alt) > 10
