"""`mailer subscribers ...`: what each prints, where, and with which exit code."""

from __future__ import annotations

import json

import pytest
from sending import NOW, SLUG, finish

from mailer.models import Subscriber, SubscriberState

NOBODY = "Error: nobody with the address bob@example.org is subscribed. Look with: mailer subscribers list\n"


def write(office, *lines, name="people.csv"):
    path = office.root / name
    path.write_text("\n".join(lines) + "\n", "utf-8")
    return str(path)


def people(office):
    return [(one.email, one.name, one.interests, one.language, dict(one.fields), str(one.state))
            for one in office.room().store.audience.all()]  # fmt: skip


def one_json(answer):
    """The one value on standard output; nothing else may stand there."""
    value, end = json.JSONDecoder().raw_decode(answer.out)
    assert answer.out[end:] == "\n"
    return value


def test_import_says_what_it_did(office):
    office.subscribe("known@example.org", "left@example.org", "erased@example.org")
    office.run("subscribers", "remove", "left@example.org")
    office.run("subscribers", "erase", "erased@example.org", "--yes")
    path = write(office, "email", "known@example.org", "Left@example.org", "erased@example.org", "new@example.org")
    answer = office.run("subscribers", "import", path, "--source", "sheet")
    said = "1 added; 1 known already and left as they are; 2 kept out, because they left or were erased.\n"
    said += "1 of 1 chose no interests and gets the whole issue.\n"
    assert (answer.code, answer.out, answer.err) == (0, said, "")


@pytest.mark.parametrize(
    ("options", "typed", "source"),
    [
        ((), "sheet of May\n", "sheet of May"),
        ((), "\n", ""),
        (("--source", "web form"), "not read\n", "web form"),
        (("--source", ""), "not read\n", ""),
    ],
    ids=["typed", "Enter", "given", "left open"],
)
def test_import_asks_where_people_consented_before_it_reads_anything(office, options, typed, source):
    path = write(office, "email", "ann@example.org", "bad")
    answer = office.run("subscribers", "import", path, "--skip-bad", *options, typed=typed)
    question, _, rest = answer.err.partition("Source, such as “sign-up sheet, fair of May 2019”: ")
    assert (answer.code, bool(rest)) == (0, not options)
    if not options:
        assert question == "Where did these people consent? The journal keeps it; it cannot be said later.\n"
        assert rest.startswith(f"{path}:3: ")
    assert answer.err.endswith("says nothing of where these people consented.\n") is (source == "")
    [row] = office.run("consent", "show", "ann@example.org", "--json").json["consent"]
    assert row["details"].get("source", "") == source


@pytest.mark.parametrize("as_json", [(), ("--json",)], ids=["", "json"])
def test_import_without_a_source_and_nobody_to_ask_is_refused_before_it_reads_anything(office, as_json):
    path = write(office, "email", "ann@example.org", "bad")
    answer = office.run("subscribers", "import", path, *as_json)
    assert (answer.code, answer.out, people(office)) == (2, "", [])
    assert "Error: --source: is missing, and there is nobody to ask. Nothing was imported\n" in answer.err
    assert "bad" not in answer.err


def test_import_with_bad_lines_names_them_and_imports_nothing(office):
    good = [f"p{number}@example.org" for number in range(98)]
    path = write(office, "email", *good, "bad", "P7@example.org")
    answer = office.run("subscribers", "import", "--source", "sheet", path)
    assert (answer.code, answer.out) == (1, "")
    assert answer.err == (
        f"{path}:100: “bad” is no address: An email address must have an @-sign\n"
        f"{path}:101: “P7@example.org” stands on line 9 already; keep one of the two\n"
        "2 of 100 lines are bad, so nothing was imported. "
        "Mend them, or import the good ones with --skip-bad.\n"
    )
    assert people(office) == []


def test_import_skip_bad_imports_the_rest_and_names_the_file_of_the_others(office):
    path = write(office, "email", "ann@example.org", "bad")
    answer = office.run("subscribers", "import", path, "--skip-bad", "--source", "sheet")
    rejects = office.root / "people.rejected.csv"
    assert (answer.code, answer.out) == (
        0,
        f"1 added; 1 rejected and written to {rejects}.\n1 of 1 chose no interests and gets the whole issue.\n",
    )
    assert answer.err == f"{path}:3: “bad” is no address: An email address must have an @-sign\n"
    assert rejects.read_text("utf-8").splitlines()[1:] == [
        "3,“bad” is no address: An email address must have an @-sign,bad"
    ]


@pytest.mark.parametrize("skip", [(), ("--skip-bad",)], ids=["all-or-nothing", "skip-bad"])
def test_import_json_is_one_object(office, skip):
    path = write(office, "email", "ann@example.org", "bad")
    answer = office.run("subscribers", "import", "--source", "sheet", path, "--json", *skip)
    assert (answer.code, answer.err) == (0 if skip else 1, "")
    assert one_json(answer) == {
        "file": path,
        "lines": 2,
        "bad": 1,
        "added": 1 if skip else 0,
        "known": 0,
        "kept_out": 0,
        "without_interests": 1 if skip else 0,
        "unused_columns": [],
        "rejects": str(office.root / "people.rejected.csv") if skip else None,
        "problems": [{"line": 3, "text": "“bad” is no address: An email address must have an @-sign"}],
    }


def test_import_of_a_file_that_cannot_be_understood_is_one_sentence(office):
    path = write(office, "post", "ann@example.org")
    answer = office.run("subscribers", "import", "--source", "sheet", path, "--json")
    assert (answer.code, answer.out) == (1, "")
    assert answer.err == (
        f"{path}:1: has no column “email” in its header “post”; columns are separated by , ; or tab\n"
        "1 mistake. Nothing was changed.\n"
    )


HARD = ["email,name,interests,language,city,ID no.", '"Ann@example.org","Smith, ""A""; Ann",green-jobs,fr,,7',
        "bücher@example.org,زينب,,ar,Genève,", "left@example.org,,cooperatives;social-finance,,,"]  # fmt: skip


def test_what_export_writes_import_reads(office, tmp_path):
    """The same people in the same states: who left here does not come back there."""
    office.run("subscribers", "import", "--source", "sheet", write(office, *HARD))
    office.run("subscribers", "remove", "left@example.org")
    before = people(office)
    exported = office.run("subscribers", "export")
    assert (exported.code, exported.err) == (0, "")
    path = tmp_path / "exported.csv"
    path.write_text(exported.out, "utf-8")
    (office.root / "subscribers/mailer.db").rename(tmp_path / "away.db")
    answer = office.run("subscribers", "import", "--source", "sheet", str(path))
    assert (answer.code, answer.out, people(office)) == (
        0,
        "3 added; kept but not used in mails: id no., city.\n1 of 3 chose no interests and gets the whole issue.\n",
        before,
    )
    assert before == [
        ("Ann@example.org", 'Smith, "A"; Ann', ("green-jobs",), "fr", {"id no.": "7"}, "active"),
        ("bücher@example.org", "زينب", (), "ar", {"city": "Genève"}, "active"),
        ("left@example.org", "", ("cooperatives", "social-finance"), "", {}, "unsubscribed"),
    ]
    assert office.run("subscribers", "export").out == exported.out


def test_export_of_nobody_is_a_header(office):
    assert office.run("subscribers", "export").out == "email,name,interests,language,state\n"


@pytest.mark.parametrize("command", ["export", "list"])
def test_everybody_as_json(office, command):
    office.run("subscribers", "import", "--source", "sheet", write(office, *HARD))
    data = one_json(office.run("subscribers", command, "--json"))
    assert [person.pop("changed_at")[-1] for person in data] == ["Z"] * 3
    assert data[:2] == [
        {"email": "Ann@example.org", "name": 'Smith, "A"; Ann', "interests": ["green-jobs"], "language": "fr",
         "fields": {"id no.": "7"}, "state": "active", "paused_until": ""},
        {"email": "bücher@example.org", "name": "زينب", "interests": [], "language": "ar",
         "fields": {"city": "Genève"}, "state": "active", "paused_until": ""},
    ]  # fmt: skip


@pytest.mark.parametrize("command", ["export", "list"])
def test_nobody_as_json(office, command):
    assert one_json(office.run("subscribers", command, "--json")) == []


def test_list_shows_the_first_hundred_and_says_how_many_there_are(office):
    write(office, "email", *(f"p{number:04d}@example.org" for number in range(1234)))
    office.run("subscribers", "import", "--source", "sheet", str(office.root / "people.csv"))
    answer = office.run("subscribers", "list")
    shown = [line.split()[0] for line in answer.out.splitlines() if "@" in line]
    assert shown == [f"p{number:04d}@example.org" for number in range(100)]
    assert answer.out.endswith("\n1,234 active.\n")
    assert answer.err == ("These are 100 of 1,234. More with --limit N.\nAll of them with: mailer subscribers export\n")
    assert office.run("subscribers", "list", "--limit", "3").out.count("@") == 3
    assert len(one_json(office.run("subscribers", "list", "--json"))) == 1234


def test_list_by_state(office):
    office.subscribe("ann@example.org", "bob@example.org", "carl@example.org")
    office.run("subscribers", "remove", "bob@example.org")
    answer = office.run("subscribers", "list", "--state", "unsubscribed")
    assert [line.split() for line in answer.out.splitlines() if "@" in line] == [
        ["bob@example.org", "none", "chosen", "unsubscribed"]
    ]
    assert (answer.code, answer.err, answer.out.splitlines()[-1]) == (0, "", "2 active, 1 unsubscribed.")
    nobody = office.run("subscribers", "list", "--state", "suppressed")
    assert (nobody.code, nobody.out, nobody.err) == (0, "", "Nobody is suppressed.\n")


def test_list_of_nobody_says_how_to_begin(office):
    answer = office.run("subscribers", "list")
    assert (answer.code, answer.out, answer.err) == (
        0, "", "Nobody yet. Begin with: mailer subscribers import FILE.csv\n")  # fmt: skip


def test_markup_in_names_is_shown_as_it_is(office):
    office.run("subscribers", "add", "ann@example.org", "--name", "[bold]Ann[/] :100:")
    assert "[bold]Ann[/] :100:" in office.run("subscribers", "list").out


def test_show_tells_what_somebody_got(office):
    office.subscribe("ann@example.org")
    office.plan()
    office.subscribe("bob@example.org")
    data = one_json(office.run("subscribers", "show", "ANN@example.org", "--json"))
    assert data == {"email": "ann@example.org", "name": "", "interests": [], "language": "", "fields": {},
                    "state": "active", "changed_at": NOW, "paused_until": "",
                    "issues": [{"issue": SLUG, "state": "queued", "settled_at": ""}]}  # fmt: skip
    assert one_json(office.run("subscribers", "show", "bob@example.org", "--json"))["issues"] == []
    assert f"{SLUG}: queued" in office.run("subscribers", "show", "ann@example.org").out


def test_add_confirms_and_normalises(office):
    arguments = (
        "Ann@EXAMPLE.org",
        "--name",
        "Ann Smith",
        "--interests",
        "green-jobs, cooperatives",
        "--language",
        "fr",
    )
    answer = office.run("subscribers", "add", *arguments)
    assert (answer.code, answer.out, answer.err) == (0, "Ann@example.org: added.\n", "")
    assert people(office) == [
        ("Ann@example.org", "Ann Smith", ("cooperatives", "green-jobs"), "fr", {}, "active")
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("add", "bob"), "Error: “bob” is no address: An email address must have an @-sign.\n"),
        (("add", "bob@example.org", "--interests", "green-job"),
         "Error: unknown interest “green-job”. Did you mean “green-jobs”?\n"),
        (("add", "ann@example.org"), "Error: ann@example.org is subscribed already; change them with: "
         "mailer subscribers change ann@example.org\n"),
        (("show", "bob@example.org"), NOBODY),
        (("remove", "bob@example.org"), NOBODY),
        (("erase", "bob@example.org", "--yes"), NOBODY),
        (("import", "none.csv"), "none.csv: there is no such file\n1 mistake. Nothing was changed.\n"),
    ],
    ids=["no-address", "interest", "there-already", "show", "remove", "erase", "no-file"],
)  # fmt: skip
@pytest.mark.parametrize("as_json", [(), ("--json",)], ids=["", "json"])
def test_what_cannot_be_done_is_one_sentence_on_standard_error(office, arguments, message, as_json):
    office.subscribe("ann@example.org")
    answer = office.run("subscribers", *arguments, *as_json)
    assert (answer.code, answer.out, answer.err) == (1, "", message)


@pytest.mark.parametrize(
    ("command", "state"), [("add", "added"), ("remove", "unsubscribed"), ("erase", "erased")]
)  # fmt: skip
def test_changes_confirm_in_json(office, command, state):
    if command != "add":
        office.subscribe("ann@example.org")
    yes = ["--yes"] if command == "erase" else []
    answer = office.run("subscribers", command, "ann@example.org", "--json", *yes)
    assert (answer.code, one_json(answer), answer.err) == (0, {"email": "ann@example.org", "state": state}, "")


def test_remove_says_the_state_it_left(office):
    office.room().store.audience.insert(
        Subscriber("ann@example.org", state=SubscriberState.SUPPRESSED), "ann@example.org", NOW
    )
    assert office.run("subscribers", "remove", "ann@example.org").out == "ann@example.org: suppressed.\n"


@pytest.mark.parametrize(
    ("typed", "code", "left"), [("y\n", 0, []), ("n\n", 1, ["ann@example.org"]), ("\n", 1, ["ann@example.org"]),
                                ("", 1, ["ann@example.org"])], ids=["y", "n", "return", "no-terminal"]
)  # fmt: skip
def test_erase_asks_first(office, typed, code, left):
    office.subscribe("ann@example.org")
    answer = office.run("subscribers", "erase", "ann@example.org", typed=typed)
    assert (answer.code, [person[0] for person in people(office)]) == (code, left)
    asked = "Erase ann@example.org? This cannot be undone. [y/N] "
    refused = "no answer\nNothing was changed: there is nobody to ask; --yes answers.\n"
    assert answer.err == asked + ("" if not code else "Nothing was changed.\n" if typed else refused)
    assert ("erased" in answer.out) == (code == 0)


def test_change_changes_and_confirms(office):
    office.subscribe(ann="cooperatives")
    answer = office.run("subscribers", "change", "ANN@example.org", "--interests", "Green jobs; social-finance,")
    assert (answer.code, answer.out, answer.err) == (0, "ann@example.org: changed.\n", "")
    office.run("subscribers", "change", "ann@example.org", "--name", "Ann", "--language", "fr")
    assert people(office) == [("ann@example.org", "Ann", ("green-jobs", "social-finance"), "fr", {}, "active")]
    nothing = office.run("subscribers", "change", "ann@example.org")
    assert (nothing.code, "say what to change: --name, --interests or --language" in " ".join(nothing.err.split())) == (
        2, True)  # fmt: skip


@pytest.mark.parametrize("arguments", [("--limit", "0"), ("--state", "gone"), ("--no-such",)], ids=" ".join)
def test_wrong_usage_is_exit_code_2(office, arguments):
    answer = office.run("subscribers", "list", *arguments)
    assert (answer.code, answer.out) == (2, "")


def test_as_a_process_of_its_own(office):
    """Import, export and a reader that stops reading, as a shell runs them."""
    path = write(office, "email;name", *(f"p{number}@example.org;Zoë {number}" for number in range(3000)))
    done = finish(office.start("subscribers", "import", "--source", "sheet", path, "--json"))
    assert (done.code, json.loads(done.out)["added"], done.err) == (0, 3000, "")
    for words, first in ((("export",), "email,name,interests,language,state\n"), (("list", "--json"), "[\n")):
        writing = office.start("subscribers", *words)
        assert writing.stdout.readline() == first
        writing.stdout.close()
        assert (writing.stderr.read(), writing.wait() < 2) == ("", True)
