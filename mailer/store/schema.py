"""The tables, as a row of migrations: each is applied once, in this order, and never changed after a release."""

from __future__ import annotations

import sqlite_utils
from sqlite_utils.migrations import Migrations

migrations = Migrations("mailer")
names: set[str] = set()


def _migration(name: str, statements: str) -> None:
    """An empty line stands between two statements."""
    names.add(name)

    @migrations(name=name)
    def apply(db: sqlite_utils.Database) -> None:
        for statement in statements.split(";\n\n"):
            db.execute(statement)


# AUTOINCREMENT: a number is never given twice, since signed links and send logs name people by it.
# The states stand in OR, not in IN (...), whose list SQLite builds anew for each row: 0.65 s a million.
# `offered` is 1 from just before the content goes out until a reply is recorded.
_migration(
    "0001_first",
    """
CREATE TABLE subscribers (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    email TEXT NOT NULL,
    email_key TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL DEFAULT '',
    interests TEXT NOT NULL DEFAULT '',
    language TEXT NOT NULL DEFAULT '',
    fields TEXT NOT NULL DEFAULT '',
    state TEXT NOT NULL DEFAULT 'active' CHECK (state = 'active' OR state = 'unsubscribed' OR state = 'suppressed'),
    created_at TEXT NOT NULL,
    changed_at TEXT NOT NULL
);

CREATE TABLE suppressions (
    address_hash TEXT PRIMARY KEY,
    reason TEXT NOT NULL,
    suppressed_at TEXT NOT NULL
) WITHOUT ROWID;

CREATE TABLE sends (
    id INTEGER PRIMARY KEY,
    issue TEXT NOT NULL UNIQUE,
    planned_at TEXT NOT NULL,
    fingerprint TEXT NOT NULL,
    seconds REAL NOT NULL DEFAULT 0
);

CREATE TABLE editions (
    id INTEGER PRIMARY KEY,
    send_id INTEGER NOT NULL REFERENCES sends (id) ON DELETE CASCADE,
    key TEXT NOT NULL,
    selection TEXT NOT NULL,
    UNIQUE (send_id, key)
);

CREATE TABLE deliveries (
    send_id INTEGER NOT NULL REFERENCES sends (id) ON DELETE CASCADE,
    subscriber_id INTEGER NOT NULL,
    edition_id INTEGER,
    state TEXT NOT NULL CHECK (
        state = 'queued' OR state = 'claimed' OR state = 'accepted' OR state = 'refused'
        OR state = 'deferred' OR state = 'unknown' OR state = 'skipped'
    ),
    attempts INTEGER NOT NULL DEFAULT 0,
    offered INTEGER NOT NULL DEFAULT 0,
    email TEXT NOT NULL DEFAULT '',
    code INTEGER NOT NULL DEFAULT 0,
    enhanced TEXT NOT NULL DEFAULT '',
    reply TEXT NOT NULL DEFAULT '',
    step TEXT NOT NULL DEFAULT '',
    next_at TEXT NOT NULL DEFAULT '',
    settled_at TEXT NOT NULL DEFAULT '',
    PRIMARY KEY (send_id, subscriber_id)
) WITHOUT ROWID;

CREATE INDEX deliveries_due ON deliveries (send_id, next_at) WHERE state = 'deferred';

CREATE INDEX deliveries_claimed ON deliveries (send_id) WHERE state = 'claimed';

CREATE TABLE attempts (
    send_id INTEGER NOT NULL REFERENCES sends (id) ON DELETE CASCADE,
    subscriber_id INTEGER NOT NULL,
    at TEXT NOT NULL,
    step TEXT NOT NULL,
    code INTEGER NOT NULL,
    reply TEXT NOT NULL
);

CREATE INDEX attempts_of ON attempts (send_id, subscriber_id)
""",
)

# `minute` is that of the Unix epoch. What was sent is counted by minutes, so that a limit an hour or a day rolls on.
_migration(
    "0002_pace",
    """
CREATE TABLE paced (
    name TEXT NOT NULL,
    minute INTEGER NOT NULL,
    count INTEGER NOT NULL,
    PRIMARY KEY (name, minute)
) WITHOUT ROWID;

CREATE TABLE warmups (
    sender TEXT PRIMARY KEY,
    began_minute INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TABLE slowdowns (
    send_id INTEGER NOT NULL REFERENCES sends (id) ON DELETE CASCADE,
    at TEXT NOT NULL,
    name TEXT NOT NULL,
    rate REAL NOT NULL,
    reply TEXT NOT NULL
);

ALTER TABLE sends ADD COLUMN begin_at TEXT NOT NULL DEFAULT ''
""",
)

# SQLite cannot change a CHECK, so the table is made anew; the highest number ever given goes with it.
# A part of the journal's row stands in the clear with its salt, or, once it was removed, as its seal (journal.py).
_migration(
    "0003_consent",
    """
CREATE TABLE people (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    email TEXT NOT NULL,
    email_key TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL DEFAULT '',
    interests TEXT NOT NULL DEFAULT '',
    language TEXT NOT NULL DEFAULT '',
    fields TEXT NOT NULL DEFAULT '',
    state TEXT NOT NULL DEFAULT 'active' CHECK (
        state = 'pending' OR state = 'active' OR state = 'unsubscribed' OR state = 'suppressed'
    ),
    paused_until TEXT NOT NULL DEFAULT '',
    created_at TEXT NOT NULL,
    changed_at TEXT NOT NULL
);

INSERT INTO people (id, email, email_key, name, interests, language, fields, state, created_at, changed_at)
SELECT id, email, email_key, name, interests, language, fields, state, created_at, changed_at FROM subscribers;

DELETE FROM sqlite_sequence WHERE name = 'people';

INSERT INTO sqlite_sequence (name, seq) SELECT 'people', seq FROM sqlite_sequence WHERE name = 'subscribers';

DROP TABLE subscribers;

ALTER TABLE people RENAME TO subscribers;

CREATE TABLE journal (
    number INTEGER PRIMARY KEY,
    at TEXT NOT NULL,
    subscriber_id INTEGER NOT NULL,
    event TEXT NOT NULL,
    channel TEXT NOT NULL,
    details TEXT,
    details_salt BLOB,
    details_seal BLOB,
    trace TEXT,
    trace_salt BLOB,
    trace_seal BLOB,
    hash BLOB NOT NULL
);

CREATE INDEX journal_of ON journal (subscriber_id);

CREATE TABLE journal_head (
    only INTEGER PRIMARY KEY CHECK (only = 1),
    number INTEGER NOT NULL,
    hash BLOB NOT NULL,
    seal BLOB NOT NULL
);

CREATE TABLE wordings (
    id TEXT PRIMARY KEY,
    kind TEXT NOT NULL,
    language TEXT NOT NULL,
    text TEXT NOT NULL
) WITHOUT ROWID;

CREATE TABLE asks (
    key TEXT NOT NULL,
    at TEXT NOT NULL
);

CREATE INDEX asks_of ON asks (key, at)
""",
)

# What was sent, for the archive: it must not change with issue.md, the template or a picture.
_migration(
    "0004_snapshots",
    """
CREATE TABLE snapshots (
    send_id INTEGER PRIMARY KEY REFERENCES sends (id) ON DELETE CASCADE,
    facts BLOB NOT NULL,
    pages BLOB NOT NULL
);

CREATE TABLE published_files (
    send_id INTEGER NOT NULL REFERENCES sends (id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    content BLOB NOT NULL,
    PRIMARY KEY (send_id, name)
)
""",
)

# What the reader's pages have to mail. A row goes when its mail is out, so that no address stays here.
_migration(
    "0005_letters",
    """
CREATE TABLE letters (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    content TEXT NOT NULL,
    tries INTEGER NOT NULL DEFAULT 0,
    due TEXT NOT NULL
);

CREATE INDEX letters_due ON letters (due)
""",
)
