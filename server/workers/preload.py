"""Imported by the fork server alone, so that all workers share these modules' memory and start in milliseconds.

Importing it ties the importing process to its parent's life, which is why nothing else may: the fork server would
otherwise live as long as any worker does, and the workers, its children, as long as it.
"""

import server.video.line
import server.workers.task  # noqa: F401
from server.workers.limits import die_with_parent

die_with_parent()
