"""The event log on SQLAlchemy Core (SQLite)."""
