"""Small networks that fit a phone."""
