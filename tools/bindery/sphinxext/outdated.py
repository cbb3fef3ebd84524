"""Finds pages that a change on another page makes stale.

Sphinx writes a page again when its own source changes. What a page shows of others (titles and numbers in references,
in the list of chapters, in previous and next) it leaves as it was, and a reference to a label that has gone it does not
check again: a warm build would pass where a cold one fails.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Set
from typing import Any

from docutils import nodes
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.environment.collectors import EnvironmentCollector

from bindery.sphinxext.library import mentioned


class PointerCollector(EnvironmentCollector):
    """Keeps for every page the names it points at, and tells Sphinx which pages to write again."""

    def clear_doc(self, app: Sphinx, env: BuildEnvironment, docname: str) -> None:
        """Forget a page that is read again or gone."""
        _pointers(env).pop(docname, None)

    def merge_other(self, app: Sphinx, env: BuildEnvironment, docnames: Set[str], other: BuildEnvironment) -> None:
        """Take over what a parallel reader found."""
        _pointers(env).update({name: found for name, found in _pointers(other).items() if name in docnames})

    def process_doc(self, app: Sphinx, doctree: nodes.document) -> None:
        """Note the names that a page points at; a citation may name several, separated by commas."""
        found: set[str] = set()
        for node in doctree.findall(nodes.Element):
            if isinstance(node, addnodes.pending_xref):
                found.update(name.strip() for name in node.get("reftarget", "").split(","))
            elif "target_label" in node:
                found.add(node["target_label"])
            elif isinstance(node, nodes.literal_block):
                found |= mentioned(node)
        _pointers(app.env)[app.env.docname] = found

    def get_updated_docs(self, app: Sphinx, env: BuildEnvironment) -> list[str]:
        """The pages that show something of another page which is not as it was at the last build."""
        before: dict[str, Hashable] = vars(env).get("bindery_shown", {})
        now = vars(env)["bindery_shown"] = _shown(env)
        changed = {name for name in before.keys() | now.keys() if before.get(name) != now.get(name)}
        if "" in changed:
            return sorted(env.found_docs)
        return sorted(page for page, names in _pointers(env).items() if names & changed)


def connect(app: Sphinx) -> None:
    """Register the collector."""
    app.add_env_collector(PointerCollector)


def _pointers(env: BuildEnvironment) -> dict[str, set[str]]:
    found: dict[str, set[str]] = vars(env).setdefault("bindery_pointers", {})
    return found


def _shown(env: BuildEnvironment) -> dict[str, Hashable]:
    """By name, what other pages show of it; by the empty name, what every page shows."""
    shown: dict[str, Hashable] = {}
    standard, math = env.domains.standard_domain, env.domains["math"]
    for name, (page, anchor) in standard.anonlabels.items():
        title = standard.labels.get(name, ("", "", ""))[2]
        shown[name] = (page, anchor, title, _numbers(env, page, anchor))
    for name, (page, number) in math.data["objects"].items():
        shown[name] = (page, number, _numbers(env, page, nodes.make_id(f"equation-{name}")))
    for name, entry in env.domains.python_domain.objects.items():
        shown[name] = (entry.docname, entry.node_id)
    for citation in _citations(env):
        shown[citation.key] = (citation.citation_id, citation.bibliography_key.docname, repr(citation.entry))
    titles = ((page, title.astext(), env.toc_secnumbers.get(page, {}).get("")) for page, title in env.titles.items())
    shown[""] = (tuple(sorted(titles)), repr(sorted(env.toctree_includes.items())))
    return shown


def _numbers(env: BuildEnvironment, page: str, anchor: str) -> Hashable:
    sections = env.toc_secnumbers.get(page, {})
    figures = env.toc_fignumbers.get(page, {})
    return (
        sections.get(f"#{anchor}") or sections.get(""),
        tuple((kind, numbers[anchor]) for kind, numbers in sorted(figures.items()) if anchor in numbers),
    )


def _citations(env: BuildEnvironment) -> Iterable[Any]:
    return env.domains["cite"].data["citations"] if "cite" in env.domains else ()
