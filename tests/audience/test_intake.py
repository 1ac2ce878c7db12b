"""An import is one transaction: all of it, all but the rejected lines, or nothing."""

from __future__ import annotations

import csv
import os
import signal
import subprocess
import sys
from contextlib import closing
from itertools import combinations
from pathlib import Path

import pytest
from conftest import ROOT, SECRET
from hypothesis import given
from hypothesis import strategies as st
from people import CONFIG, NOW, TOKENS, import_file, new_store, subscribe

from mailer.audience import subscribers
from mailer.audience.intake import BATCH, Report, import_csv
from mailer.errors import MailerError
from mailer.models import Subscriber, SubscriberState
from mailer.store import open_store

LEFT = SubscriberState.UNSUBSCRIBED
BARRED = SubscriberState.SUPPRESSED


def write(folder: Path, *lines: str, name: str = "people.csv") -> Path:
    path = folder / name
    path.write_text("\n".join(lines) + "\n", "utf-8")
    return path


def test_the_sample_audience_has_240_people_with_every_combination_of_interests():
    done = import_file(ROOT / "subscribers/sample.csv")
    assert (done.problems, done.report) == ([], Report(lines=240, bad=0, added=240, without_interests=10))
    every = {frozenset(some) for count in range(5) for some in combinations(CONFIG.interests, count)}
    assert {frozenset(person.interests) for person in done.people} == every


def test_with_one_bad_line_nothing_is_imported(tmp_path):
    lines = [f"p{number}@example.org" for number in range(2 * BATCH)]
    done = import_file(write(tmp_path, "email", *lines, "bad"))
    assert done.problems == [f"people.csv:{2 * BATCH + 2}: “bad” is no address: An email address must have an @-sign"]
    assert (done.report, done.people) == (Report(lines=2 * BATCH + 1, bad=1), [])
    assert list(tmp_path.iterdir()) == [tmp_path / "people.csv"]


def test_bad_lines_of_every_kind_are_listed_in_file_order_across_batches(tmp_path):
    good = [f"p{number}@example.org,en" for number in range(BATCH)]
    path = write(tmp_path, "email,language", *good, "bad,en", "P7@example.org,en", "q@example.org", "p8@example.org,en")
    assert import_file(path).problems == [
        "people.csv:2002: “bad” is no address: An email address must have an @-sign",
        "people.csv:2003: “P7@example.org” stands on line 9 already; keep one of the two",
        "people.csv:2004: has 1 field where the header has 2; put a value that holds a , between double quotes",
        "people.csv:2005: “p8@example.org” stands on line 10 already; keep one of the two",
    ]


def test_people_known_already_are_left_as_they_are(tmp_path):
    store = new_store()
    subscribe(store, Subscriber("Ann@example.org", "Ann", ("green-jobs",)))
    before = list(store.audience.all())
    done = import_file(write(tmp_path, "email,name", "ann@EXAMPLE.org,Anna", "bob@example.org,Bob"), store)
    assert done.report == Report(lines=2, bad=0, added=1, known=1, without_interests=1)
    assert list(store.audience.all())[:1] == before


@pytest.mark.parametrize("written", ["ann@example.org", "ANN@Example.ORG"])
@pytest.mark.parametrize("skip_bad", [False, True])
def test_who_left_or_was_suppressed_or_erased_never_comes_back(tmp_path, written, skip_bad):
    path = write(tmp_path, "email,state", f"{written},active")
    for leave in ("remove", "suppress", "erase"):
        store = new_store()
        subscribe(store, "Ann@example.org")
        if leave == "remove":
            subscribers.remove(store.audience, "ann@example.org", NOW)
        elif leave == "suppress":
            store.audience.set_state(1, BARRED, NOW)
        else:
            subscribers.erase(store.audience, TOKENS, "ann@example.org", NOW)
        before = list(store.audience.all())
        done = import_file(path, store, skip_bad=skip_bad)
        assert (done.problems, done.report) == ([], Report(lines=1, bad=0, kept_out=1)), leave
        assert list(store.audience.all()) == before


def test_a_state_column_keeps_out_who_left_elsewhere(tmp_path):
    """Such as `export` writes: who is unsubscribed there must not be active here."""
    lines = ["email,state,city", "ann@example.org,active,Rome", "bob@example.org,unsubscribed,", "carl@example.org,,",
             "dora@example.org,suppressed,"]  # fmt: skip
    done = import_file(write(tmp_path, *lines))
    assert done.people == [
        Subscriber("ann@example.org", fields={"city": "Rome"}),
        Subscriber("bob@example.org", state=LEFT),
        Subscriber("carl@example.org"),
        Subscriber("dora@example.org", state=BARRED),
    ]
    assert done.store.audience.segments()[0].count == 2


def test_the_report_counts_added_people_who_get_the_whole_issue_and_names_columns_without_use(tmp_path):
    """Who is known already, chose something, or left elsewhere does not count."""
    store = new_store()
    subscribe(store, "known@example.org")
    lines = ["email,interests,state,phone,City", "known@example.org,,,,", "ann@example.org,,,1,", "bob@example.org,,,,",
             "carl@example.org,green-jobs,,,", "left@example.org,,unsubscribed,,"]  # fmt: skip
    assert import_file(write(tmp_path, *lines), store).report == Report(
        lines=5, bad=0, added=4, known=1, without_interests=2, unused_columns=("phone", "city")
    )


def test_a_state_that_is_none_is_named(tmp_path):
    assert import_file(write(tmp_path, "email,state", "a@example.org,Ohio", "b@example.org,unsubscribe")).problems == [
        "people.csv:2: unknown state “Ohio”. Known are: pending, active, unsubscribed, suppressed",
        "people.csv:3: unknown state “unsubscribe”. Did you mean “unsubscribed”?",
    ]


def test_skipped_lines_are_written_beside_the_input_as_they_were(tmp_path):
    path = write(tmp_path, "email;name;interests;city", 'ann@example.org;"Ann; A";;Rome', "ANN@example.org;Anna;;",
                 'bob;Bob;"green-jobs;x";Oslo', "carl@example.org;Carl", 'dora@example.org;"Dora;;')  # fmt: skip
    done = import_file(path, skip_bad=True)
    rejects = tmp_path / "people.rejected.csv"
    assert done.report == Report(
        lines=5, bad=4, added=1, without_interests=1, unused_columns=("city",), rejects=rejects
    )
    assert done.people == [Subscriber("ann@example.org", "Ann; A", fields={"city": "Rome"})]
    with rejects.open(encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file, delimiter=";"))
    texts = [problem.partition(": ")[2] for problem in done.problems]
    assert rows == [
        ["rejected_line", "rejected_because", "email", "name", "interests", "city"],
        ["3", texts[0], "ANN@example.org", "Anna", "", ""],
        ["4", texts[1], "bob", "Bob", "green-jobs;x", "Oslo"],
        ["5", texts[2], "carl@example.org", "Carl"],
        ["6", texts[3], 'dora@example.org;"Dora;;'],
    ]


def test_mended_rejects_can_be_imported_and_rejected_again(tmp_path):
    first = import_file(write(tmp_path, "email,city", "bob,Oslo", "carl,Rome", "dora@example.org,Bern"), skip_bad=True)
    rejects = first.report.rejects
    rejects.write_text(rejects.read_text("utf-8").replace(",bob,", ",bob@example.org,"), "utf-8")
    second = import_file(rejects, first.store, skip_bad=True)
    assert second.people == [
        Subscriber("dora@example.org", fields={"city": "Bern"}),
        Subscriber("bob@example.org", fields={"city": "Oslo"}),
    ]
    assert second.report.rejects.read_text("utf-8") == (
        "rejected_line,rejected_because,email,city\n"
        "3,“carl” is no address: An email address must have an @-sign,carl,Rome\n"
    )


def test_rejects_are_never_written_over_others(tmp_path):
    """Somebody may have mended half of them."""
    path = write(tmp_path, "email", "bob", "ann@example.org")
    written = [import_file(path, skip_bad=True).report.rejects.name for _ in range(3)]
    assert written == ["people.rejected.csv", "people.rejected-2.csv", "people.rejected-3.csv"]


def interrupt(position):
    raise KeyboardInterrupt


def test_an_interrupted_import_leaves_no_rejects(tmp_path):
    path, store = write(tmp_path, "email", "bob", "ann@example.org"), new_store()
    with pytest.raises(KeyboardInterrupt):
        import_csv(path, "", store.audience, CONFIG, TOKENS, NOW, skip_bad=True, on_progress=interrupt)
    assert (list(tmp_path.iterdir()), list(store.audience.all())) == ([path], [])


def test_without_bad_lines_there_is_no_file_of_rejects(tmp_path):
    done = import_file(write(tmp_path, "email", "ann@example.org"), skip_bad=True)
    assert (done.report, list(tmp_path.iterdir())) == (
        Report(lines=1, bad=0, added=1, without_interests=1),
        [tmp_path / "people.csv"],
    )


def test_rejects_that_cannot_be_written_stop_the_import():
    """The input is a pipe in /proc, where no file can be made beside it."""
    reader, writer = os.pipe()
    with os.fdopen(reader), os.fdopen(writer, "w") as file:
        file.write("email\nann@example.org\nbob\n")
        file.close()
        store = new_store()
        with pytest.raises(MailerError, match=r"^rejected lines cannot be written to /proc/self/fd/"):
            import_file(Path(f"/proc/self/fd/{reader}"), store, skip_bad=True)
    assert list(store.audience.all()) == []


@given(st.lists(st.sampled_from(["Ann", "ann", "BOB", "bob", "carl", "dora", "bad one"]), min_size=1, max_size=20))
def test_every_line_is_counted_once(tmp_path_factory, names):
    """Lines = added + known + kept out + bad, whatever stands in the file and whoever is there."""
    store = new_store()
    subscribe(store, "ann@example.org", Subscriber("bob@example.org", state=LEFT))
    path = write(tmp_path_factory.getbasetemp(), "email", *(f"{name}@example.org" for name in names), name="count.csv")
    report = import_file(path, store, skip_bad=True).report
    assert report.lines == len(names) == report.added + report.known + report.kept_out + report.bad
    assert len(list(store.audience.all())) == 2 + report.added
    if report.rejects:
        report.rejects.unlink()


IMPORT = """
import os, re, sys
from pathlib import Path
from mailer.audience.intake import import_csv
from mailer.newsroom import Newsroom
from mailer.store import open_store

def progress(position):
    if "PAUSE" in os.environ:
        print(position, flush=True)
        sys.stdin.readline()

room, file = Newsroom.open(Path(os.environ["ROOT"])), Path(sys.argv[1])
store = open_store(f"sqlite:{file.stem}.db", file.parent, bytes)
report = import_csv(file, file.name, store.audience, room.config, room.tokens, "2018-12-14T08:00:00Z", skip_bad=True,
                    on_progress=progress)
print(report.added, report.bad, re.search(r"VmHWM:\\s*(\\d+) kB", Path("/proc/self/status").read_text())[1])
"""


def importer(file: Path, **env: str) -> subprocess.Popen[str]:
    """An import in a process of its own."""
    env |= {"ROOT": str(ROOT), "PYTHONPATH": str(ROOT), "MAILER_SECRET_KEY": SECRET}
    pipe = subprocess.PIPE
    return subprocess.Popen([sys.executable, "-c", IMPORT, file], stdin=pipe, stdout=pipe, text=True, env=env)


def test_a_killed_import_leaves_nothing(tmp_path):
    path = write(tmp_path, "email", *(f"p{number}@example.org" for number in range(3 * BATCH)))
    with importer(path, PAUSE="1") as process:
        positions = [int(process.stdout.readline())]
        process.stdin.write("\n")
        process.stdin.flush()
        positions.append(int(process.stdout.readline()))
        process.kill()
    assert (process.returncode, 0 < positions[0] < positions[1]) == (-signal.SIGKILL, True)
    with closing(open_store("sqlite:people.db", tmp_path, bytes)) as store:
        assert list(store.audience.all()) == []
        assert import_file(path, store).report == Report(
            lines=3 * BATCH, bad=0, added=3 * BATCH, without_interests=3 * BATCH
        )


@pytest.mark.skipif(sys.platform != "linux", reason="reads the peak from /proc; ru_maxrss counts the parent's, too")
def test_memory_does_not_grow_with_the_file(tmp_path):
    """40,000 lines more, a tenth of them bad: less than 4 MB more. A list of their records takes 25."""
    peaks = []
    for count in (20_000, 60_000):
        fresh = count * 9 // 10
        lines = (f"p{number % fresh}@example.org,Person {number},Town {number}" for number in range(count))
        path = write(tmp_path, "email,name,town", *lines, name=f"{count}.csv")
        added, bad, peak = map(int, importer(path).communicate()[0].split())
        assert (added, bad) == (fresh, count - fresh)
        peaks.append(peak / 1024)
    assert peaks[1] - peaks[0] < 4
