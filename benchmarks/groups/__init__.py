"""Who is served how well, and which items are shown: by groups of users and of items."""
