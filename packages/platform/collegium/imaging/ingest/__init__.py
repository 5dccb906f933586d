"""The one corridor by which objects come in: checked, sealed, receipted."""
