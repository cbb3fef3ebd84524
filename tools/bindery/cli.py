"""The command line: composes the stages, prints, and exits. Nothing else does."""

from __future__ import annotations

import argparse
import atexit
import gc
import os
import signal
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from rich.console import Console

from bindery import doctor
from bindery.arguments import Parser, count, gpus, one_of, size
from bindery.completion import complete, offer, places, sections
from bindery.examples import ACCEPT, ACCEPT_RUNS, DRIFT, UNTANGLING, examples_of
from bindery.model import Mistyped, Problem, ProblemsFound
from bindery.press import Press
from bindery.proofread import FORMS, proofread, tell_rules
from bindery.skeletons import begin_book, begin_chapter, begin_section
from bindery.startup import hurry
from bindery.workshop import Choices

EPILOG = """\
examples:
  bindery html                          run what changed, then build the website into build/html
  bindery serve                         show it in a browser that follows what you save
  bindery pdf                           the same pages as build/pdf/book.pdf
  bindery plan                          say what a build would run, and for how long; runs nothing
  bindery plan --why gan/gan            say which cell, value, library name or package changed
  bindery run --only gan                run the sections of one chapter
  bindery drift                         say which outputs have moved from the baseline that was accepted
  bindery --root ~/other-book html      build another book that is laid out like this one

A section runs again when its code, the library code that it reaches, its injected values, its data or the versions of
the packages it imports change. Prose never makes it run.
exit codes: 0 all is well, 1 there are problems (each begins with file and line), 2 the command was mistyped."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Run one command and exit; without `arguments`, that of the command line, in a process of its own."""
    hurry()
    if arguments is None:
        atexit.register(gc.freeze)  # what is left at the end goes with the process, and need not be searched
    parser = make_parser()
    complete(parser)
    options = parser.parse_args(arguments)
    out = Console(highlight=False, soft_wrap=True)
    errors = Console(stderr=True, highlight=False, soft_wrap=True)
    choices = Choices(
        profile=options.profile,
        slots=options.slots,
        gpus=options.gpus,
        data=options.data,
        warm=options.kernels == "warm",
        cache=options.cache,
        cache_mode=options.cache_mode,
        cache_size=options.cache_size,
        runner=options.runner,
        ray_address=os.environ.get("RAY_ADDRESS", ""),
    )
    press = Press(options.root.resolve(), choices, out)
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # so that kernels are stopped and cleaned up
    try:
        try:
            problems = options.command(press, options)
        except ProblemsFound as found:
            problems = found.problems
        press.keep()
        if options.reported:
            press.report(problems)
    except Mistyped as error:
        errors.print(f"bindery: {error}", markup=False)
        sys.exit(2)
    except OSError as error:  # a full disk, say
        errors.print(f"{error.filename or 'the system'}: {error.strerror or error}; what had finished is kept")
        sys.exit(1)
    except KeyboardInterrupt:
        if options.reported:
            press.report([])
        errors.print("stopped; what had finished is kept")
        sys.exit(130)
    for problem in sorted(set(problems)):
        errors.print(str(problem), markup=False, style="bold red" if errors.is_terminal else None)
    if problems:
        count, kept = len(set(problems)), "; earlier results are as they were" if options.reported else ""
        errors.print(f"{count} problem{'s' if count > 1 else ''}{kept}", markup=False)
    sys.exit(1 if problems else 0)


def _release(press: Press, options: argparse.Namespace) -> list[Problem]:
    from bindery.release import prepare, publish

    problems = prepare(press.root, options.version) or press.all()
    return problems or publish(press, options.version)


def _drift(press: Press, _: argparse.Namespace) -> list[Problem]:
    from bindery.proof import Proof  # reads pictures, which no other command does

    return Proof(press).compare()


def _accept(press: Press, options: argparse.Namespace) -> list[Problem]:
    from bindery.proof import Proof

    return Proof(press).accept(options.sections, options.runs)


def _teach(parser: argparse.ArgumentParser, text: str) -> None:
    """Give a command's help a text that keeps its lines."""
    parser.epilog = "\n\n".join(part for part in (parser.epilog, text) if part)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter


def _lint(press: Press, options: argparse.Namespace) -> list[Problem]:
    say = press.console.out  # as it is: what other programs read must not be wrapped
    return tell_rules(say) if options.rules else proofread(press.root, options.fix, options.format, say)


def _add_new(parser: argparse.ArgumentParser) -> None:
    kinds = parser.add_subparsers(title="what", metavar="{section,chapter}", required=True)
    for kind, name, begin in (("section", "CHAPTER/NAME", begin_section), ("chapter", "NAME", begin_chapter)):
        sub = kinds.add_parser(kind, help=f"write a draft and list it as the last {kind}")
        sub.add_argument("name", metavar=name, help="of the file, in small letters, digits and hyphens")
        sub.add_argument("--title", default="", help="(default: the file's name)")
        sub.set_defaults(begin=lambda press, o, begin=begin: begin(press.root, o.name, o.title, press.say))


Command = Callable[[Press, argparse.Namespace], list[Problem]]


def make_parser() -> argparse.ArgumentParser:
    """The commands and options."""
    parser = Parser(
        prog="bindery",
        description="Builds a book that is a program: website, notebooks and library from one source.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--root", type=Path, default=Path(), help="the book's folder (default: this one)")
    parser.add_argument(
        "--profile",
        type=one_of("profile", "quick", "full"),
        metavar="{quick,full}",
        default=os.environ.get("PROFILE") or "quick",
        help="quick: the small values of each section's front matter; full: the text's own (default: quick)",
    )
    parser.add_argument(
        "--slots",
        type=int,
        default=os.environ.get("CPU_SLOTS") or len(os.sched_getaffinity(0)),
        help="sections that run at once (default: one for each core)",
    )
    parser.add_argument(
        "--gpus",
        metavar="GPUS",
        type=gpus,
        default=os.environ.get("GPU_SLOTS") or "auto",
        help="GPUs for sections that declare some: auto, 0 for none, how many, or a list such as 0,2 (default: auto)",
    )
    parser.add_argument(
        "--kernels",
        type=one_of("kind of kernel", "warm", "fresh"),
        metavar="{warm,fresh}",
        default=os.environ.get("KERNELS") or "warm",
        help="warm: fork kernels from a process that has imported what they need; fresh: start each (default: warm)",
    )
    parser.add_argument(
        "--data",
        type=one_of("data", "standin", "real"),
        metavar="{standin,real}",
        default=os.environ.get("DATA") or "standin",
        help="standin: small generated data sets, no network; real: the published ones (default: standin)",
    )
    parser.add_argument(
        "--cache",
        metavar="URL",
        default=os.environ.get("CACHE") or "",
        help="where other machines keep results: file://…, s3://… (with s3fs), ssh://… (with sshfs), and so on",
    )
    parser.add_argument(
        "--cache-mode",
        type=one_of("mode", "read", "write"),
        metavar="{read,write}",
        default=os.environ.get("CACHE_MODE") or "read",
        help="read: take results whatever machine made them; write: add to them what is made here (default: read)",
    )
    parser.add_argument(
        "--cache-size",
        metavar="GIB",
        type=size,
        default=os.environ.get("CACHE_SIZE") or "2",
        help="what results in build/cache may take; those of this book as it is stay in any case (default: 2)",
    )
    parser.add_argument(
        "--runner",
        type=one_of("runner", "local", "ray"),
        metavar="{local,ray}",
        default=os.environ.get("RUNNER") or "local",
        help="local: this machine; ray: the cluster at RAY_ADDRESS, which needs the package ray (default: local)",
    )
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)

    def add(name: str, text: str, command: Command, reported: bool = False) -> argparse.ArgumentParser:
        sub = commands.add_parser(
            name,
            help=text,
            description=text[0].upper() + text[1:] + ".",
            epilog=examples_of(name),
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        sub.set_defaults(command=command, reported=reported)
        return sub

    init = add("init", "begin a book", lambda press, o: begin_book(o.folder, o.title, o.author, press.say))
    init.add_argument("folder", type=Path, metavar="DIR", help="a new or empty folder")
    init.add_argument("--title", default="", help="of the book (default: the folder's name)")
    init.add_argument("--author", default="", help="(default: the name that git knows)")
    _add_new(add("new", "begin a chapter or a section", lambda press, o: o.begin(press, o)))
    add(
        "doctor",
        "say what this machine lacks, and how to install it",
        lambda press, _: doctor.tell(press.known_facts, press.say),
    )
    add("html", "run what changed and build the website", lambda press, _: press.html(), reported=True)
    serve = add("serve", "build the website, show it, and follow every change", lambda press, o: press.serve(o.port))
    serve.add_argument("--port", type=int, default=8000, help="of 127.0.0.1; 0 for any that is free (default: 8000)")
    add("archive", "build the website and pack it into one file", lambda press, _: press.archive(), reported=True)
    add("pdf", "run what changed and make the PDF", lambda press, _: press.pdf(), reported=True)
    add("epub", "run what changed and make the EPUB", lambda press, _: press.epub(), reported=True)
    run = add("run", "run the sections that changed", lambda press, options: press.run(options.only), reported=True)
    offer(run.add_argument("--only", default="", metavar="CHAPTER[/SECTION]", help="run no others"), places)
    plan = add("plan", "say what a build would run, and why", lambda press, options: press.plan(options.why))
    why = plan.add_argument(
        "--why", default="", metavar="SECTION", help="list every input of this section that changed"
    )
    offer(why, sections)
    lint = add("lint", "say what is not as the book's style asks", _lint)
    lint.add_argument("--rules", action="store_true", help="list all rules, each with its reason")
    lint.add_argument("--fix", action="store_true", help="mend what needs no decision of yours, then say what is left")
    lint.add_argument("--format", choices=FORMS, default="text", help="print problems for other programs, too")
    add("lib", "tangle the saved blocks into build/library", lambda press, _: press.lib())
    tangling = add("tangle", "tangle the same, or only what a reader has met", lambda p, o: p.tangle(o.until))
    tangling.add_argument(
        "--until", default="", metavar="SECTION", help="no section after this one, into build/library-until/SECTION"
    )
    untangling = add(
        "untangle",
        "show how edits in build/edit, a working copy of the library, would change the chapters",
        lambda press, options: press.untangle(options.edit, options.write),
    )
    _teach(untangling, UNTANGLING)
    what = untangling.add_mutually_exclusive_group()
    what.add_argument("--edit", action="store_true", help="make the working copy, if it holds no edits")
    what.add_argument("--write", action="store_true", help="show the changes, and change the chapter files")
    add("wheel", "pack the library into build/wheel", lambda press, _: press.wheel())
    add(
        "notebooks",
        "run what changed and make the readers' notebooks",
        lambda press, _: press.notebooks(),
        reported=True,
    )
    data = add("data", "draw the stand-ins for the data sets", lambda press, options: press.make_data(options.show))
    data.add_argument("--show", type=Path, metavar="FILE.png", help="make a picture of some of what was drawn")
    add(
        "all",
        "make everything: website, PDF, EPUB, notebooks, library and wheel",
        lambda press, _: press.all(),
        reported=True,
    )
    release = add("release", "date the changes, tag a version, and build all that is published of it", _release)
    release.add_argument("version", help="such as 1.2.0")
    parity = "make everything, and say what one product lacks that another has"
    add("parity", parity, lambda press, _: press.parity(), reported=True)
    drift = add("drift", "say which outputs have moved from the baseline", _drift, reported=True)
    _teach(drift, DRIFT)
    accept = drift.add_subparsers(title="commands", metavar="[accept]").add_parser(
        "accept",
        help="make what sections show now their baseline",
        description="Make what sections show their baseline.",
    )
    accept.set_defaults(command=_accept, reported=False)
    accept.add_argument("sections", nargs="+", metavar="SECTION", help="a section such as gan/gan, or a whole chapter")
    accept.add_argument("--runs", type=count, default=0, metavar="N", help=ACCEPT_RUNS)
    _teach(accept, ACCEPT)
    add("latex", "install what the PDF needs, if it is missing and that may be done", lambda press, _: press.latex())
    return parser
