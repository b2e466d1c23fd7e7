"""Commands for people, run by make."""
