"""Tables of the jobs, the same on SQLite and PostgreSQL. DBOS keeps its own beside them.

Columns that end in `_s` are times on the service clock (`clock.now_s`), which a jump of the machine's clock does not
move; decisions are made on it. `created` and `ended` are seconds since 1970, to be shown.
"""

from sqlalchemy import JSON, BigInteger, Boolean, Column, Float, Index, Integer, MetaData, String, Table, Text

metadata = MetaData()

jobs = Table(
    "jobs",
    metadata,
    Column("id", String(36), primary_key=True),
    # What was ordered.
    Column("owner", Text, nullable=False),
    Column("kind", String(16), nullable=False),
    Column("spec", JSON, nullable=False),
    Column("digest", String(128), nullable=False),
    Column("webhook_url", Text, nullable=False),
    Column("webhook_secret", Text, nullable=False),
    Column("created", Float, nullable=False),
    Column("created_s", Float, nullable=False),
    # How it stands. Only the attempt of the newest number, which is the fence, may write.
    Column("state", String(16), nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("tries", Integer, nullable=False),  # attempts that count: those handed back at a stop do not
    Column("server", String(36)),  # that makes or made the last attempt
    Column("done", BigInteger, nullable=False),
    Column("total", BigInteger, nullable=False),
    # What came of it.
    Column("ended", Float),
    Column("ended_s", Float),
    Column("result", JSON),
    Column("failure", JSON),
    Column("delivered", BigInteger, nullable=False),  # bytes of the result, from the first, that have arrived
    Column("gone_s", Float),  # when the result was removed for everybody; its files follow
    # What is left to do.
    Column("deleted", Boolean, nullable=False),
    Column("tidy", Boolean, nullable=False),  # errands are on their way, and files that are not needed are deleted
    Column("files", Boolean, nullable=False),  # whether there may be files of it
    Index("jobs_by_state", "state", "ended_s"),
)

servers = Table(
    "servers",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("beats", BigInteger, nullable=False),
)

clock = Table(
    "clock",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),  # one row, 1
    Column("now_s", Float, nullable=False),
    Column("seen", Float, nullable=False),  # the machine's clock at the last sweep
)

strays = Table(
    "strays",
    metadata,
    Column("prefix", Text, primary_key=True),  # of files that belong to no job
    Column("seen_s", Float, nullable=False),  # first
)
