"""Who belongs to which site, and who may not read which subject."""
