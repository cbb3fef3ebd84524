"""Sections on a Ray cluster: the same outputs as on this machine, also when one of its machines is lost."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from building import bindery, edit, ran
from running import Runner, code, outputs

from bindery import schedule
from bindery.model import Task

pytestmark = pytest.mark.slow

ON_THREE_NODES = """
import json, os, sys, threading, time
from pathlib import Path
from running import Runner, code, outputs
from ray.cluster_utils import Cluster
from bindery import remote, schedule
from bindery.settings import Facts
from test_remote import tasks_of

cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1})
lost = cluster.add_node(num_cpus=1)
cluster.add_node(num_cpus=1)
cluster.wait_for_nodes()
heard = []

def hear(event):
    heard.append([event.kind, event.section])

def ended():
    return [kind for kind, _ in heard].count("end")

def kill():
    # Once every node has run something, at a moment when each of them runs a section.
    log = Path(sys.argv[1]) / "started"
    while ended() < 4 or len(log.read_text().split()) - ended() < 3:
        time.sleep(0.05)
    cluster.remove_node(lost, allow_graceful=False)

threading.Thread(target=kill).start()

facts = Facts(title="T", version="1", authors=())
executions = remote.run(
    tasks_of(Path(sys.argv[1])), cluster.address, 3, facts, "real", hear, schedule.KeepNothing()
)
cluster.shutdown()
results = [[e.section, e.error and e.error.message, outputs(e)] for e in executions]
print(json.dumps({"results": results, "heard": heard}))
"""


def tasks_of(folder: Path) -> list[Task]:
    """Nine sections that take a while and use the library."""
    runner = Runner(folder)
    log = folder / "started"
    sources = {
        f"n{number:02}": f"import time\nfrom d2l import torch as d2l\n_ = open('{log}', 'a').write('n{number:02}\\n')\n"
        f"time.sleep(4)\nprint(d2l.invert({number}))"
        for number in range(1, 10)
    }
    return [runner.task(code(source, 3), name=name) for name, source in sources.items()]


def test_a_lost_node_costs_nothing_but_time(tmp_path: Path) -> None:
    """Of three nodes one is killed while it runs a section: that runs again, and each ends once, as on this machine."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "RAY_AUTH_MODE": "disabled"}
    command = [sys.executable, "-c", ON_THREE_NODES, str(tmp_path / "remote")]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False, timeout=300)
    assert done.returncode == 0, done.stderr[-3000:]
    found = json.loads(done.stdout.splitlines()[-1])
    started = (tmp_path / "remote" / "started").read_text(encoding="utf-8").split()
    assert len(started) > len(set(started)) == 9
    local = schedule.run(tasks_of(tmp_path / "local"), 9, lambda _: None)
    assert found["results"] == [[each.section, None, outputs(each)] for each in local]
    ended = [section for kind, section in found["heard"] if kind == "end"]
    assert sorted(ended) == sorted(each.section for each in local)


def test_a_book_is_built_by_a_cluster_of_its_own(root: Path) -> None:
    """With no address, a cluster is started for the run; results go into the cache and onto the pages as always."""
    edit(root, "one/defines.md", "x ** 2", "x ** 3")
    code_, output, errors = bindery(root, "--runner", "ray", "html")
    assert (code_, errors, ran(output)) == (0, "", {"one/defines", "one/uses"})
    assert "power 27" in (root / "build/html/one/uses.html").read_text(encoding="utf-8")
    assert ran(bindery(root, "run")[1]) == set()
    edit(root, "one/apart.md", 'print("no library here")', "1 / 0")
    code_, _, errors = bindery(root, "--runner", "ray", "run")
    assert code_ == 1
    assert errors.startswith("chapters/one/apart.md:5: ZeroDivisionError: division by zero [cell-raised]")
