"""Databases that several processes share: connections to SQLite or PostgreSQL, and transactions in threads."""
