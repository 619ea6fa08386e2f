"""Where the files of jobs lie in the store."""

JOBS = "jobs/"


def job_prefix(job: str) -> str:
    """Everything of a job."""
    return f"{JOBS}{job}/"


def inputs_prefix(job: str) -> str:
    """What came with it."""
    return f"{JOBS}{job}/in/"


def input_path(job: str, digest: str, name: str) -> str:
    """A file that came with it. Two requests with one id do not overwrite each other's."""
    return f"{inputs_prefix(job)}{digest}/{name}"


def outputs_prefix(job: str) -> str:
    """What was made."""
    return f"{JOBS}{job}/out/"


def output_prefix(job: str, attempt: int | str) -> str:
    """What one attempt made."""
    return f"{outputs_prefix(job)}{attempt}/"


def output_path(job: str, attempt: int, name: str) -> str:
    """A file that an attempt made."""
    return output_prefix(job, attempt) + name
