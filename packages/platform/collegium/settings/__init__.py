"""Settings of the server: `installation` is ours, `django` is what Django wants to see of it."""
