-- A database as version 0001 left it. Never change it: such databases are out there.
BEGIN TRANSACTION;
CREATE TABLE "_sqlite_migrations" (
   "id" INTEGER PRIMARY KEY,
   "migration_set" TEXT,
   "name" TEXT,
   "applied_at" TEXT
);
INSERT INTO "_sqlite_migrations" VALUES(1,'mailer','0001_first','2018-12-14 08:00:00.000000+00:00');
CREATE TABLE attempts (
    send_id INTEGER NOT NULL REFERENCES sends (id) ON DELETE CASCADE,
    subscriber_id INTEGER NOT NULL,
    at TEXT NOT NULL,
    step TEXT NOT NULL,
    code INTEGER NOT NULL,
    reply TEXT NOT NULL
);
INSERT INTO "attempts" VALUES(1,1,'2018-12-14T08:00:00Z','rcpt',450,'greylisted');
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
INSERT INTO "deliveries" VALUES(1,1,1,'accepted',2,0,'Ann@example.org',250,'2.0.0','queued','content','','2018-12-14T08:10:00Z');
INSERT INTO "deliveries" VALUES(1,2,1,'skipped',0,0,'',0,'','unsubscribed since the send was planned','','','2018-12-14T08:10:00Z');
CREATE TABLE editions (
    id INTEGER PRIMARY KEY,
    send_id INTEGER NOT NULL REFERENCES sends (id) ON DELETE CASCADE,
    key TEXT NOT NULL,
    selection TEXT NOT NULL,
    UNIQUE (send_id, key)
);
INSERT INTO "editions" VALUES(1,1,'0123456789ab','["tokyo-2020"]');
CREATE TABLE sends (
    id INTEGER PRIMARY KEY,
    issue TEXT NOT NULL UNIQUE,
    planned_at TEXT NOT NULL,
    fingerprint TEXT NOT NULL,
    seconds REAL NOT NULL DEFAULT 0
);
INSERT INTO "sends" VALUES(1,'2018-12','2018-12-14T08:00:00Z','{"issue.md": "abc"}',1.5);
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
INSERT INTO "subscribers" VALUES(1,'Ann@example.org','ann@example.org','Ann Smith','cooperatives;green-jobs','fr','{"city": "Genève"}','active','2018-12-14T08:00:00Z','2018-12-14T08:00:00Z');
INSERT INTO "subscribers" VALUES(2,'bob@example.org','bob@example.org','','','','','unsubscribed','2018-12-14T08:00:00Z','2019-01-10T08:00:00Z');
CREATE TABLE suppressions (
    address_hash TEXT PRIMARY KEY,
    reason TEXT NOT NULL,
    suppressed_at TEXT NOT NULL
) WITHOUT ROWID;
INSERT INTO "suppressions" VALUES('00112233445566778899aabbccddeeff','erased','2018-12-14T08:00:00Z');
CREATE UNIQUE INDEX "idx__sqlite_migrations_migration_set_name"
    ON "_sqlite_migrations" ("migration_set", "name");
CREATE INDEX deliveries_due ON deliveries (send_id, next_at) WHERE state = 'deferred';
CREATE INDEX deliveries_claimed ON deliveries (send_id) WHERE state = 'claimed';
CREATE INDEX attempts_of ON attempts (send_id, subscriber_id)
;
DELETE FROM "sqlite_sequence";
INSERT INTO "sqlite_sequence" VALUES('subscribers',2);
COMMIT;
