"""The same student taken through other tools, as a user of theirs would do it."""
