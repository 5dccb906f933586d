"""Rewrite a header by the rules: raw tag-length-value bytes in, bytes out. No clock, no files, no network."""
