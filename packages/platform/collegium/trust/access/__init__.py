"""What a principal may do where it belongs: permissions, seeded roles, the one `require`."""
