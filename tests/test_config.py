"""The configuration: where it is read from, and every mistake in it at once, each with its line."""

from __future__ import annotations

import errno
import os
import re
from datetime import timedelta
from pathlib import Path

import pytest
from conftest import ROOT

from mailer.config import home, key_ring, load, relay
from mailer.errors import ConfigError
from mailer.settings import Config

TOML = """\
[newsletter]
name = "Enterprises Newsletter"
sender = "Enterprises <newsletter@example.org>"
list_id = "enterprises.example.org"
public_url = "https://newsletter.example.org"
postal_address = "4 route des Morillons, Geneva"

[interests]
green-jobs = "Green jobs"
cooperatives = "Cooperatives"

[smtp]
url = "smtp://127.0.0.1:1025"

[store]
url = "sqlite:subscribers/mailer.db"
"""


def write(folder: Path, text: str | bytes, name: str = "mailer.toml") -> Path:
    (folder / name).write_bytes(text if isinstance(text, bytes) else text.encode("utf-8"))
    return folder


def mistakes(folder: Path, env: dict[str, str] | None = None) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        load(folder, env or {})
    return [str(problem) for problem in caught.value.problems]


def changed(old: str, new: str) -> str:
    assert old in TOML
    return TOML.replace(old, new)


def in_pyproject(text: str) -> str:
    return '[project]\nname = "x"\n\n' + re.sub(r"(?m)^(\[+)", r"\1tool.mailer.", text)


def test_mailer_toml_and_pyproject_give_the_same_configuration(tmp_path):
    (tmp_path / "one").mkdir()
    (tmp_path / "two").mkdir()
    one = load(write(tmp_path / "one", TOML), {})
    two = load(write(tmp_path / "two", in_pyproject(TOML), "pyproject.toml"), {})
    assert one == two
    assert (one.newsletter.name, list(one.interests)) == ("Enterprises Newsletter", ["green-jobs", "cooperatives"])


def test_mailer_toml_comes_before_pyproject(tmp_path):
    write(tmp_path, in_pyproject(TOML), "pyproject.toml")
    write(tmp_path, changed("Enterprises Newsletter", "Own"))
    assert load(tmp_path, {}).newsletter.name == "Own"


def test_this_repository_is_a_newsroom():
    config = load(ROOT, {})
    assert list(config.interests) == ["cooperatives", "green-jobs", "mne-declaration", "social-finance"]
    assert config.smtp.retry == tuple(timedelta(minutes=minutes) for minutes in (5, 30, 120, 360, 720))


def test_what_is_left_out_has_a_value(tmp_path):
    config = load(write(tmp_path, TOML.partition("[smtp]")[0]), {})
    assert (config.smtp.url, config.smtp.connections, config.store.url) == (
        "smtp://127.0.0.1:1025", 4, "sqlite:subscribers/mailer.db")  # fmt: skip
    assert (config.newsletter.language, config.newsletter.template, config.newsletter.images) == (
        "en", "enterprises", "link")  # fmt: skip
    assert config.smtp.timeout == timedelta(minutes=10)  # RFC 5321 section 4.5.3.2.6


def test_a_byte_order_mark_is_no_mistake(tmp_path):
    assert isinstance(load(write(tmp_path, "\ufeff" + TOML), {}), Config)


@pytest.mark.parametrize(
    "text",
    [None, "[project]\nname = 'x'\n", "[tool.mailer-other]\nx = 1\n", "# [tool.mailer]\n"],
    ids=["no-file", "no-table", "another-table", "a-comment"],
)
def test_where_there_is_no_newsroom_it_is_said(tmp_path, text):
    if text:
        write(tmp_path, text, "pyproject.toml")
    assert mistakes(tmp_path) == [
        f"{tmp_path}: is no newsroom: it has neither a mailer.toml nor a [tool.mailer] in pyproject.toml. "
        "Go into a newsroom, name one with -C, or make one with: mailer init DIR"
    ]


ADDRESS = "must be an address such as Name <office@example.org>"
WEB = "must be an address such as https://newsletter.example.org"
TIME = "must be a time such as 30s, 5m, 2h or 1d"
RELAY = "must be an address such as smtp://mail.example.org:25"
SENDER = 'sender = "Enterprises <newsletter@example.org>"'
PUBLIC = 'public_url = "https://newsletter.example.org"'


WRONG = [
    ("[smtp]", "[smpt]", '12: unknown key “smpt”. Did you mean “smtp”?'),
    ('url = "smtp:', 'colour = 1\nurl = "smtp:',
     "13: unknown key “smtp.colour”. Known are: url, connections, limits, messages_per_connection, relays, domains, "
     "warmup, retry, timeout."),
    ('name = "Enterprises Newsletter"\n', "", "1: “newsletter.name” is missing"),
    ('name = "Enterprises Newsletter"', 'name = ""', "2: “newsletter.name” must be one line of text"),
    ('name = "Enterprises Newsletter"', r'name = "A\r\nBcc: b"', "2: “newsletter.name” must be one line of text"),
    ('name = "Enterprises Newsletter"', "name = 3", "2: “newsletter.name” must be text between quotes"),
    (SENDER, 'sender = "Enterprises"',
     "3: “newsletter.sender” holds no valid address: An email address must have an @-sign."),
    (SENDER, r'sender = "E\r\nBcc: x <a@example.org>"', f"3: “newsletter.sender” {ADDRESS}"),
    (SENDER, 'sender = "E <a@b@example.org>"', f"3: “newsletter.sender” {ADDRESS}"),
    (SENDER, 'sender = "E <a..b@example.org>"',
     "3: “newsletter.sender” holds no valid address: An email address cannot have two periods in a row."),
    ('"enterprises.example.org"', '"<news>"', "4: “newsletter.list_id” must be a name such as news.example.org"),
    (PUBLIC, 'public_url = "newsletter.example.org"', f"5: “newsletter.public_url” {WEB}"),
    (PUBLIC, 'public_url = "ftp://example.org"', f"5: “newsletter.public_url” {WEB}"),
    (PUBLIC, 'public_url = "https://"', f"5: “newsletter.public_url” {WEB}"),
    (PUBLIC, 'public_url = "https://exa mple.org"', f"5: “newsletter.public_url” {WEB}"),
    (PUBLIC, 'public_url = "https://example.org:port"', f"5: “newsletter.public_url” {WEB}"),
    (PUBLIC, 'public_url = "https://[::1"', f"5: “newsletter.public_url” {WEB}"),
    (PUBLIC, 'public_url = "https://u:p@example.org"', f"5: “newsletter.public_url” {WEB}"),
    (PUBLIC, 'public_url = "https://example.org/?a=b"', f"5: “newsletter.public_url” {WEB}"),
    (PUBLIC, 'public_url = "https://example.org/<x>"', f"5: “newsletter.public_url” {WEB}"),
    ("[newsletter]", '[newsletter]\nlanguage = "English"',
     "2: “newsletter.language” must be a language tag such as en, fr or pt-BR"),
    ("[newsletter]", '[newsletter]\nlanguages = ["fr", "Spanish"]',
     "2: “newsletter.languages” must be a language tag such as en, fr or pt-BR"),
    ("[newsletter]", '[newsletter]\ntemplate = "../x"',
     "2: “newsletter.template” must be a word of small letters, digits and single hyphens"),
    ("[newsletter]", '[newsletter]\nimages = "attach"', "2: “newsletter.images” must be 'link' or 'embed'"),
    ("green-jobs =", '"Green jobs" =',
     "9: “interests.Green jobs” must be a word of small letters, digits and single hyphens"),
    ('green-jobs = "Green jobs"', "green-jobs = 1", "9: “interests.green-jobs” must be text between quotes"),
    ('green-jobs = "Green jobs"\ncooperatives = "Cooperatives"\n', "",
     "8: “interests” must name at least one"),
    ('url = "smtp://127.0.0.1:1025"', 'url = "mail.example.org"', f"13: “smtp.url” {RELAY}"),
    ('url = "smtp://127.0.0.1:1025"', 'url = "smtp://"', f"13: “smtp.url” {RELAY}"),
    ('url = "smtp://127.0.0.1:1025"', 'url = "smtp://h:99999"', f"13: “smtp.url” {RELAY}"),
    ('url = "smtp://127.0.0.1:1025"', 'url = "http://h"',
     "13: “smtp.url” must begin with smtp://, smtp+starttls:// or smtps://"),
    ('url = "smtp://127.0.0.1:1025"', 'url = "smtp://h/x"', "13: “smtp.url” must end after the host and its port"),
    ("[smtp]", "[smtp]\nconnections = 0", "13: “smtp.connections” must be greater than or equal to 1"),
    ("[smtp]", '[smtp]\nconnections = "many"',
     "13: “smtp.connections” must be a whole number"),
    ("[smtp]", '[smtp]\nretry = ["5m", "soon"]', f"13: “smtp.retry” {TIME}"),
    ("[smtp]", '[smtp]\nretry = ["-5m"]', f"13: “smtp.retry” {TIME}"),
    ("[smtp]", "[smtp]\nretry = [-5]", f"13: “smtp.retry” {TIME}"),
    ("[smtp]", "[smtp]\nretry = [nan]", f"13: “smtp.retry” {TIME}"),
    ("[smtp]", "[smtp]\ntimeout = true", f"13: “smtp.timeout” {TIME}"),
    ("[smtp]", "[smtp]\ntimeout = 07:32:00", f"13: “smtp.timeout” {TIME}"),
    ("[smtp]", '[smtp]\ntimeout = "99999999999999999999d"', f"13: “smtp.timeout” {TIME}"),
    ("[smtp]", '[smtp]\ntimeout = "0s"', "13: “smtp.timeout” must be longer than nothing"),
    ('"sqlite:subscribers/mailer.db"', '"postgres://x"',
     "16: “store.url” must be sqlite: and a file, such as sqlite:subscribers/mailer.db"),
    ('"sqlite:subscribers/mailer.db"', '"sqlite:"',
     "16: “store.url” must be sqlite: and a file, such as sqlite:subscribers/mailer.db"),
    ('[store]\nurl = "sqlite:subscribers/mailer.db"', "[[store]]\nurl = 3", "15: “store” must be a table"),
]  # fmt: skip


@pytest.mark.parametrize(("old", "new", "problem"), WRONG, ids=[new for _, new, _ in WRONG])
@pytest.mark.parametrize("name", ["mailer.toml", "pyproject.toml"])
def test_a_mistake_is_named_with_its_line(tmp_path, name, old, new, problem):
    text = changed(old, new)
    line, _, what = problem.partition(": ")
    if name == "pyproject.toml":
        text, line = in_pyproject(text), str(int(line) + 3)
    assert mistakes(write(tmp_path, text, name)) == [f"{name}:{line}: {what}"]


BROKEN = [
    ('[newsletter]', "smtp.connections = 0\n[newsletter]",
     "13: Cannot declare ('smtp',) twice"),
    ('[smtp]\nurl = "smtp://127.0.0.1:1025"', "[smtp]\nurl = smtp", "13: Invalid value"),
    ('url = "sqlite:subscribers/mailer.db"\n', "url = '", "16: Expected \"'\""),
]  # fmt: skip


@pytest.mark.parametrize(("old", "new", "problem"), BROKEN, ids=["twice", "no-value", "open-quote"])
def test_what_is_not_toml_is_named_with_its_line(tmp_path, old, new, problem):
    line, _, what = problem.partition(": ")
    assert mistakes(write(tmp_path, changed(old, new))) == [f"mailer.toml:{line}: is not valid TOML: {what}"]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (f"\nx = {'9' * 5000}", "mailer.toml:2: holds a number of too many digits"),
        (f"x = {'[' * 20_000}", "mailer.toml: is nested too deep"),
    ],
    ids=["digits", "lists in lists"],
)
def test_what_the_reader_of_toml_gives_up_on_is_a_sentence(tmp_path, text, problem):
    assert mistakes(write(tmp_path, text)) == [problem]


def test_a_project_whose_tool_is_a_list_is_no_crash(tmp_path):
    text = "[[tool]]\n[tool.mailer]\n"
    assert mistakes(write(tmp_path, text, "pyproject.toml")) == ["pyproject.toml:2: tool.mailer must be a table"]


def test_a_key_with_a_line_break_is_told_on_one_line(tmp_path):
    text = changed("green-jobs =", '"green\\njobs" =')
    slug = "must be a word of small letters, digits and single hyphens"
    assert mistakes(write(tmp_path, text)) == [f"mailer.toml:8: “interests.green jobs” {slug}"]


@pytest.mark.parametrize("content", [b"\xff", b"x = ["], ids=["not UTF-8", "not TOML"])
def test_a_newsroom_with_a_mistake_is_still_the_one_that_is_meant(tmp_path, content):
    inner = write(tmp_path, TOML) / "inner"
    inner.mkdir()
    (inner / "mailer.toml").write_bytes(content)
    assert home(inner) == inner


@pytest.mark.parametrize(
    ("value", "told"), [(" \n", "holds no key, only blanks"), ("\udcff", "is not UTF-8")], ids=["blank", "bytes"]
)
def test_a_secret_key_that_is_none_is_a_sentence(tmp_path, value, told):
    with pytest.raises(ConfigError) as caught:
        key_ring(tmp_path, {"MAILER_SECRET_KEY": value})
    assert str(caught.value) == f"MAILER_SECRET_KEY: {told}"


def test_every_mistake_is_named_at_once_in_the_order_of_the_file(tmp_path):
    text = TOML.replace("name =", "nam =").replace("smtp://127", "smpt://127").replace("green-jobs", "Green-Jobs")
    slug = "must be a word of small letters, digits and single hyphens"
    assert mistakes(write(tmp_path, text.replace("list_id", "# list_id"))) == [
        "mailer.toml:1: “newsletter.name” is missing",
        "mailer.toml:1: “newsletter.list_id” is missing",
        "mailer.toml:2: unknown key “newsletter.nam”. Did you mean “name”?",
        f"mailer.toml:9: “interests.Green-Jobs” {slug}",
        "mailer.toml:13: “smtp.url” must begin with smtp://, smtp+starttls:// or smtps://",
    ]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", ["mailer.toml:1: “newsletter” is missing", "mailer.toml:1: “interests” is missing"]),
        (TOML + "\n[store.x]\ny = 1\n", ["mailer.toml:18: unknown key “store.x”. Known are: url."]),
        ('smtp.connections = 0\nsmtp."retry" = 3\n' + TOML.replace('[smtp]\nurl = "smtp://127.0.0.1:1025"', ""),
         ["mailer.toml:1: “smtp.connections” must be greater than or equal to 1",
          "mailer.toml:2: “smtp.retry” must be a list"]),
        (TOML.replace('[smtp]\nurl = "smtp://127.0.0.1:1025"', "[ 'smtp' ] # relay\n  connections=0"),
         ["mailer.toml:13: “smtp.connections” must be greater than or equal to 1"]),
        ("smtp = { connections = 0 }\n" + TOML.replace('[smtp]\nurl = "smtp://127.0.0.1:1025"', ""),
         ["mailer.toml:1: “smtp.connections” must be greater than or equal to 1"]),
        (TOML.encode().replace(b"Geneva", b"Gen\xe8ve"), ["mailer.toml:6: is not UTF-8; save it as UTF-8"]),
    ],
    ids=["empty", "table-in-a-table", "dotted-keys", "blanks-and-quotes", "inline-table", "latin-1"],
)  # fmt: skip
def test_lines_are_found_however_toml_is_written(tmp_path, text, problem):
    assert mistakes(write(tmp_path, text)) == problem


def test_a_configuration_that_cannot_be_read_is_named(tmp_path):
    (tmp_path / "mailer.toml").symlink_to("/proc/self/mem")  # opens, but gives an error to every reader, even root
    if not (tmp_path / "mailer.toml").is_file():
        pytest.skip("no such file here")
    assert mistakes(tmp_path) == [f"mailer.toml: cannot be read: {os.strerror(errno.EIO)}"]


@pytest.mark.parametrize(
    ("written", "meant"),
    [("30s", 30), ("5m", 300), ("2h", 7200), ("1d", 86400), (" 5 m ", 300), (90, 90), (0.5, 0.5)],
)
def test_times_are_written_with_a_unit_or_in_seconds(tmp_path, written, meant):
    value = f'"{written}"' if isinstance(written, str) else written
    config = load(write(tmp_path, changed("[smtp]", f"[smtp]\nretry = [{value}]")), {})
    assert config.smtp.retry == (timedelta(seconds=meant),)


def test_the_environment_overrides_the_file(tmp_path):
    env = {
        "MAILER_SMTP_URL": "smtps://Ann%40example.org@mail.example.org",
        "MAILER_STORE_URL": "sqlite:other.db",
        "MAILER_PUBLIC_URL": "https://other.example.org/news/",
    }
    config = load(write(tmp_path, TOML), env)
    assert (config.smtp.url, config.store.url, config.newsletter.public_url) == (
        env["MAILER_SMTP_URL"], "sqlite:other.db", "https://other.example.org/news")  # fmt: skip
    assert str(relay(config, env)) == "smtps://Ann@example.org@mail.example.org:465"


def test_the_environment_gives_what_the_file_leaves_out(tmp_path):
    text = TOML.partition("[smtp]")[0].replace(PUBLIC + "\n", "")
    env = {
        "MAILER_SMTP_URL": "smtp://mail.example.org",
        "MAILER_PUBLIC_URL": "https://example.org",
        "MAILER_STORE_URL": "",
    }
    config = load(write(tmp_path, text), env)
    assert (config.smtp.url, config.newsletter.public_url) == ("smtp://mail.example.org", "https://example.org")
    assert config.store.url == "sqlite:subscribers/mailer.db"


def test_a_mistake_in_the_environment_is_named_by_its_variable(tmp_path):
    env = {"MAILER_SMTP_URL": "mail.example.org", "MAILER_PUBLIC_URL": "x", "MAILER_STORE_URL": "x"}
    assert mistakes(write(tmp_path, changed("name =", "nam =")), env) == [
        "mailer.toml:1: “newsletter.name” is missing",
        "mailer.toml:2: unknown key “newsletter.nam”. Did you mean “name”?",
        f"MAILER_PUBLIC_URL: {WEB}",
        f"MAILER_SMTP_URL: {RELAY}",
        "MAILER_STORE_URL: must be sqlite: and a file, such as sqlite:subscribers/mailer.db",
    ]


def test_an_override_of_a_table_that_is_none_does_not_hide_it(tmp_path):
    text = "smtp = 3\n" + TOML.replace('[smtp]\nurl = "smtp://127.0.0.1:1025"', "")
    assert mistakes(write(tmp_path, text), {"MAILER_SMTP_URL": "smtp://h"}) == ["mailer.toml:1: “smtp” must be a table"]


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("smtp://mail.example.org", "smtp://mail.example.org:25"),
        ("smtp+starttls://mail.example.org/", "smtp+starttls://mail.example.org:587"),
        ("smtps://ann@mail.example.org", "smtps://ann@mail.example.org:465"),
        ("smtps://ann@mail.example.org:2465", "smtps://ann@mail.example.org:2465"),
    ],
)
def test_a_relay_has_the_port_of_its_kind(tmp_path, url, shown):
    assert str(relay(load(write(tmp_path, TOML), {"MAILER_SMTP_URL": url}), {})) == shown
