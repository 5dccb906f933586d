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
)
