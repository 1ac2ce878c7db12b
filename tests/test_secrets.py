"""Secrets come from the environment or a file it names, are never shown, and the newsroom's key is made once."""

from __future__ import annotations

import copy
import json
import logging
import pickle
import subprocess
import sys
import traceback
from dataclasses import asdict, replace

import pytest
from conftest import ROOT, copy_newsroom

from mailer.config import SECRET_FILE, Relay, Secret, key_ring, load, relay
from mailer.errors import ConfigError

PASSWORD = "correct horse 'battery' %s {staple}"
SHOWN = Relay("mail.example.org", 587, "smtp+starttls", "ann", Secret(PASSWORD))


def fail_with(value):
    raise RuntimeError(f"{value} and {value!r}")


def traceback_of(value):
    try:
        fail_with(value)
    except RuntimeError as error:
        stack = traceback.TracebackException.from_exception(error, capture_locals=True)
        return "".join(stack.format())


@pytest.mark.parametrize(
    "show",
    [repr, str, "{}".format, "{!r:>99}".format, "%s".__mod__, "%r".__mod__, traceback_of, lambda value: str([value]),
     lambda value: logging.makeLogRecord({"msg": "%s", "args": (value,)}).getMessage(),
     lambda value: str(copy.deepcopy(value)), lambda value: json.dumps(value, default=str),
     lambda value: f"{value}"],
    ids=["repr", "str", "format", "format-repr", "percent-s", "percent-r", "traceback-with-locals", "in-a-list", "log",
         "deep-copy", "json-default", "f-string"],
)  # fmt: skip
@pytest.mark.parametrize("value", [Secret(PASSWORD), SHOWN, asdict(SHOWN), ConfigError([])], ids=type)
def test_a_password_is_never_shown(show, value):
    text = show(value)
    assert [word for word in ("correct", "horse", "battery", "staple") if word in text] == []


@pytest.mark.parametrize(
    "leak",
    [json.dumps, pickle.dumps, lambda secret: "" + secret, lambda secret: "".join([secret]), bytes, list, vars,
     lambda secret: secret.encode(), lambda secret: secret[0], lambda secret: secret > ""],
    ids=["json", "pickle", "add", "join", "bytes", "list", "vars", "encode", "index", "compare"],
)  # fmt: skip
def test_what_takes_text_does_not_take_a_secret(leak):
    with pytest.raises((TypeError, AttributeError)) as caught:
        leak(Secret(PASSWORD))
    assert "horse" not in str(caught.value)


def test_a_secret_is_revealed_only_when_asked():
    assert (Secret(PASSWORD).reveal(), bool(Secret(PASSWORD))) == (PASSWORD, True)
    assert (Secret().reveal(), bool(Secret()), replace(SHOWN, password=Secret()).password.reveal()) == ("", False, "")


URLS = ["smtp://ann:s3cret@mail.example.org", "smtps://:s3cret@mail.example.org", "smtp://ann:@mail.example.org",
        "smtp+starttls://ann:s3%40cret@h", "http://ann:s3cret@mail.example.org", "smtp://ann:s3cret@h:99999",
        "//ann:s3cret@mail.example.org", "smtp://ann:s3 cret@mail.example.org"]  # fmt: skip


@pytest.mark.parametrize("url", URLS)
def test_a_password_in_a_url_is_refused_and_not_repeated(tmp_path, url):
    room = copy_newsroom(tmp_path / "room", MAILER_SMTP_URL=url)
    with pytest.raises(ConfigError) as caught:
        _ = room.config
    refusal = "must not hold the password: put it into MAILER_SMTP_PASSWORD or a file it names"
    assert str(caught.value) == f"MAILER_SMTP_URL: {refusal}"
    text = (ROOT / "pyproject.toml").read_text("utf-8")
    (room.root / "pyproject.toml").write_text(text.replace("smtp://127.0.0.1:1025", url), "utf-8")
    with pytest.raises(ConfigError) as caught:
        load(room.root, {})
    line = next(number for number, line in enumerate(text.splitlines(), 1) if "smtp://127.0.0.1:1025" in line)
    assert str(caught.value) == f"pyproject.toml:{line}: “smtp.url” {refusal}"


@pytest.mark.parametrize(
    ("content", "password"),
    [(b"pa ss\n", "pa ss"), (b"pass", "pass"), (b" pass \r\n", " pass "), ("pässwörd\n".encode(), "pässwörd")],
)
def test_the_password_may_stand_in_a_file(tmp_path, content, password):
    (tmp_path / "password").write_bytes(content)
    config = load(ROOT, {})
    assert relay(config, {"MAILER_SMTP_PASSWORD_FILE": str(tmp_path / "password")}).password.reveal() == password


def test_the_variable_itself_comes_before_its_file():
    env = {"MAILER_SMTP_PASSWORD": "a", "MAILER_SMTP_PASSWORD_FILE": "/nonexistent"}
    assert relay(load(ROOT, {}), env).password.reveal() == "a"
    assert relay(load(ROOT, {}), {}).password.reveal() == ""


@pytest.mark.parametrize(
    ("content", "trouble"),
    [(None, "it cannot be read: No such file or directory"), (b"\n", "it is empty"), (b"\xff", "it is not UTF-8")],
    ids=["missing", "empty", "not-utf-8"],
)
@pytest.mark.parametrize("name", ["MAILER_SMTP_PASSWORD", "MAILER_SECRET_KEY"])
def test_a_secret_file_that_is_of_no_use_is_named(tmp_path, name, content, trouble):
    """Else the next best key would sign the links."""
    path = tmp_path / "secret"
    if content is not None:
        path.write_bytes(content)
    env = {f"{name}_FILE": str(path)}
    read = {
        "MAILER_SMTP_PASSWORD": lambda: relay(load(ROOT, {}), env),
        "MAILER_SECRET_KEY": lambda: key_ring(tmp_path, env),
    }
    with pytest.raises(ConfigError) as caught:
        read[name]()
    assert str(caught.value) == f"{path}: {name}_FILE names it, but {trouble}"


def test_the_key_is_made_once_with_mode_600_and_kept(tmp_path):
    (key,) = key_ring(tmp_path, {})
    path = tmp_path / SECRET_FILE
    assert (len(key), path.stat().st_mode & 0o777, path.read_bytes()) == (64, 0o600, key)
    assert key_ring(tmp_path, {}) == (key,)
    assert [file.name for file in path.parent.iterdir()] == [path.name]


def test_two_newsrooms_have_different_keys(tmp_path):
    assert key_ring(tmp_path / "one", {}) != key_ring(tmp_path / "two", {})


def test_the_key_of_the_environment_comes_first_and_makes_no_file(tmp_path):
    (tmp_path / "key").write_text("from a file\n", "utf-8")
    assert key_ring(tmp_path, {"MAILER_SECRET_KEY": "given"}) == (b"given",)
    assert key_ring(tmp_path, {"MAILER_SECRET_KEY_FILE": str(tmp_path / "key")}) == (b"from a file",)
    assert not (tmp_path / SECRET_FILE).exists()


def test_an_empty_key_file_is_named_and_signs_nothing(tmp_path):
    path = tmp_path / SECRET_FILE
    path.parent.mkdir()
    path.touch()
    with pytest.raises(ConfigError) as caught:
        key_ring(tmp_path, {})
    assert str(caught.value) == (
        f"{path}: is empty. Put the key back, or delete the file: links in mails that went out then stop working"
    )


def test_a_place_where_no_key_can_be_kept_is_named(tmp_path):
    (tmp_path / "subscribers").touch()
    with pytest.raises(
        ConfigError, match=r"/\.secret-key: cannot be read or made: .*MAILER_SECRET_KEY may hold the key"
    ):
        key_ring(tmp_path, {})


MAKER = """
import sys
from pathlib import Path
from mailer.config import key_ring
print("ready", flush=True)
sys.stdin.readline()
print(key_ring(Path(sys.argv[1]), {})[0].decode())
"""


def test_processes_that_make_the_key_at_once_agree(tmp_path):
    pipe = subprocess.PIPE
    makers = [
        subprocess.Popen([sys.executable, "-c", MAKER, tmp_path], cwd=ROOT, stdin=pipe, stdout=pipe, text=True)
        for _ in range(3)
    ]
    for maker in makers:
        maker.stdout.readline()
    for maker in makers:
        maker.stdin.write("\n")
        maker.stdin.flush()
    keys = {maker.communicate()[0].strip() for maker in makers}
    assert keys == {key_ring(tmp_path, {})[0].decode()}
