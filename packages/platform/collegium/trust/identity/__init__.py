"""Named accounts: one person one account, passwords, sign-in attempts and locking."""
