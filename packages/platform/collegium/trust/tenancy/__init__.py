"""Organisations, their spaces, who belongs to them, what is shared beyond them."""
