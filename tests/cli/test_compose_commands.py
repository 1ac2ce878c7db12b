"""check, editions, build, test: what an issue will be, before anything is sent."""

from __future__ import annotations

import re
from email import message_from_bytes, policy

import pytest
from conftest import ISSUE, ROOT
from sending import NOW, SLUG, parsed
from smtp_relay import HANG_UP, Relay

from mailer.audience import subscribers

ONLY_COOPS = ISSUE[: ISSUE.index("## For everybody")]


def test_check_says_that_nothing_is_wrong(office):
    office.write_issue(ISSUE + '\n## Jobs {#jobs topics="green-jobs,mne-declaration,social-finance"}\n\nGreen.\n')
    office.subscribe(count=1)
    answer = office.run("check", SLUG)
    assert (answer.code, answer.err) == (0, "")
    assert answer.out.startswith(f"{SLUG}: 1 section, 3 stories. Nothing to mend.")


@pytest.mark.parametrize("command", ["check", "editions", "build", "send"])
def test_a_mistake_in_the_issue_is_named_with_file_and_line(office, command):
    office.write_issue(ISSUE.replace("topics=cooperatives", "topics=cooperative"))
    answer = office.run(command, SLUG)
    assert (answer.code, answer.out) == (1, "")
    first, last = answer.err.splitlines()[0], answer.err.splitlines()[-1]
    assert first.startswith("issues/2019-01/issue.md:12: ")
    assert "“cooperatives”" in answer.err
    assert last == "1 mistake. Nothing was changed."


@pytest.mark.parametrize("command", [["check"], ["editions"], ["build"], ["send"], ["test", "--to", "a@example.org"]])
def test_an_unknown_issue_leads_to_the_known_one(office, command):
    answer = office.run(command[0], "2019-10", *command[1:])
    assert (answer.code, answer.out) == (1, "")
    assert " ".join(answer.err.split()).endswith("Did you mean “2019-01”?")


def test_editions_are_a_table_with_head_counts(office):
    office.subscribe(count=3, coops="cooperatives", green="green-jobs", social="social-finance")
    answer = office.run("editions", SLUG)
    rows = [" ".join(line.split()) for line in answer.out.splitlines() if line.strip()]
    assert answer.code == 0
    assert [row.split()[-1] for row in rows[2:4]] == ["4", "2"]
    assert "no interests chosen; Cooperatives" in rows[2]
    assert rows[-1] == f"6 people get one of 2 editions of {SLUG}."


def test_editions_as_json_hold_stories_bytes_and_who_gets_nothing(office):
    office.write_issue(ONLY_COOPS)
    office.subscribe(count=1, coops="cooperatives", green="green-jobs")
    answer = office.run("editions", f"issues/{SLUG}/", "--json").json
    [edition] = answer["editions"]
    sizes = {name: edition.pop(name) for name in ("edition", "bytes", "bytes_mailed")}
    assert 5_000 < sizes["bytes"] < sizes["bytes_mailed"]
    assert answer == {
        "issue": SLUG,
        "audience": 3,
        "editions": [{"interests": [[], ["cooperatives"]], "stories": 1, "story_ids": ["coops"], "people": 2}],
        "nothing_left": [{"interests": ["green-jobs"], "people": 1}],
    }


def test_editions_without_subscribers_say_how_to_begin(office):
    answer = office.run("editions", SLUG)
    assert answer.err == "Nobody is subscribed yet. Begin with: mailer subscribers import FILE.csv\n"


def test_build_writes_three_files_an_edition(office, tmp_path):
    office.subscribe(green="green-jobs")
    folder = tmp_path / "built"
    answer = office.run("build", SLUG, "--out", str(folder), "--json")
    assert answer.json == {
        "issue": SLUG,
        "folder": str(folder),
        "files": [name for name in answer.json["files"] if (folder / name).stat().st_size],
    }
    names = sorted(path.name for path in folder.iterdir())
    assert sorted(answer.json["files"]) == names
    assert [name.rpartition(".")[2] for name in names] == [*(["eml", "html", "txt"] * 2), "html"]
    assert names[-1] == "index.html"
    [shorter] = folder.glob("01-stories-*.txt")
    assert "Something for all of us." in shorter.read_text("utf-8")
    assert "Cooperatives grow" not in shorter.read_text("utf-8")


def test_build_goes_into_the_newsroom_by_default(office):
    answer = office.run("build", SLUG)
    assert answer.code == 0
    folder = office.root / "build" / SLUG
    assert answer.out == f"4 files in {folder}\nOpen {folder / 'index.html'}\n"


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_building_again_leaves_nothing_of_the_build_before(office):
    office.subscribe(green="green-jobs")
    office.run("build", SLUG)
    office.run("build", SLUG, "--for", "green@example.org")
    office.write_issue(ONLY_COOPS)
    answer = office.run("build", SLUG, "--json").json
    assert names(office.root / "build" / SLUG) == sorted(answer["files"])
    assert len(answer["files"]) == 4


def test_building_into_a_folder_again_removes_only_what_build_named(office, tmp_path):
    folder = tmp_path / "o"
    folder.mkdir()
    for name in ("notes.txt", "12-stories-mine.html", "page.html"):
        (folder / name).write_text("mine")
    office.subscribe(green="green-jobs")
    office.run("build", SLUG, "--out", str(folder))
    office.write_issue(ONLY_COOPS)
    answer = office.run("build", SLUG, "--out", str(folder), "--json").json
    assert names(folder) == sorted([*answer["files"], "notes.txt", "12-stories-mine.html", "page.html"])


def test_build_never_writes_over_somebodys_page(office, tmp_path):
    (tmp_path / "index.html").write_text("mine")
    answer = office.run("build", SLUG, "--out", str(tmp_path))
    assert (answer.code, (tmp_path / "index.html").read_text()) == (1, "mine")
    assert "was not made by mailer" in " ".join(answer.err.split())


@pytest.mark.parametrize(
    ("images", "mailed"),
    [("link", f"https://newsletter.example.org/{SLUG}/images/a%20field.png"), ("embed", "cid:images-a-field.png.")],
)
def test_built_pages_show_the_copied_pictures_and_the_eml_stays_as_mailed(office, images, mailed):
    config = office.root / "pyproject.toml"
    table = "[tool.mailer.newsletter]\n"
    config.write_text(config.read_text("utf-8").replace(table, f'{table}images = "{images}"\n'), "utf-8")
    content = (ROOT / "issues/2018-12/images/tokyo-2020.png").read_bytes()
    office.write_issue(ISSUE.replace("They [grow", "![A field](images/a%20field.png)\n\nThey [grow"))
    picture = office.root / "issues" / SLUG / "images/a field.png"
    picture.parent.mkdir()
    picture.write_bytes(content)
    office.run("build", SLUG)
    folder = office.root / "build" / SLUG
    [html], [eml] = folder.glob("*-stories-*.html"), folder.glob("*.eml")
    assert 'src="images/a%20field.png"' in html.read_text("utf-8")
    assert (folder / "images/a field.png").read_bytes() == content
    in_mail = message_from_bytes(eml.read_bytes(), policy=policy.SMTP).get_body(("html",)).get_content()
    assert f'src="{mailed}' in in_mail


def test_the_index_frames_every_edition(office):
    office.subscribe(green="green-jobs")
    office.run("build", SLUG)
    folder = office.root / "build" / SLUG
    framed = re.findall(r'<iframe src="([^"]+)"', (folder / "index.html").read_text("utf-8"))
    assert sorted(framed) == sorted(path.name for path in folder.glob("*-stories-*.html"))
    assert len(framed) == 2


def test_build_for_one_person_is_what_sending_them_gives(office, tmp_path):
    with Relay() as relay:
        office.use(relay)
        office.subscribe(coops="cooperatives", green="green-jobs")
        office.run("send", SLUG, "--yes")
        sent = parsed(relay.of("green@example.org"))
    assert office.run("build", SLUG, "--for", "Green@example.org", "--out", str(tmp_path / "o")).code == 0
    built = message_from_bytes((tmp_path / "o" / "green@example.org.eml").read_bytes(), policy=policy.SMTP)
    del sent["Date"], built["Date"]
    assert built.as_bytes() == sent.as_bytes()


@pytest.mark.parametrize(
    ("person", "said"),
    [
        ("nobody@example.org", "nobody with the address nobody@example.org is subscribed"),
        ("green@example.org", "no story of this issue matches the interests of green@example.org"),
        ("no address", "“no address” is no address"),
    ],
    ids=["unknown", "nothing-left", "no-address"],
)
def test_build_for_somebody_without_a_message_says_why(office, tmp_path, person, said):
    office.write_issue(ONLY_COOPS)
    office.subscribe(green="green-jobs")
    answer = office.run("build", SLUG, "--for", person, "--out", str(tmp_path / "o"))
    assert (answer.code, answer.out, (tmp_path / "o").exists()) == (1, "", False)
    assert said in " ".join(answer.err.split())


def test_build_into_a_file_is_refused(office, tmp_path):
    (tmp_path / "taken").write_text("")
    answer = office.run("build", SLUG, "--out", str(tmp_path / "taken"))
    assert (answer.code, answer.err) == (1, f"Error: {tmp_path / 'taken'} cannot be made: File exists\n")


def test_a_test_mail_is_marked_and_leaves_no_trace(office):
    with Relay() as relay:
        office.use(relay)
        office.subscribe(green="green-jobs")
        room = office.plan()
        before = room.store.sendlog.balance(SLUG)
        answer = office.run("test", SLUG, "--to", "green@example.org", "--json")
        office.run("send", SLUG, "--yes")
        tested, sent = (parsed(mail) for mail in relay.mails)
    assert answer.json == {
        "issue": SLUG, "to": "green@example.org", "state": "accepted", "code": 250, "reply": "2.0.0 Ok: queued",
        "step": "content", "stories": 1,
    }  # fmt: skip
    assert (answer.code, before.queued) == (0, 1)
    assert (tested["Subject"], sent["Subject"]) == ("[Test] Two stories", "Two stories")
    assert tested["Message-ID"] != sent["Message-ID"]


ILLUSTRATED = ISSUE.replace(
    "They [grow fast](https://example.org/grow).",
    "![A field](images/a%20field.png)\n\nThey [grow](images/a%20field.png).\n\n![Another](images/b.png)",
)


@pytest.mark.parametrize("images", ["link", "embed"])
def test_the_pictures_of_a_test_mail_travel_inside_it(office, images):
    """RFC 2392: each `cid:` names the part with that Content-ID; RFC 2387: in a multipart/related with the HTML."""
    office.write_issue(ILLUSTRATED)
    content = (ROOT / "issues/2018-12/images/tokyo-2020.png").read_bytes()
    folder = office.root / "issues" / SLUG / "images"
    folder.mkdir()
    for name in ("a field.png", "b.png"):
        (folder / name).write_bytes(content)
    with Relay() as relay:
        office.use(relay)
        config, table = office.root / "pyproject.toml", "[tool.mailer.newsletter]\n"
        config.write_text(config.read_text("utf-8").replace(table, f'{table}images = "{images}"\n'), "utf-8")
        office.subscribe(coops="cooperatives", green="green-jobs")
        answer = office.run("test", SLUG, "--to", "coops@example.org")
        office.run("test", SLUG, "--to", "green@example.org")
        office.run("send", SLUG, "--yes")
    illustrated, without = (parsed(mail) for mail in relay.mails[:2])
    html = illustrated.get_body(("html",)).get_content()
    [related] = [part for part in illustrated.walk() if part.get_content_type() == "multipart/related"]
    parts = {part["Content-ID"]: part.get_content() for part in related.iter_parts() if part["Content-ID"]}
    shown = [f"<{one}>" for one in re.findall('src="cid:([^"]+)"', html)]
    assert (len(shown), sorted(parts)) == (2, sorted(shown))
    assert set(parts.values()) == {content}
    assert re.findall('src="(?!cid:)', html) == []
    assert f'href="https://newsletter.example.org/{SLUG}/images/a%20field.png"' in html
    said = "Pictures travel inside the test mail; they are published with the issue.\n"
    assert answer.out == "accepted: 250 2.0.0 Ok: queued\n" + (said if images == "link" else "")
    assert "multipart/related" not in [part.get_content_type() for part in without.walk()]
    mailed = next(parsed(mail) for mail in relay.mails[2:] if mail.recipient == "coops@example.org")
    mailed_html = mailed.get_body(("html",)).get_content()
    assert ("cid:" in mailed_html) is (images == "embed")


def test_the_links_of_a_test_mail_unsubscribe_nobody(office):
    """Standards U19: working in form, but inert."""
    with Relay() as relay:
        office.use(relay)
        office.subscribe("reader@example.org")
        office.run("test", SLUG, "--to", "reader@example.org")
        link = parsed(relay.mails[0])["List-Unsubscribe"].partition(">")[0]
    token = link.rpartition("/")[2]
    room = office.room()
    assert room.tokens.read("unsubscribe", token) == 0
    assert room.store.audience.get(0) is None
    assert subscribers.find(room.store.audience, "reader@example.org").state == "active"


def test_a_test_mail_to_a_stranger_shows_the_whole_issue(office):
    with Relay() as relay:
        office.use(relay)
        answer = office.run("test", SLUG, "--to", "stranger@example.com")
        assert [mail.recipient for mail in relay.mails] == ["stranger@example.com"]
    assert (answer.code, answer.out) == (0, "accepted: 250 2.0.0 Ok: queued\n")  # nothing of pictures: it has none
    assert office.run("status").out == "No issue was sent yet. Begin with: mailer send ISSUE\n"


@pytest.mark.parametrize(
    ("script", "code", "out"),
    [
        ({"RCPT": "550 5.1.1 [unknown] user"}, 3, "refused: 550 5.1.1 [unknown] user\n"),
        ({"content": "451 4.3.0 Later"}, 3, "deferred: 451 4.3.0 Later\n"),
        ({"content": HANG_UP}, 3, "unknown: the server closed the connection\n"),
        ({"greeting": "554 5.3.2 No"}, 4, ""),
    ],
    ids=["refused", "deferred", "unknown", "relay"],
)
def test_a_test_mail_that_failed_says_so(office, script, code, out):
    with Relay(script) as relay:
        office.use(relay)
        answer = office.run("test", SLUG, "--to", "a@example.org")
    assert (answer.code, answer.out) == (code, out)


def test_a_mail_server_that_cannot_be_used_leads_to_where_it_is_configured(office):
    with Relay({"greeting": "554 5.3.2 No"}) as relay:
        office.use(relay)
        answer = office.run("test", SLUG, "--to", "a@example.org")
        said = f"Error: {relay.url} said 554 5.3.2 No. Your mail server stands under [smtp] in the configuration, "
    assert answer.err == f"{said}its password in MAILER_SMTP_PASSWORD\n"


def test_a_test_mail_to_no_address_is_refused(office):
    answer = office.run("test", SLUG, "--to", "a@b@example.org")
    assert (answer.code, answer.out) == (1, "")
    assert answer.err.startswith("Error: “a@b@example.org” is no address: ")


def test_nobody_erased_is_written_by_build(office, tmp_path):
    office.subscribe("gone@example.org")
    room = office.room()
    subscribers.erase(room.store.audience, room.tokens, "gone@example.org", NOW)
    assert office.run("build", SLUG, "--for", "gone@example.org", "--out", str(tmp_path / "o")).code == 1


@pytest.mark.parametrize("ending", ["html", "txt", "eml"])
def test_a_disk_that_is_full_while_build_writes_is_one_sentence(office, tmp_path, ending):
    """Writing to /dev/full fails as a full disk does, and does not say which file it was."""
    office.subscribe("ann@example.org")
    full = tmp_path / f"ann@example.org.{ending}"
    full.symlink_to("/dev/full")
    answer = office.run("build", SLUG, "--for", "ann@example.org", "--out", str(tmp_path))
    assert (answer.code, answer.out) == (1, "")
    assert answer.err == f"Error: {full} cannot be written: No space left on device\n"
