"""Projects, their pipeline, reads and results."""
