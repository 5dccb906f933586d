"""A project as a file: its definition, its published versions, its sites, subjects and visits."""
