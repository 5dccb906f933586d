"""Who is who, who belongs where, who may what, and the record of all of it."""
