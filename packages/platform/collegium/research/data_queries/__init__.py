"""Dialogues about answers: a failed check opens one by itself, a person opens another; nothing is changed here."""
