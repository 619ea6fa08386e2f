"""Databases that several adapters share: connections to SQLite or PostgreSQL, and transactions in threads."""
