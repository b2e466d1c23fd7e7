"""`make bench`: time and memory of an import, compared with the least that the machine needs for the same files."""
