"""The gateway's only memory: SQLite in WAL mode with synchronous=FULL.

What is in the journal happened; what is not, did not. Files without a row were never acknowledged
and are removed at start; rows without their file are marked, never invented.

`database` opens and migrates it; `channels`, `subjects`, `objects`, `exams` and `deliveries` hold
the statements of one subject each; `overview` reads for pages, status and heartbeats.
"""
