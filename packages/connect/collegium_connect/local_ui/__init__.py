"""The local page: channels, queue, exams, quarantine. On this machine only, and without identifiers."""

from collegium_connect.local_ui.app import LocalPage, Parts, make_app

__all__ = ["LocalPage", "Parts", "make_app"]
