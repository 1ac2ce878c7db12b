"""Signing with [dkim]: what the relay receives verifies at another program, and what is wrong with a key is told.

The verifier is dkimpy; its DNS is what `mailer keys dkim` says to publish. A1-A11 and U3 are requirements of the team's
list of mail standards.
"""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from received import fields
from samples import ANN, CONFIG, filled
from sending import SLUG
from signatures import ON, passes, sound, tags, zone_of
from smtp_relay import Relay

from mailer.compose.message import MessageTemplate
from mailer.config import Relay as RelaySettings
from mailer.config import load
from mailer.deliver import once, signingkeys
from mailer.deliver.dkim import Signer
from mailer.deliver.signingkeys import Key
from mailer.deliver.smtp import Parcel
from mailer.errors import ConfigError
from mailer.models import Claim, Subscriber
from mailer.settings import DkimKey

RSA = rsa.generate_private_key(65537, 2048)
SMALL = rsa.generate_private_key(65537, 1024)
ED25519 = ed25519.Ed25519PrivateKey.generate()
SIGNER = Signer("example.org", (Key("n2026", RSA), Key("n2026e", ED25519)))
ZONE = {f"{key.selector}._domainkey.example.org": key.record for key in SIGNER.keys}
PLAIN = serialization.NoEncryption()


def pem(private, encryption=PLAIN) -> bytes:
    return private.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, encryption)


def public_pem(private) -> bytes:
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    return private.public_key().public_bytes(serialization.Encoding.PEM, form)


def keep(root: Path, name: str, content: bytes, mode: int = 0o600) -> Path:
    path = root / "subscribers" / name
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(content)
    path.chmod(mode)
    return path


@pytest.fixture
def zone(office):
    """A key made by the command, and the record it says to publish."""
    return zone_of(office.run("keys", "dkim", "n2026", "--json").json)


def issue_mail(office):
    with Relay() as relay:
        office.use(relay, more=ON)
        office.subscribe(coops="cooperatives")
        assert office.run("send", SLUG, "--yes").code == 0
    return relay.mails


def mail_of_a_test(office):
    with Relay() as relay:
        office.use(relay, more=ON)
        assert office.run("test", SLUG, "--to", "zoe@example.org").code == 0
    return relay.mails


SIGNED = (
    "from:to:reply-to:subject:date:message-id:mime-version:content-type:list-id:list-unsubscribe:list-unsubscribe-post:"
    "list-help:list-owner:list-archive:list-post:feedback-id"
)


@pytest.mark.parametrize("sent", [issue_mail, mail_of_a_test], ids=["issue", "test"])
def test_A4_a_mail_verifies_as_received_and_names_all_its_fields(office, zone, sent):
    """A1, A3, A5 and A6: rsa-sha256, the sender's domain, no l=, t= the mail's own Date; From signed once more."""
    [mail] = sent(office)
    assert sound(mail.content, zone, f"{SIGNED}:from")
    assert {name.lower() for name, _ in fields(mail.content)} == {*SIGNED.split(":"), "dkim-signature"}


def test_U3_both_fields_of_one_click_are_signed_and_changing_either_breaks_the_signature(office, zone):
    """RFC 8058 section 4."""
    [mail] = issue_mail(office)
    signed = tags(mail.content)[0]["h"].split(":")
    assert {"list-unsubscribe", "list-unsubscribe-post"} <= set(signed)
    assert passes(mail.content, zone)
    one_click = b"List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n"
    for old, new in ((b"List-Unsubscribe: <https://newsletter", b"List-Unsubscribe: <https://elsewhere"),
                     (one_click, b""), (one_click, one_click.replace(b"One", b"Two"))):  # fmt: skip
        assert mail.content.count(old) == 1
        assert not passes(mail.content.replace(old, new), zone)


HEAD = filled().partition(b"\r\n\r\n")[0] + b"\r\n\r\n"
ZOE = Subscriber("zoë@bücher.example.org", id=7, name="Zoë 🌍 Nguyễn, " + "née Ó" * 30)


@pytest.mark.parametrize(
    "message",
    [filled(), filled() + b"\r\n" * 5, HEAD, HEAD + b"\r\n\r\n", HEAD + b"blanks \t \r\n \r\n",
     HEAD + (b"x" * 998 + b"\r\n") * 3, filled(Subscriber("ann@example.org", id=1, name="..")), filled(ZOE, utf8=True)],
    ids=["lone dots", "empty lines at the end", "no body", "only empty lines", "blanks at the ends of lines",
         "lines of 998", "a name of dots", "names and addresses beyond ASCII"],
)  # fmt: skip
def test_A6_what_the_relay_receives_verifies_with_both_keys(message):
    """RFC 6376 section 3.4.3, RFC 5321 section 4.5.2, RFC 8463, and RFC 6532 for the fields."""
    with Relay() as relay:
        host, port = relay.url.removeprefix("smtp://").split(":")
        settings = RelaySettings(host, int(port), "smtp")
        parcel = Parcel("newsletter@example.org", "zoë@example.org", message, Claim(ANN, "", 0), utf8=True)
        asyncio.run(once.send(settings, parcel, 30, SIGNER))
    [mail] = relay.mails
    assert mail.content.endswith(message)
    assert [passes(mail.content, ZONE, which) for which in (0, 1)] == [True, True]
    assert [len(line) for line in mail.content.removesuffix(message).split(b"\r\n") if len(line) > 78] == []
    assert [found["a"] for found in tags(mail.content)] == ["rsa-sha256", "ed25519-sha256"]


SENT = SIGNER.sign(filled())
FORGED = b"From: Somebody <somebody@example.net>\r\n"


@pytest.mark.parametrize(
    "changed",
    [SENT.replace(b"Subject: D", b"Subject: E"), SENT.replace(b"Date: Fri, 14", b"Date: Fri, 15"), FORGED + SENT,
     SENT.replace(b"\r\n\r\n", b"\r\n" + FORGED + b"\r\n", 1), SENT.replace(b"Ann Example", b"Ann  Exemple"),
     SENT.replace(b"From here", b"from here"), SENT + b"more\r\n", SENT.replace(b" t=15", b" t=16")],
    ids=["subject", "date", "a From before", "a From behind", "name", "a letter of the body", "a line behind", "t="],
)  # fmt: skip
def test_whatever_is_changed_on_the_way_breaks_both_signatures(changed):
    assert changed != SENT
    assert [passes(changed, ZONE, which) for which in (0, 1)] == [False, False]


@pytest.mark.parametrize(
    "changed",
    [b"Received: from a by b\r\n" + SENT, SENT.replace(b"Subject: ", b"SUBJECT:  \r\n\t"), SENT + b"\r\n\r\n"],
    ids=["a Received", "folded anew", "empty lines behind"],
)
def test_what_relays_do_to_a_mail_leaves_both_signatures_valid(changed):
    """RFC 6376 sections 3.4.2 and 3.4.3; standards U18."""
    assert [passes(changed, ZONE, which) for which in (0, 1)] == [True, True]


def test_only_what_is_there_is_named_in_h():
    """RFC 6376 section 5.4: Return-Path and Received belong to the relays."""
    message = b"Received: x\r\nFrom: a@example.net\r\nDate: Fri, 14 Dec 2018 08:00:00 +0000\r\nCc: b\r\n\r\n"
    assert [found["h"] for found in tags(SIGNER.sign(message))] == ["from:cc:date:from"] * 2


def test_without_dkim_templates_go_to_the_engine_as_they_are(office):
    with Relay() as relay:
        office.use(relay)
        office.subscribe(count=1)
        room = office.plan()
        assert room.signer is None
        assert {type(template) for template in room.job(room.compose(SLUG)).templates.values()} == {MessageTemplate}


def test_the_domain_may_be_one_above_the_senders(office):
    """A3: DMARC's relaxed alignment (RFC 9989)."""
    office.use("smtp://127.0.0.1:1", more=ON + 'domain = "example.org"\n')
    path = office.root / "pyproject.toml"
    path.write_text(path.read_text("utf-8").replace("newsletter@example.org", "n@news.example.org"), "utf-8")
    keep(office.root, ".dkim-n2026.pem", pem(RSA))
    signer = office.room().signer
    assert (signer.domain, signer.keys[0].selector) == ("example.org", "n2026")
    assert office.run("keys", "dkim", "--json").json["name"] == "n2026._domainkey.example.org"
    path.write_text(path.read_text("utf-8").replace('domain = "example.org"\n', ""), "utf-8")
    assert office.room().signer.domain == "news.example.org"


def test_the_key_may_be_in_the_environment(office, tmp_path, monkeypatch):
    office.use("smtp://127.0.0.1:1", more=ON)
    (tmp_path / "secret").write_bytes(pem(RSA))
    monkeypatch.setenv("MAILER_DKIM_KEY_FILE", str(tmp_path / "secret"))
    assert office.room().signer.keys[0].record == SIGNER.keys[0].record
    told = office.run("keys", "dkim", "--json").json
    assert (told["value"], told["file"], told["made"]) == (SIGNER.keys[0].record, "", False)
    assert not (office.root / "subscribers/.dkim-n2026.pem").exists()


HERE = "subscribers/.dkim-n2026.pem"
SECOND = '[tool.mailer.dkim.ed25519]\nselector = "n2026e"\n'
BROKEN = "holds no whole private key. It must be PEM, as mailer keys dkim makes it"
ENCRYPTED = serialization.BestAvailableEncryption(b"password")


@pytest.mark.parametrize(
    ("content", "mode", "problem"),
    [
        (None, 0, "is not there. Make it with: mailer keys dkim"),
        (b"", 0o600, BROKEN),
        (pem(RSA)[:-400], 0o600, BROKEN),
        (pem(RSA).replace(b"A", b"B"), 0o600, BROKEN),
        (public_pem(RSA), 0o600, BROKEN),
        (pem(RSA, ENCRYPTED), 0o600, "needs a password. Write it without one: openssl pkey -in OLD -out NEW"),
        (pem(RSA), 0o644, "may be read or changed by others on this machine. Keep it for one: chmod 600 PATH"),
        (pem(RSA), 0o620, "may be read or changed by others on this machine. Keep it for one: chmod 600 PATH"),
        (pem(SMALL), 0o600, "has 1024 bits; it must have 2048 to 4096. Make another with: mailer keys dkim SELECTOR"),
        (pem(ED25519), 0o600,
         "is an Ed25519 key, which large mail providers cannot check yet. Name it as ed25519, beside an RSA key"),
        (pem(ec.generate_private_key(ec.SECP256R1())), 0o600, "is no RSA key. Make one with: mailer keys dkim"),
    ],
    ids=["missing", "empty", "cut", "garbled", "public", "encrypted", "for all to read", "for a group to write",
         "1024 bits", "Ed25519 alone", "another kind"],
)  # fmt: skip
def test_A1_A11_a_key_of_no_use_is_told_before_anything_happens_and_never_shown(office, content, mode, problem):
    """Nothing is planned, sent or served; the message holds no line of the key, with a traceback either."""
    with Relay() as relay:
        office.use(relay, more=ON)
        office.subscribe(count=1)
        if content is not None:
            keep(office.root, ".dkim-n2026.pem", content, mode)
        answer = office.run("send", SLUG, "--yes")
        expected = f"{HERE}: {problem.replace('PATH', str(office.root / HERE))}\n1 mistake. Nothing was changed.\n"
        assert (answer.code, answer.err.endswith(expected)) == (1, True), answer.err
        assert office.room().store.sendlog.plan(SLUG) is None
        for command in (("test", SLUG, "--to", "ann@example.org"), ("keys", "dkim")):
            if command == ("keys", "dkim") and content is None:
                continue
            assert (answer := office.run(*command)).code == 1
            assert answer.err.replace("\n", " ").endswith(expected.replace("\n", " ")), answer.err
        traced = office.run("--debug", "send", SLUG, "--yes")
        assert "Traceback" in traced.err
        lines = [line for line in (content or b"").decode().splitlines() if not line.startswith("-----")]
        assert [line for line in lines if line in traced.err + answer.err] == []
    assert relay.mails == []


@pytest.mark.parametrize(
    ("second", "problem"),
    [(None, "is not there. Make it with: mailer keys dkim --ed25519"),
     (pem(RSA), "holds no Ed25519 key. Make one with: mailer keys dkim --ed25519")],
    ids=["missing", "RSA"],
)  # fmt: skip
def test_every_key_of_no_use_is_told_at_once(office, second, problem):
    office.use("smtp://127.0.0.1:1", more=f"{ON}key = 'subscribers'\n{SECOND}")
    (office.root / "subscribers").mkdir()
    if second:
        keep(office.root, ".dkim-n2026e.pem", second)
    with pytest.raises(ConfigError) as caught:
        _ = office.room().signer
    assert [str(problem) for problem in caught.value.problems] == [
        "subscribers: cannot be read: Is a directory",
        f"subscribers/.dkim-n2026e.pem: {problem}",
    ]


def test_A11_a_signer_shows_no_key():
    secrets = {str(RSA.private_numbers().d), str(RSA.private_numbers().p), ED25519.private_bytes_raw().hex()}
    assert [secret for secret in secrets if secret in repr(SIGNER) + str(SIGNER.keys)] == []


UNALIGNED = "but the sender is at example.org: name example.org or a domain above it"


@pytest.mark.parametrize(
    ("table", "problems"),
    [
        ("", ["“dkim.selector” is missing"]),
        ('selector = "n 2026"', ["“dkim.selector” must be a name such as n2026"]),
        ('selector = "../x"', ["“dkim.selector” must be a name such as n2026"]),
        ('selector = "n2026"\nkey = ""', ["“dkim.key” must be one line of text"]),
        ('selector = "n2026"\ndomain = "example.net"',
         [f"“dkim” signs for example.net, {UNALIGNED}"]),
        ('selector = "n2026"\ndomain = "ample.org"',
         [f"“dkim” signs for ample.org, {UNALIGNED}"]),
        ('selector = "n2026"\ndomain = "news.example.org"',
         [f"“dkim” signs for news.example.org, {UNALIGNED}"]),
        ('selector = "n2026"\ndomain = "org"',
         ["“dkim.domain” must be the part of an address behind the @, such as gmail.com"]),
        ('selector = "n2026"\nsignature = 1',
         ["unknown key “dkim.signature”. Known are: selector, key, domain, ed25519."]),
        ('selector = "n2026"\n[dkim.ed25519]\nselector = "e"\ndomain = "example.org"',
         ["unknown key “dkim.ed25519.domain”. Known are: selector, key."]),
        ('key = 1\nselector = ["n"]',
         ["“dkim.key” must be text between quotes", "“dkim.selector” must be text between quotes"]),
    ],
    ids=["no selector", "a blank", "a path", "no key", "another domain", "the end of it", "a domain below",
         "a top domain", "unknown", "unknown below", "two"],
)  # fmt: skip
def test_A3_a_mistake_in_dkim_is_told_with_its_line(tmp_path, table, problems):
    newsletter = CONFIG.newsletter.model_dump(exclude_unset=True)
    text = "[newsletter]\n" + "".join(f'{key} = "{value}"\n' for key, value in newsletter.items())
    text += f'[interests]\na = "A"\n[dkim]\n{table}\n'
    (tmp_path / "mailer.toml").write_text(text, "utf-8")
    with pytest.raises(ConfigError) as caught:
        load(tmp_path, {})
    assert [re.sub(r"^mailer\.toml:\d+: ", "", str(problem)) for problem in caught.value.problems] == problems
    first = text.splitlines().index("[dkim]") + 1
    assert min(problem.line for problem in caught.value.problems) >= first


def test_the_command_makes_a_key_shows_its_record_and_never_replaces_it(office):
    answer = office.run("keys", "dkim", "n2026")
    path = office.root / HERE
    made = path.read_bytes()
    assert (answer.code, path.stat().st_mode & 0o777) == (0, 0o600)
    record = signingkeys.read(office.root, DkimKey(selector="n2026"), ed25519=False).record
    assert record.startswith("v=DKIM1; k=rsa; p=MII")
    assert answer.out == (
        f'n2026._domainkey.example.org. TXT (\n  "{record[:255]}"\n  "{record[255:]}"\n)\n'
        '[tool.mailer.dkim]\nselector = "n2026"\nkey = "subscribers/.dkim-n2026.pem"\n'
    )
    assert "Made subscribers/.dkim-n2026.pem." in answer.err
    again = office.run("keys", "dkim", "n2026")
    assert (again.out, path.read_bytes()) == (answer.out, made)
    assert "This key is there already." in again.err
    secret = [line for line in made.decode().splitlines() if line in answer.out + answer.err]
    assert secret == []


def test_the_command_shows_what_is_configured_and_makes_the_next_key_beside_it(office):
    office.use("smtp://127.0.0.1:1", more=ON)
    first, shown, following, second = (
        office.run("keys", "dkim", *arguments, "--json").json for arguments in ([], [], ["n2027"], ["e", "--ed25519"])
    )
    assert [one["file"] for one in (first, shown, following, second)] == [
        HERE, HERE, "subscribers/.dkim-n2027.pem", "subscribers/.dkim-e.pem"]  # fmt: skip
    assert [(one["made"], one["configured"]) for one in (first, shown, following, second)] == [
        (True, True), (False, True), (True, False), (True, False)]  # fmt: skip
    assert (shown["value"], len(following["strings"])) == (first["value"], 2)
    assert following["settings"] == [
        "[tool.mailer.dkim]", 'selector = "n2027"', 'key = "subscribers/.dkim-n2027.pem"']  # fmt: skip
    assert second == {
        "file": "subscribers/.dkim-e.pem", "made": True, "configured": False, "name": "e._domainkey.example.org",
        "type": "TXT", "value": second["strings"][0], "strings": [second["value"]],
        "settings": ["[tool.mailer.dkim.ed25519]", 'selector = "e"', 'key = "subscribers/.dkim-e.pem"'],
    }  # fmt: skip
    assert re.fullmatch(r"v=DKIM1; k=ed25519; p=[A-Za-z0-9+/]{43}=", second["value"])


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [(["a b"], 2, "write a name such as n2026"), (["../x"], 2, "write a name such as n2026"),
     (["--ed25519"], 1, "an Ed25519 key stands beside an RSA key. Make that first, with: mailer keys dkim")],
    ids=["a blank", "a path", "Ed25519 first"],
)  # fmt: skip
def test_what_the_command_cannot_make_is_said(office, arguments, code, said):
    answer = office.run("keys", "dkim", *arguments)
    assert (answer.code, said in answer.err, list(office.root.glob("subscribers/.dkim*"))) == (code, True, [])


def test_a_place_where_no_key_can_be_kept_is_named(office):
    (office.root / "subscribers").touch()
    answer = office.run("keys", "dkim", "n2026")
    assert (answer.code, answer.out) == (1, "")
    assert answer.err == f"{HERE}: cannot be read: Not a directory\n1 mistake. Nothing was changed.\n"
