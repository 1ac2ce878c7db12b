"""The tables, as a row of migrations: each is applied once, in this order, and never changed after a release."""

from __future__ import annotations

from collections.abc import Callable

import sqlite_utils
from sqlite_utils.migrations import Migrations

_Step = Callable[[sqlite_utils.Database], None]
migrations = Migrations("mailer")
names: set[str] = set()


def _migration(name: str) -> Callable[[_Step], _Step]:
    names.add(name)
    return migrations(name=name)


@_migration("0001_first")
def _first(db: sqlite_utils.Database) -> None:
    for statement in _SCHEMA_0001.split(";\n\n"):
        db.execute(statement)


# AUTOINCREMENT: a number is never given twice, since signed links and send logs name people by it.
# The states stand in OR, not in IN (...), whose list SQLite builds anew for each row: 0.65 s a million.
# `offered` is 1 from just before the content goes out until a reply is recorded.
_SCHEMA_0001 = """
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
"""
