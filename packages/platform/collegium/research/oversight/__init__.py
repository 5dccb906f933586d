"""Oversight: whether a project keeps what it promises."""
