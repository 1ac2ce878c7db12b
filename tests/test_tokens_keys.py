"""Keys rotate without killing links, and some links carry their time (standards U7, U13)."""

from __future__ import annotations

import string

import pytest
from conftest import SECRET

from mailer.config import SECRET_FILE, add_key, key_ring, new_key
from mailer.errors import BadLink, ConfigError, ExpiredLink
from mailer.tokens import Tokens, mark_of

LIST = "enterprises.example.org"
OLD, NEW, NEWEST = b"the old key", b"the new key", b"the newest key"
UNTIL, SECOND_LATER = "2018-12-14T09:00:00Z", "2018-12-14T09:00:01Z"
ALPHABET = string.ascii_letters + string.digits + "-_.~+/= \n\0!é\ud800"
ROTATED = Tokens(LIST, OLD, NEW, NEWEST)


def forgeries(token):
    changed = {token[:at] + other + token[at + 1 :] for at in range(len(token)) for other in ALPHABET}
    deleted = {token[:at] + token[at + 1 :] for at in range(len(token))}
    added = {token[:at] + other + token[at:] for at in range(len(token) + 1) for other in ALPHABET}
    return (changed | deleted | added) - {token}


def test_u13_links_of_every_key_go_on_and_the_newest_signs():
    old, new = Tokens(LIST, OLD).sign("unsubscribe", 42), Tokens(LIST, OLD, NEW).sign("unsubscribe", 42)
    newest = ROTATED.sign("unsubscribe", 42)
    assert len({old, new, newest}) == 3
    assert {ROTATED.read("unsubscribe", token) for token in (old, new, newest)} == {42}
    assert (Tokens(LIST, OLD).read("unsubscribe", new), Tokens(LIST, OLD, NEW).read("unsubscribe", newest)) == (
        None,
        None,
    )


def test_a_dropped_key_takes_only_its_own_links_along():
    new, newest = Tokens(LIST, OLD, NEW).sign("unsubscribe", 42), ROTATED.sign("unsubscribe", 42)
    without = Tokens(LIST, OLD, NEWEST)
    assert (without.read("unsubscribe", new), without.read("unsubscribe", newest)) == (None, 42)


def test_two_keys_with_one_mark_are_both_tried():
    first = b"0"
    twin = next(key for key in (str(n).encode() for n in range(1, 1_000)) if mark_of(key) == mark_of(first))
    tokens = Tokens(LIST, OLD, first).sign("unsubscribe", 42), Tokens(LIST, OLD, twin).sign("unsubscribe", 42)
    assert tokens[0] != tokens[1]
    assert [Tokens(LIST, OLD, first, twin).read("unsubscribe", token) for token in tokens] == [42, 42]


@pytest.mark.parametrize(
    "tokens", [Tokens(LIST, OLD), ROTATED, Tokens(LIST, OLD, OLD)], ids=["one", "three", "twice-the-same"]
)
@pytest.mark.parametrize("number", [0, 42, 10_000_000])
def test_u7_each_changed_character_spoils_a_token_of_any_key(tokens, number):
    forged = forgeries(tokens.sign("unsubscribe", number))
    assert [each for each in forged if tokens.read("unsubscribe", each) is not None] == []


@pytest.mark.parametrize("tokens", [Tokens(LIST, OLD), ROTATED], ids=["one", "three"])
def test_u7_each_changed_character_spoils_a_token_with_a_time(tokens):
    token = tokens.sign_until("my-data", 42, UNTIL)
    for forged in forgeries(token):
        with pytest.raises(BadLink):
            tokens.read_until("my-data", forged, UNTIL)
        assert tokens.read("my-data", forged) is None


def test_a_token_with_a_time_is_good_until_then():
    token = ROTATED.sign_until("my-data", 42, UNTIL)
    assert ROTATED.read_until("my-data", token, UNTIL) == 42
    with pytest.raises(ExpiredLink):
        ROTATED.read_until("my-data", token, SECOND_LATER)


def test_a_token_with_a_time_is_none_without_and_none_for_another_purpose():
    dated, undated = ROTATED.sign_until("my-data", 42, UNTIL), ROTATED.sign("my-data", 42)
    assert ROTATED.read("my-data", dated) is None
    for purpose, token in (("my-data", undated), ("confirm", dated)):
        with pytest.raises(BadLink):
            ROTATED.read_until(purpose, token, UNTIL)


@pytest.mark.parametrize(
    "forged", ["", "~", "16~", "16~zz.", "z~" + "z" * 100_000 + "." + "A" * 16, "16~-1." + "A" * 16]
)
def test_what_is_no_token_with_a_time_is_a_bad_link(forged):
    with pytest.raises(BadLink):
        ROTATED.read_until("my-data", forged, UNTIL)


def test_what_must_outlive_a_rotation_comes_from_the_oldest_key():
    assert ROTATED.digest("address", "ann@example.org") == Tokens(LIST, OLD).digest("address", "ann@example.org")
    assert ROTATED.derive("journal") == Tokens(LIST, OLD).derive("journal") != Tokens(LIST, NEW).derive("journal")


def test_u18_list_unsubscribe_stays_under_76_columns_with_any_key():
    """For a public address of 30 characters and 1.6 million subscribers."""
    for tokens in (Tokens(LIST, OLD), ROTATED):
        address = "https://newsletter.example.org"
        line = f"List-Unsubscribe: <{address}/u/{tokens.sign('unsubscribe', 36**4 - 1)}>,"
        assert (len(address), len(line)) == (30, 75)


def test_the_name_of_a_token_is_no_token():
    token = ROTATED.sign("unsubscribe", 42)
    assert ROTATED.name(token) not in token
    assert ROTATED.read("unsubscribe", ROTATED.name(token)) is None
    assert len(ROTATED.name(token)) == 12


def test_a_new_key_stands_behind_the_others_with_mode_600(tmp_path):
    (old,) = key_ring(tmp_path, {})
    path = add_key(tmp_path, NEW, {})
    assert (path, key_ring(tmp_path, {})) == (tmp_path / SECRET_FILE, (old, NEW))
    assert path.stat().st_mode & 0o777 == 0o600
    assert [file.name for file in path.parent.iterdir()] == [path.name]
    assert len({new_key() for _ in range(10)}) == 10


@pytest.mark.parametrize(
    ("content", "keys"),
    [(b"one", (b"one",)), (b"one\n", (b"one",)), (b"one\ntwo\r\n\nthree\n", (b"one", b"two", b"three")),
     (SECRET.encode(), (SECRET.encode(),))],
    ids=["old-file", "line-break", "several", "blanks-within"],
)  # fmt: skip
def test_a_ring_is_one_key_a_line_in_the_file_and_in_the_environment(tmp_path, content, keys):
    path = tmp_path / SECRET_FILE
    path.parent.mkdir()
    path.write_bytes(content)
    assert key_ring(tmp_path, {}) == key_ring(tmp_path / "x", {"MAILER_SECRET_KEY": content.decode()}) == keys
    assert key_ring(tmp_path / "x", {"MAILER_SECRET_KEY_FILE": str(path)}) == keys


@pytest.mark.parametrize("name", ["MAILER_SECRET_KEY", "MAILER_SECRET_KEY_FILE"])
def test_keys_of_the_environment_are_not_shadowed_by_a_file(tmp_path, name):
    with pytest.raises(ConfigError, match=f"^{name}: holds the keys: add a line"):
        add_key(tmp_path, NEW, {name: "given"})
    assert list(tmp_path.iterdir()) == []
