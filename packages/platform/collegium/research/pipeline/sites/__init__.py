"""What the people of a site see and do: their own subjects, and what is asked of them. Never a read."""
