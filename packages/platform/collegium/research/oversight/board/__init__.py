"""Progress of a project: how far, how fast, where it waits; never what was found."""
