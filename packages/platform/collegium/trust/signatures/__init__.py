"""Electronic signatures: who signed which exact version of a record, when, meaning what (21 CFR 11.50, 11.70)."""
