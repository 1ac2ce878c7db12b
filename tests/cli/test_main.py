"""The door: exit codes, errors as sentences, nothing else on standard output."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from sending import SLUG, finish
from smtp_relay import Relay

from mailer.cli.main import main


@pytest.mark.parametrize(
    "arguments",
    [
        ["nonsense"],
        ["send"],
        ["send", SLUG, "--limit", "many"],
        ["send", SLUG, "--limit", "-1"],
        ["send", SLUG, "--rate", "-1"],
        ["send", SLUG, "--nonsense"],
        ["log", SLUG, "--format", "xml"],
        ["log", SLUG, "--state", "odd"],
        ["test", SLUG],
        ["subscribers", "nonsense"],
        [],
    ],
    ids=" ".join,
)
def test_wrong_usage_exits_with_2_and_says_what_is_right(office, arguments):
    answer = office.run(*arguments)
    assert answer.code == 2
    assert "Usage: " in answer.out + answer.err
    assert "mistake in mailer" not in answer.err


def test_a_folder_that_is_no_newsroom_says_what_to_do(office, tmp_path):
    office.root = tmp_path / "nowhere"
    answer = office.run("check", SLUG)
    assert (answer.code, answer.out) == (1, "")
    assert "make one with: mailer init DIR" in " ".join(answer.err.split())


def test_a_mistake_of_ours_is_a_sentence_and_a_traceback_only_with_debug(office, monkeypatch):
    def broken(*arguments):
        raise RuntimeError("odd [thing]")

    monkeypatch.setattr("mailer.compose.checks.run", broken)
    plain, debug = office.run("check", SLUG), office.run("--debug", "check", SLUG)
    assert (plain.code, plain.out, debug.code) == (1, "", 1)
    assert plain.err == (
        "This is a mistake in mailer, not in your files: RuntimeError\n"
        "Run it again with --debug before the command, and report what it prints, without addresses.\n"
    )  # what it says may hold a subscriber
    assert debug.err.startswith("Traceback (most recent call last):\n")
    assert debug.err.endswith("RuntimeError: odd [thing]\n")


def test_debug_keeps_the_exit_code(office):
    with Relay({"greeting": "554 No"}) as relay:
        office.use(relay)
        office.subscribe(count=1)
        answer = office.run("--debug", "send", SLUG, "--yes")
    assert answer.code == 4
    assert "mailer.errors.RelayError: " in answer.err


@pytest.mark.parametrize("command", ["status", "stop", "log", "check"])
@pytest.mark.parametrize("name", ["../..", "a/b", "a\nb", "\udcff"])
def test_a_name_that_no_issue_can_have_is_said(office, command, name):
    answer = office.run(command, name)
    told = f"Error: there is no issue {name!a}: its name is that of its folder in issues/, such as 2018-12\n"
    assert (answer.code, answer.err) == (1, told)


def test_a_folder_whose_links_lead_in_a_circle_is_named(office):
    (office.root / "loop").symlink_to("loop")
    answer = office.run("-C", str(office.root / "loop"), "status")
    told = f"Error: {office.root}/loop is no folder: its symbolic links lead in a circle\n"
    assert (answer.code, answer.err) == (1, told)


def test_a_folder_that_is_gone_is_said(office, monkeypatch):
    (office.root / "gone").mkdir()
    monkeypatch.chdir(office.root / "gone")
    (office.root / "gone").rmdir()
    done = subprocess.run([sys.executable, "-m", "mailer", "status"], capture_output=True, text=True, timeout=60)
    told = "Error: the folder you are in is gone; go into a newsroom, or name one with -C\n"
    assert (done.returncode, done.stderr) == (1, told)


def test_a_file_that_cannot_be_used_is_named(office, monkeypatch):
    def refused(*_: object) -> None:
        raise PermissionError(13, "Permission denied", "/srv/[news]/mailer.toml")

    monkeypatch.setattr("mailer.config.load", refused)
    answer = office.run("status")
    assert (answer.code, answer.err) == (1, "Error: /srv/[news]/mailer.toml: Permission denied\n")


def test_a_database_that_is_none_is_named(office):
    path = office.root / "subscribers" / "mailer.db"
    path.parent.mkdir(exist_ok=True)
    path.write_text("This is no database, but a text that is long enough.\n" * 100)
    answer = office.run("status")
    assert (answer.code, answer.out) == (1, "")
    assert str(path) in answer.err.replace("\n", "")


def test_the_module_is_the_command(office):
    answer = finish(office.start("--version"))
    assert (answer.code, answer.out.split()[0], answer.err) == (0, "mailer", "")


@pytest.mark.parametrize("command", ["check", "editions", "status", "log", "explain"])
def test_what_is_piped_fits_in_80_columns(office, command):
    with Relay({"content": "550 5.7.1 " + "a very long reply that says a lot " * 9}) as relay:
        office.use(relay)
        long = "a.rather.long.name.for.a.person.with.many.names@department.of.statistics.example.org"
        office.subscribe(long, coops="cooperatives", green="green-jobs")
        office.run("send", SLUG, "--yes")
    extra = [long] if command == "explain" else []
    answer = office.run(command, SLUG, *extra)
    assert answer.code in (0, 1)
    assert max(len(line) for line in answer.out.splitlines()) <= 80


def test_a_reader_that_stops_reading_sees_no_traceback(office):
    office.subscribe(count=40)
    office.plan()
    process = office.start("log", SLUG, "--format", "json")
    process.stdout.close()
    process.stdout = None
    answer = process.stderr.read()
    process.stderr.close()
    process.stderr = None
    process.wait()
    assert "Traceback" not in answer


def test_a_secret_key_is_made_once_and_readable_only_by_its_owner(office, monkeypatch):
    monkeypatch.delenv("MAILER_SECRET_KEY")
    environment = {name: value for name, value in os.environ.items() if name != "MAILER_SECRET_KEY"}
    command = [sys.executable, "-m", "mailer", "-C", str(office.root), "build", SLUG, "--json"]
    subprocess.run(command, env=environment, check=True, capture_output=True)
    path = office.root / "subscribers" / ".secret-key"
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_command_finds_the_newsroom_around_the_folder_it_is_run_in(office, monkeypatch):
    inside = office.root / "issues" / "2019-01"
    monkeypatch.chdir(inside)
    monkeypatch.setattr(sys, "argv", ["mailer", "subscribers", "list", "--json"])
    with pytest.raises(SystemExit) as end:
        main()
    assert end.value.code == 0
