"""The journal's tables, as forward-only migrations. A released one is never edited; add the next.

Times are whole milliseconds since 1970, UTC. No column holds an identifier in clear: local ids are
a keyed digest and a sealed value.
"""

from typing import Final

MIGRATIONS: Final = (
    """
    CREATE TABLE gateway (
        id INTEGER PRIMARY KEY CHECK (id = 1),
        gateway_id TEXT NOT NULL,
        token TEXT NOT NULL,
        server_url TEXT NOT NULL,
        enrolled_ms INTEGER NOT NULL
    ) STRICT;

    -- One (project, site): the owner of a site key and of a numbering of subjects.
    CREATE TABLE scopes (
        scope_id INTEGER PRIMARY KEY,
        project_name TEXT NOT NULL,
        site_code TEXT NOT NULL,
        key_check TEXT,
        created_ms INTEGER NOT NULL,
        UNIQUE (project_name, site_code)
    ) STRICT;

    CREATE TABLE channels (
        channel_id TEXT PRIMARY KEY,
        scope_id INTEGER NOT NULL REFERENCES scopes,
        setup BLOB NOT NULL,
        is_active INTEGER NOT NULL CHECK (is_active IN (0, 1)),
        updated_ms INTEGER NOT NULL
    ) STRICT;

    -- The link table. It exists only here.
    CREATE TABLE subjects (
        scope_id INTEGER NOT NULL REFERENCES scopes,
        local_id_mac BLOB NOT NULL,
        sealed_local_id BLOB NOT NULL,
        number INTEGER NOT NULL,
        code TEXT NOT NULL,
        created_ms INTEGER NOT NULL,
        PRIMARY KEY (scope_id, local_id_mac),
        UNIQUE (scope_id, code),
        UNIQUE (scope_id, number)
    ) STRICT;

    CREATE TABLE exams (
        exam_id TEXT PRIMARY KEY,
        channel_id TEXT NOT NULL REFERENCES channels,
        study_uid TEXT NOT NULL,
        subject_code TEXT NOT NULL,
        is_held INTEGER NOT NULL DEFAULT 0 CHECK (is_held IN (0, 1)),
        first_ms INTEGER NOT NULL,
        last_ms INTEGER NOT NULL,
        UNIQUE (channel_id, study_uid)
    ) STRICT;

    CREATE TABLE deliveries (
        delivery_id TEXT PRIMARY KEY,
        exam_id TEXT NOT NULL REFERENCES exams,
        manifest BLOB NOT NULL,
        manifest_digest TEXT NOT NULL,
        state TEXT NOT NULL CHECK (state IN ('queued', 'delivered', 'refused')),
        attempts INTEGER NOT NULL DEFAULT 0,
        next_attempt_ms INTEGER NOT NULL,
        problem_code TEXT NOT NULL DEFAULT '',
        problem TEXT NOT NULL DEFAULT '',
        receipt BLOB,
        created_ms INTEGER NOT NULL,
        finished_ms INTEGER
    ) STRICT;
    CREATE INDEX deliveries_due ON deliveries (state, next_attempt_ms);
    CREATE INDEX deliveries_of_exam ON deliveries (exam_id);

    -- `segment` and `offset` say where its record begins while it has one.
    CREATE TABLE objects (
        object_id TEXT PRIMARY KEY,
        channel_id TEXT NOT NULL REFERENCES channels,
        exam_id TEXT REFERENCES exams,
        delivery_id TEXT REFERENCES deliveries,
        state TEXT NOT NULL CHECK (state IN ('received', 'waiting', 'queued', 'delivered', 'refused',
            'held', 'quarantined', 'missing')),
        is_clean INTEGER NOT NULL CHECK (is_clean IN (0, 1)),
        segment TEXT,
        offset INTEGER,
        record_bytes INTEGER NOT NULL,
        subject_code TEXT,
        sop_instance_uid TEXT,
        sop_class_uid TEXT,
        series_uid TEXT,
        transfer_syntax_uid TEXT,
        sha256 TEXT,
        size_bytes INTEGER NOT NULL,
        recipe_name TEXT,
        recipe_version TEXT,
        recipe_digest TEXT,
        counts TEXT,
        seconds REAL,
        input_mac BLOB,
        reason_code TEXT NOT NULL DEFAULT '',
        reason TEXT NOT NULL DEFAULT '',
        received_ms INTEGER NOT NULL
    ) STRICT;
    -- What makes a re-sent object the same object.
    CREATE UNIQUE INDEX objects_clean ON objects (channel_id, sop_instance_uid, sha256)
        WHERE sha256 IS NOT NULL;
    CREATE UNIQUE INDEX objects_sealed ON objects (channel_id, input_mac) WHERE input_mac IS NOT NULL;
    CREATE INDEX objects_of_exam ON objects (exam_id, state);
    CREATE INDEX objects_of_delivery ON objects (delivery_id);
    CREATE INDEX objects_by_state ON objects (state, channel_id);
    """,
    """
    -- What sending remembers. `own_failures` are those that no fault of the line explains; a delivery with
    -- `stopped_ms` waits for a person; records of a delivered exam stay until `keep_until_ms`.
    ALTER TABLE deliveries ADD COLUMN own_failures INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE deliveries ADD COLUMN stopped_ms INTEGER;
    ALTER TABLE deliveries ADD COLUMN keep_until_ms INTEGER;
    CREATE INDEX deliveries_kept ON deliveries (keep_until_ms) WHERE keep_until_ms IS NOT NULL;
    UPDATE objects SET segment = NULL, offset = NULL WHERE state = 'delivered';

    -- `setup` is in force; `offered` is what the server sent last, as it came, and `looser` the JSON list of
    -- what in it a local administrator has to confirm first.
    ALTER TABLE channels ADD COLUMN offered BLOB;
    ALTER TABLE channels ADD COLUMN looser TEXT NOT NULL DEFAULT '[]';
    ALTER TABLE channels ADD COLUMN last_success_ms INTEGER;

    CREATE INDEX exams_by_time ON exams (last_ms);
    CREATE INDEX exams_of_channel ON exams (channel_id, last_ms);

    -- What a PACS shall be asked for. The identifier is sealed, and gone when its exams have come.
    CREATE TABLE pulls (
        pull_id TEXT PRIMARY KEY,
        channel_id TEXT NOT NULL REFERENCES channels,
        source TEXT NOT NULL,
        kind TEXT NOT NULL CHECK (kind IN ('accession', 'patient')),
        key_mac BLOB NOT NULL,
        sealed_key BLOB NOT NULL,
        state TEXT NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'done', 'empty', 'failed')),
        attempts INTEGER NOT NULL DEFAULT 0,
        next_attempt_ms INTEGER NOT NULL,
        exams INTEGER NOT NULL DEFAULT 0,
        objects INTEGER NOT NULL DEFAULT 0,
        problem TEXT NOT NULL DEFAULT '',
        created_ms INTEGER NOT NULL,
        finished_ms INTEGER,
        UNIQUE (channel_id, source, kind, key_mac)
    ) STRICT;
    CREATE INDEX pulls_due ON pulls (state, next_attempt_ms);
    """,
    """
    -- Local people, the trail of what they did, and what they decided about objects in quarantine.
    CREATE TABLE people (
        person_id TEXT PRIMARY KEY,
        name TEXT NOT NULL,
        name_key TEXT NOT NULL UNIQUE,
        role TEXT NOT NULL CHECK (role IN ('operator', 'administrator')),
        password TEXT NOT NULL,
        is_active INTEGER NOT NULL DEFAULT 1 CHECK (is_active IN (0, 1)),
        failures INTEGER NOT NULL DEFAULT 0,
        locked_until_ms INTEGER NOT NULL DEFAULT 0,
        last_seen_ms INTEGER NOT NULL DEFAULT 0,
        created_ms INTEGER NOT NULL
    ) STRICT;

    CREATE TABLE trail (
        seq INTEGER PRIMARY KEY,
        at_ms INTEGER NOT NULL,
        actor TEXT NOT NULL,
        actor_role TEXT NOT NULL,
        action TEXT NOT NULL,
        channel_id TEXT NOT NULL,
        ref TEXT NOT NULL,
        detail TEXT NOT NULL,
        sealed_reason BLOB NOT NULL,
        previous_hash TEXT NOT NULL,
        hash TEXT NOT NULL
    ) STRICT;
    CREATE INDEX trail_of_ref ON trail (ref, seq);
    CREATE TRIGGER trail_entries_stay BEFORE UPDATE ON trail
        BEGIN SELECT RAISE(ABORT, 'The trail is only ever added to.'); END;
    CREATE TRIGGER trail_entries_remain BEFORE DELETE ON trail
        BEGIN SELECT RAISE(ABORT, 'The trail is only ever added to.'); END;
    -- How many entries there were, so that a cut end is seen.
    CREATE TABLE trail_head (
        id INTEGER PRIMARY KEY CHECK (id = 1),
        seq INTEGER NOT NULL
    ) STRICT;
    INSERT INTO trail_head (id, seq) VALUES (1, 0);

    -- What somebody was shown of what would leave: a release needs it.
    CREATE TABLE looks (
        look_id TEXT PRIMARY KEY,
        object_id TEXT NOT NULL REFERENCES objects ON DELETE CASCADE,
        person TEXT NOT NULL,
        boxes TEXT NOT NULL,
        sha256 TEXT NOT NULL,
        at_ms INTEGER NOT NULL
    ) STRICT;
    CREATE INDEX looks_of_object ON looks (object_id);

    -- A person's decision that an object may leave as they saw it; the inspection obeys it or refuses.
    CREATE TABLE releases (
        object_id TEXT PRIMARY KEY REFERENCES objects ON DELETE CASCADE,
        person TEXT NOT NULL,
        boxes TEXT NOT NULL,
        sha256 TEXT NOT NULL,
        reason_code TEXT NOT NULL,
        reason TEXT NOT NULL,
        at_ms INTEGER NOT NULL
    ) STRICT;

    -- What a person split off an exam with two patient ids; it is cleaned again, into an exam of its own.
    CREATE TABLE apart (
        object_id TEXT PRIMARY KEY REFERENCES objects ON DELETE CASCADE
    ) STRICT;

    -- Records whose object a person deleted; a row goes when its bytes are gone.
    CREATE TABLE erasures (
        object_id TEXT PRIMARY KEY,
        segment TEXT NOT NULL,
        offset INTEGER NOT NULL,
        record_bytes INTEGER NOT NULL
    ) STRICT;
    """,
    """
    -- What inspection and assembly ask for again and again: little of a long journal.
    CREATE INDEX objects_to_inspect ON objects (received_ms) WHERE state = 'received';
    CREATE INDEX objects_open ON objects (exam_id, state) WHERE state IN ('received', 'waiting');
    """,
    """
    -- Storage commitment: requests that were answered and not yet reported. `sealed` holds what the sender named.
    CREATE TABLE commitments (
        commitment_id TEXT PRIMARY KEY,
        channel_id TEXT NOT NULL REFERENCES channels,
        sealed BLOB NOT NULL,
        asked_ms INTEGER NOT NULL,
        next_attempt_ms INTEGER NOT NULL,
        attempts INTEGER NOT NULL DEFAULT 0
    ) STRICT;
    CREATE INDEX commitments_due ON commitments (next_attempt_ms);
    CREATE INDEX objects_by_uid ON objects (channel_id, sop_instance_uid);
    """,
    """
    -- The token that this gateway made for a code, until the server's answer to it is kept.
    CREATE TABLE enrolling (
        id INTEGER PRIMARY KEY CHECK (id = 1),
        code_digest TEXT NOT NULL,
        token TEXT NOT NULL
    ) STRICT;
    """,
    """
    -- How an object was acquired (journal/facts.py), where its project asks; and what of an exam that fails to meet.
    ALTER TABLE objects ADD COLUMN facts TEXT;
    ALTER TABLE exams ADD COLUMN acquisition TEXT NOT NULL DEFAULT 'unasked'
        CHECK (acquisition IN ('unasked', 'short', 'met', 'unmet', 'held', 'let_go'));
    ALTER TABLE exams ADD COLUMN unmet TEXT NOT NULL DEFAULT '[]';
    ALTER TABLE exams ADD COLUMN judged_ms INTEGER;
    CREATE INDEX exams_unmet ON exams (channel_id, acquisition) WHERE acquisition IN ('unmet', 'held');

    -- From when on the server may have something of a delivery; until then it can be taken back.
    ALTER TABLE deliveries ADD COLUMN began_ms INTEGER;
    UPDATE deliveries SET began_ms = created_ms;
    """,
    """
    -- What people decided about exams with two patient ids, so that it can be taken back while nothing has left
    -- with a delivery of later than `last_delivery`. What was split off is known by the exam it came from;
    -- where that `is_over`, it is cleaned anew into it.
    CREATE TABLE patient_decisions (
        exam_id TEXT PRIMARY KEY REFERENCES exams ON DELETE CASCADE,
        kind TEXT NOT NULL CHECK (kind IN ('confirmed', 'split')),
        subject_before TEXT NOT NULL,
        person TEXT NOT NULL,
        at_ms INTEGER NOT NULL,
        last_delivery INTEGER NOT NULL
    ) STRICT;
    ALTER TABLE apart ADD COLUMN from_exam TEXT;
    ALTER TABLE apart ADD COLUMN is_over INTEGER NOT NULL DEFAULT 0 CHECK (is_over IN (0, 1));
    CREATE INDEX apart_from_exam ON apart (from_exam);
    """,
    """
    -- How many delivered objects of an exam are not remembered one by one any more; and what was forgotten on
    -- a day (since 1970), until the trail tells it.
    ALTER TABLE exams ADD COLUMN forgotten INTEGER NOT NULL DEFAULT 0;
    CREATE TABLE forgotten (
        day INTEGER PRIMARY KEY,
        objects INTEGER NOT NULL,
        deliveries INTEGER NOT NULL
    ) STRICT;
    CREATE INDEX deliveries_finished ON deliveries (finished_ms) WHERE state = 'delivered';
    """,
    """
    -- Since when another gateway uses this enrolment, as the server said last; null: nobody does.
    ALTER TABLE gateway ADD COLUMN shared_ms INTEGER;
    """,
    """
    -- A token for each code that was asked with, so that a mistyped one costs another nothing.
    CREATE TABLE enrolling_by_code (
        code_digest TEXT PRIMARY KEY,
        token TEXT NOT NULL
    ) STRICT;
    INSERT INTO enrolling_by_code SELECT code_digest, token FROM enrolling;
    DROP TABLE enrolling;
    ALTER TABLE enrolling_by_code RENAME TO enrolling;
    """,
    """
    -- What export manifests name, by new UIDs; `sent_whole`: a person let the exam go without one.
    CREATE TABLE selected (
        channel_id TEXT NOT NULL REFERENCES channels,
        study_uid TEXT NOT NULL,
        subject_code TEXT NOT NULL,
        sop_instance_uid TEXT NOT NULL,
        at_ms INTEGER NOT NULL,
        PRIMARY KEY (channel_id, study_uid, subject_code, sop_instance_uid)
    ) STRICT, WITHOUT ROWID;
    ALTER TABLE exams ADD COLUMN sent_whole INTEGER NOT NULL DEFAULT 0 CHECK (sent_whole IN (0, 1));
    """,
    """
    -- Pictures that the doctor invented, by whom they are of and what they will be when they leave. And the newest
    -- protocol that the server spoke last; 0: it was not heard yet.
    CREATE TABLE test_exams (
        code TEXT PRIMARY KEY,
        channel_id TEXT NOT NULL REFERENCES channels,
        scope_id INTEGER NOT NULL REFERENCES scopes,
        local_id_mac BLOB NOT NULL,
        sha256 TEXT NOT NULL,
        at_ms INTEGER NOT NULL,
        UNIQUE (scope_id, local_id_mac)
    ) STRICT;
    ALTER TABLE gateway ADD COLUMN server_protocol INTEGER NOT NULL DEFAULT 0;
    """,
    """
    -- Delivered objects of which the server said more than that it has them: few of a long journal.
    CREATE INDEX objects_answered ON objects (reason_code, exam_id) WHERE state = 'delivered' AND reason_code != '';
    -- What was received and tells no exam: nearly nothing, and asked for every second.
    CREATE INDEX objects_unplaced ON objects (channel_id, received_ms) WHERE exam_id IS NULL AND state = 'received';
    """,
)
