"""Wrong usage: one sentence in the words of every other error, how the command is used, exit code 2."""

from __future__ import annotations

import pytest
import typer
from sending import SLUG

from mailer.cli.main import app

STATES = "must be queued, claimed, accepted, refused, deferred, unknown or skipped"
ENUMS = {
    ("log", SLUG, "--state"): STATES,
    ("log", SLUG, "--format"): "must be table, csv or json",
    ("rehearse", SLUG, "--faults"): "must be mild or harsh",
    ("settle", SLUG, "--as"): "must be sent or unsent",
    ("settle", SLUG, "--state"): "must be unknown or refused",
    ("check", SLUG, "--format"): "must be table, json or sarif",
    ("serve", "--log"): "must be text or json",
    ("subscribers", "list", "--state"): "must be pending, active, unsubscribed or suppressed",
}


def choices(command, path: tuple[str, ...] = ()) -> set[tuple[str, ...]]:
    """Every option of every command whose values are listed."""
    found = {(*path, max(one.opts, key=len)) for one in command.params if one.type_descriptor.is_choice}
    for name, below in getattr(command, "commands", {}).items():
        found |= choices(below, (*path, name))
    return found


@pytest.mark.parametrize("words", ENUMS, ids=" ".join)
def test_a_value_that_is_none_of_a_few_is_told_which_there_are(office, words):
    answer = office.run(*words, "wild [x]")
    command = " ".join(word for word in words[:-1] if word != SLUG)
    usage, more = answer.err.splitlines()[1:]
    assert (answer.code, answer.out) == (2, "")
    assert answer.err.splitlines()[0] == f"Error: {words[-1]} wild [x]: {ENUMS[words]}"
    assert usage.startswith(f"Usage: mailer {command} [OPTIONS]")
    assert more == f"More with: mailer {command} --help"


def test_every_option_of_this_kind_is_tried():
    tried = {tuple(word for word in words if word != SLUG) for words in ENUMS}
    assert choices(typer.main.get_command(app)) == tried


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("send", SLUG, "--limit", "many"), "--limit many: must be a whole number"),
        (("send", SLUG, "--limit", "-1"), "--limit -1: must be 0 or more"),
        (("send", SLUG, "--rate", "fast"), "--rate fast: must be a number"),
        (("serve", "--port", "65536"), "--port 65536: must be 65535 or less"),
        (("send", SLUG, "--at", "soon"), "--at: write 2018-12-14 08:00, or now"),
        (("settle", SLUG), "--as, --from-log: give one of them; --email goes with --as"),
        (("inbox",), "name one mailbox, with --maildir or with --imap"),
        (("settle", SLUG, "--as", "sent", "--state", "refused"), "--state: refused goes with --as unsent"),
        (("keys", "frob"), "there is no command frob. Known are: rotate, dkim."),
        (("consent", "verfy"), "there is no command verfy. Did you mean “verify”?"),
        (("log",), "ISSUE is missing"),
        (("test", SLUG), "--to is missing"),
        (("log", SLUG, "--stat"), "there is no option --stat. Did you mean “--state”?"),
        (("log", SLUG, "--zzz"), "there is no option --zzz"),
    ],
    ids=lambda one: " ".join(one) if isinstance(one, tuple) else "",
)
def test_other_wrong_usage_is_told_alike(office, words, said):
    answer = office.run(*words)
    assert (answer.code, answer.out, answer.err.splitlines()[0]) == (2, "", f"Error: {said}")
