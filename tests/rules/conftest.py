from tests.imports.database import database

__all__ = ["database"]
