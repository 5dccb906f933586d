"""What shall happen: the table of PS3.15 Annex E, the options, the recipe language."""
