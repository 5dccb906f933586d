"""Marks: drawn geometry with a value that the server computes."""
