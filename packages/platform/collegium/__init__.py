"""The Collegium server."""
