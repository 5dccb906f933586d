"""Messages to people: a list behind the bell, open pages that wake up, and a plain e-mail when nobody looks."""
