"""Signed reads as a table and as CSV, each signature checked again."""
