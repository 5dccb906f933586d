"""The trail: append-only entries, chained by digest per space, verifiable by anyone."""
