"""Wraps every page in `acting_as` of the signed-in person."""
