"""Tables of the keys, the same on SQLite and PostgreSQL."""

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Float,
    ForeignKey,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
)

metadata = MetaData()

api_keys = Table(
    "api_keys",
    metadata,
    Column("id", String(12), primary_key=True),
    # Of the secret, which is 256 random bits: nothing to guess, so nothing to salt or to slow down.
    Column("sha256", LargeBinary, nullable=False, unique=True),
    Column("name", Text, nullable=False),
    Column("operations", JSON(none_as_null=True)),  # Absent: all.
    Column("per_minute", Integer, CheckConstraint("per_minute > 0"), nullable=False),
    Column("monthly", BigInteger, CheckConstraint("monthly > 0")),  # Absent: without end.
    Column("created_at", Float, nullable=False),
    Column("revoked_at", Float),
)

api_key_usage = Table(
    "api_key_usage",
    metadata,
    Column("key", String(12), ForeignKey("api_keys.id"), primary_key=True),
    Column("month", String(7), primary_key=True),  # 2026-11, by UTC.
    Column("used", BigInteger, CheckConstraint("used >= 0"), nullable=False),
)

# Jobs that were counted, so that a retry of a submission counts once, and one that fails is given back once.
api_key_jobs = Table(
    "api_key_jobs",
    metadata,
    Column("job", String(36), primary_key=True),
    Column("key", String(12), ForeignKey("api_keys.id"), nullable=False),
    Column("month", String(7), nullable=False),  # In which it was counted.
    Column("counted_at", Float, nullable=False),
    Column("open", Boolean, nullable=False, index=True),  # Whether it may still be given back.
)
