"""What the documents show, as a reader has it: copied out of a served page, and run in a folder of the reader's own."""

import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import httpx
from markdown_it import MarkdownIt

from tests.support.clients import FOLDER, NODE

ROOT = Path(__file__).parents[2]
SAMPLES = ROOT / "adapter" / "pages" / "samples"
_MODULES = FOLDER / "node_modules"
_HOME = "http://127.0.0.1:8402"
"""Where a stack of one's own listens, unless it is told otherwise."""
_RUNNERS = {
    ".sh": ("bash", "-euo", "pipefail"),
    ".py": (sys.executable,),
    ".mts": (NODE, str(_MODULES / "tsx" / "dist" / "cli.mjs")),
}


@dataclass(frozen=True)
class Block:
    """A fenced block: the language and what else stands behind the fence, and what is inside."""

    info: str
    code: str


def blocks_of(text: str) -> list[Block]:
    """The fenced blocks of a Markdown text."""
    return [Block(token.info, token.content) for token in MarkdownIt().parse(text) if token.type == "fence"]


@dataclass(frozen=True)
class Reader:
    """Somebody who reads a service's documents, has a folder, and sets the variables that the samples name."""

    url: str
    folder: Path
    environment: Mapping[str, str] = field(default_factory=dict)

    def copy(self, name: str, language: str = "en") -> str:
        """A sample, `SLUG/FILE`, as the page SLUG shows it."""
        slug, file = name.split("/")
        page = httpx.get(f"{self.url}/{language}/docs/{slug}.md").raise_for_status().text
        shown = {block.code for block in blocks_of(page) if block.info.split()[1:] == [file]}
        assert len(shown) == 1, f"{name} is shown {len(shown)} times"
        return shown.pop()

    def run(self, name: str, **variables: str) -> str:
        """Copy a sample into the folder, run it, and return what it prints. It must end well."""
        return self.run_code(Path(name).name, self.copy(name), **variables)

    def run_code(self, file: str, code: str, **variables: str) -> str:
        """Save and run a program, as `run` does."""
        result = subprocess.run(
            self.save(file, code),
            cwd=self.folder,
            env=self.variables(**variables),
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert result.returncode == 0, f"{file} ended with {result.returncode}:\n{result.stdout}{result.stderr}"
        return result.stdout

    def save(self, file: str, code: str) -> list[str]:
        """Save a program, for the service that is read about; returns the command that runs it."""
        program = self.folder / file
        program.write_text(code.replace(_HOME, self.url))
        modules = self.folder / "node_modules"
        if program.suffix == ".mts" and not modules.exists():
            modules.symlink_to(_MODULES)
        return [*_RUNNERS[program.suffix], str(program)]

    def variables(self, **more: str) -> dict[str, str]:
        """What programs are told: the commands of the project are found by name, in a shell that has been set up."""
        path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
        return {**os.environ, "PATH": path, **self.environment, **more}
