"""Assembles the rooms into pages: root addresses, home, error pages, health."""
