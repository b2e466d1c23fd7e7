"""The events of a session while they happen: a stream of the web process, and `/live/` for many watchers."""
