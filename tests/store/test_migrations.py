"""Opening a database: new, old, newer, somebody else's, busy, or not to be opened at all."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from conftest import ROOT
from people import NOW

from mailer.errors import StoreError
from mailer.models import Balance, Delivery, DeliveryState, Subscriber, SubscriberState
from mailer.store import open_store
from mailer.store.journal import JournalTable
from mailer.store.sqlite import Database, open_database
from mailer.store.subscribers import SubscriberTable

OLD = Path(__file__).with_name("0001.sql")


def dump(path: Path) -> list[str]:
    with closing(sqlite3.connect(path)) as connection:
        return list(connection.iterdump())


def columns(path: Path) -> set[tuple[str, ...]]:
    with closing(sqlite3.connect(path)) as connection:
        tables = [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        return {(table, *row[1:]) for table in tables for row in connection.execute(f"PRAGMA table_info('{table}')")}


def make_old(path: Path) -> Path:
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(OLD.read_text("utf-8"))
    return path


def test_a_database_of_the_first_version_opens_and_keeps_its_data(tmp_path):
    make_old(tmp_path / "mailer.db")
    with closing(open_store("sqlite:mailer.db", tmp_path, bytes)) as store:
        ann = Subscriber("Ann@example.org", "Ann Smith", ("cooperatives", "green-jobs"), "fr", {"city": "Genève"}, id=1,
                         changed_at=NOW)  # fmt: skip
        bob = Subscriber("bob@example.org", state=SubscriberState.UNSUBSCRIBED, id=2, changed_at="2019-01-10T08:00:00Z")
        assert list(store.audience.all()) == [ann, bob]
        assert store.audience.is_suppressed("00112233445566778899aabbccddeeff")
        assert store.sendlog.balance("2018-12") == Balance(
            "2018-12", audience=2, accepted=1, skipped=1, editions=1, seconds=1.5
        )
        assert store.sendlog.delivery("2018-12", 1) == Delivery(
            *(1, "Ann@example.org", DeliveryState.ACCEPTED, 2, 250, "2.0.0", "queued", "content", "0123456789ab"),
            *(NOW, "", "2018-12-14T08:10:00Z"),
        )
        assert store.sendlog.attempts("2018-12", 1) == [(NOW, "rcpt", 450, "greylisted")]


def test_an_old_database_becomes_what_a_new_one_is(tmp_path):
    """A change to the schema is a new migration, never another first one."""
    for path in (make_old(tmp_path / "old.db"), tmp_path / "new.db"):
        open_database(path).close()
    assert columns(tmp_path / "old.db") == columns(tmp_path / "new.db")


def test_opening_again_changes_nothing(tmp_path):
    path = tmp_path / "mailer.db"
    open_database(path).close()
    before = dump(path)
    open_database(path).close()
    assert dump(path) == before


def test_a_newer_database_is_named_and_left_alone(tmp_path):
    path = make_old(tmp_path / "mailer.db")
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("INSERT INTO _sqlite_migrations VALUES (9, 'mailer', '0999_later', '')")
    before = dump(path)
    with pytest.raises(StoreError) as caught:
        open_database(path)
    assert str(caught.value) == f"{path} was made by a newer mailer (0999_later). Update this one"
    assert dump(path) == before


def test_what_another_tool_migrated_in_the_same_file_does_not_matter(tmp_path):
    path = make_old(tmp_path / "mailer.db")
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("INSERT INTO _sqlite_migrations VALUES (9, 'another', '0999_later', '')")
    for each in (path, tmp_path / "new.db"):
        open_database(each).close()
    assert columns(path) == columns(tmp_path / "new.db")


def test_commits_survive_a_killed_process_without_an_fsync_each(tmp_path):
    """WAL with synchronous=NORMAL (1): https://www.sqlite.org/wal.html, section 2.3."""
    with closing(open_database(tmp_path / "mailer.db")) as database:
        settings = {name: database.execute(f"PRAGMA {name}").fetchone()[0]
                    for name in ("journal_mode", "synchronous", "foreign_keys", "secure_delete")}  # fmt: skip
    assert settings == {"journal_mode": "wal", "synchronous": 1, "foreign_keys": 1, "secure_delete": 1}


def test_a_file_that_is_no_database_is_named_and_left_alone(tmp_path):
    path = tmp_path / "mailer.db"
    path.write_text("email,name\n" * 200, "utf-8")
    with pytest.raises(StoreError) as caught:
        open_database(path)
    assert str(caught.value) == (
        f"{path}: file is not a database. "
        "Name another file under [store] in the configuration, or move this one away"
    )  # fmt: skip
    assert path.read_text("utf-8") == "email,name\n" * 200


def test_a_damaged_database_is_named(tmp_path):
    path = tmp_path / "mailer.db"
    open_database(path).close()
    content = bytearray(path.read_bytes())
    content[100:4096] = b"\xff" * 3996  # the page that lists the tables
    path.write_bytes(content)
    with pytest.raises(StoreError, match=r"malformed.*Put the latest backup in its place"):
        open_database(path)


@pytest.mark.parametrize(
    ("place", "message"),
    [
        ("folder", "{path}: unable to open database file. Look at the name and at the rights of its folder"),
        ("file/mailer.db", "{folder}: cannot be made: File exists"),
        ("file/sub/mailer.db", "{folder}: cannot be made: Not a directory"),
    ],
    ids=["a-folder", "in-a-file", "below-a-file"],
)
def test_a_place_where_no_database_can_be_is_named(tmp_path, place, message):
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").touch()
    path = tmp_path / place
    with pytest.raises(StoreError) as caught:
        open_database(path)
    assert str(caught.value) == message.format(path=path, folder=path.parent)


@pytest.mark.skipif(sys.platform != "linux", reason="/proc takes no new files, not even from root")
def test_a_read_only_folder_is_named():
    with pytest.raises(StoreError, match=r"^/proc/mailer.db: unable to open database file. Look at the name"):
        open_database(Path("/proc/mailer.db"))


def test_a_locked_database_is_named(tmp_path):
    path = tmp_path / "mailer.db"
    with closing(open_database(path)) as one, closing(open_database(path, timeout=0.01)) as other:
        table = SubscriberTable(other, JournalTable(other, bytes))
        with one.atomic(), pytest.raises(StoreError) as caught:
            table.insert(Subscriber("ann@example.org"), "ann@example.org", NOW)
        assert str(caught.value) == (
            f"{path}: database is locked. Another process keeps it busy; wait for that to end, then try again"
        )
        table.insert(Subscriber("ann@example.org"), "ann@example.org", NOW)
        assert [person.email for person in SubscriberTable(one, JournalTable(one, bytes)).all()] == ["ann@example.org"]


def test_a_transaction_that_reads_first_can_still_write(tmp_path):
    """Begun as a reader it would fail with SQLITE_BUSY_SNAPSHOT when another process wrote in between."""
    path = tmp_path / "mailer.db"
    with closing(open_database(path)) as one, closing(open_database(path, timeout=0.01)) as other:
        mine, theirs = (
            SubscriberTable(one, JournalTable(one, bytes)),
            SubscriberTable(other, JournalTable(other, bytes)),
        )
        with one.atomic():
            assert mine.find("ann@example.org") is None
            with pytest.raises(StoreError, match="database is locked"):
                theirs.insert(Subscriber("ann@example.org"), "ann@example.org", NOW)
            mine.insert(Subscriber("ann@example.org", "mine"), "ann@example.org", NOW)
        assert [person.name for person in theirs.all()] == ["mine"]


def write_and_fail(database: Database, email: str, error: type[BaseException]) -> None:
    with database.atomic():
        SubscriberTable(database, JournalTable(database, bytes)).insert(Subscriber(email), email, NOW)
        raise error


def test_an_exception_undoes_the_transaction_around_it(tmp_path):
    with closing(open_database(tmp_path / "mailer.db")) as database:
        table = SubscriberTable(database, JournalTable(database, bytes))
        with database.atomic():
            table.insert(Subscriber("ann@example.org"), "ann@example.org", NOW)
            with pytest.raises(KeyError):
                write_and_fail(database, "bob@example.org", KeyError)
        with pytest.raises(KeyboardInterrupt):
            write_and_fail(database, "carl@example.org", KeyboardInterrupt)
        assert [person.email for person in table.all()] == ["ann@example.org"]


WRITER = """
import sys
from pathlib import Path
from mailer.models import Subscriber
from mailer.store.journal import JournalTable
from mailer.store.sqlite import Database, open_database
from mailer.store.subscribers import SubscriberTable

print("ready", flush=True)
sys.stdin.readline()
database = open_database(Path(sys.argv[1]))
table = SubscriberTable(database, JournalTable(database, bytes))
for number in range(50):
    with database.atomic():
        assert table.find("nobody@example.org") is None
        table.insert(Subscriber("x"), f"{sys.argv[2]}.{number}@example.org", "")
database.close()
"""


def test_several_processes_make_and_fill_one_database_at_once(tmp_path):
    path, pipe = tmp_path / "mailer.db", subprocess.PIPE
    writers = [
        subprocess.Popen([sys.executable, "-c", WRITER, path, name], cwd=ROOT, stdin=pipe, stdout=pipe, stderr=pipe)
        for name in ("a", "b", "c")
    ]
    for writer in writers:
        writer.stdout.readline()
    for writer in writers:
        writer.stdin.write(b"\n")
        writer.stdin.flush()
    said = [writer.communicate()[1].decode() for writer in writers]
    assert (said, [writer.returncode for writer in writers]) == ([""] * 3, [0] * 3)
    with closing(open_database(path)) as database:
        assert SubscriberTable(database, JournalTable(database, bytes)).counts() == {SubscriberState.ACTIVE: 150}
        verified = JournalTable(database, bytes).verify()
        assert (verified.rows, verified.problems) == (150, ())
