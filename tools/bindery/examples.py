"""What the help of commands shows: lines to type, with what they do, and what one must know before."""

from __future__ import annotations

EXAMPLES: dict[str, tuple[tuple[str, str], ...]] = {
    "init": (
        ("bindery init book", "a small book in the folder book, which can be built at once"),
        ('bindery init . --title "On roots" --author "A. Author"', "the same here, in an empty folder"),
    ),
    "new": (
        ('bindery new chapter roots --title "Finding roots"', "chapters/roots/index.md, listed in chapters/index.md"),
        ('bindery new section roots/newton --title "Newton\'s method"', "a draft that lint accepts"),
    ),
    "doctor": (("bindery doctor", "what this machine lacks, with the commands that would install it"),),
    "html": (
        ("bindery html", "the website in build/html, of outputs with small values"),
        ("bindery --profile full html", "of outputs with the values of the text"),
        ("bindery --data real html", "of outputs with the published data sets"),
    ),
    "serve": (
        ("bindery serve", "show the website at http://127.0.0.1:8000/ and follow what you save"),
        ("bindery serve --port 0", "at any port that is free"),
    ),
    "archive": (("bindery archive", "the website in one file, build/website.zip"),),
    "pdf": (("bindery pdf", "build/pdf/book.pdf, with what does not fit on paper as problems"),),
    "epub": (("bindery epub", "build/epub/book.epub, for e-readers"),),
    "run": (
        ("bindery run", "run the sections that changed, make no page"),
        ("bindery run --only gan", "those of one chapter"),
        ("bindery --slots 4 run --only gan/dcgan", "one section; four at once, if there were more"),
    ),
    "plan": (
        ("bindery plan", "which sections a build would run, why, and for how long"),
        ("bindery plan --why gan/gan", "all that changed for one of them"),
    ),
    "lint": (
        ("bindery lint", "what is not as the style in chapters/book.yml asks"),
        ("bindery lint --rules", "all rules, each with its reason"),
        ("bindery lint --fix", "mend what can be mended without a decision of yours"),
        ("bindery lint --format sarif > lint.sarif", "for programs that show it beside the lines"),
    ),
    "lib": (("bindery lib", "tangle the code that is marked #@save into build/library"),),
    "tangle": (
        ("bindery tangle", "the same"),
        ("bindery tangle --until gan/gan", "what a reader has at the end of this section"),
    ),
    "untangle": (
        ("bindery untangle --edit", "make build/edit, a copy of the library to work on"),
        ("bindery untangle", "show how edits there would change the chapters"),
        ("bindery untangle --write", "change the chapters"),
    ),
    "drift": (
        ("bindery drift", "compare the book with its baseline"),
        ("bindery drift accept gan/gan", "what this section shows is right: make it the baseline, then commit that"),
        ("bindery drift accept gan/gan --runs 3", "run it twice more to learn which numbers do not stay the same"),
    ),
    "release": (
        (
            "bindery release 1.2.0",
            "commit, build all, tag v1.2.0; products, checksums, provenance in build/release/1.2.0",
        ),
    ),
    "parity": (("bindery parity", "make everything, and look in each product for what the website holds"),),
    "wheel": (("bindery wheel", "the library as a file that pip installs"),),
    "notebooks": (("bindery notebooks", "build/notebooks, and all of them in build/notebooks.zip"),),
    "data": (
        ("bindery data", "draw the stand-ins for the data sets"),
        ("bindery data --show build/data.png", "and a picture of some of them"),
        ("bindery --data real data", "say from where the published ones come"),
    ),
    "all": (("bindery all", "every product; without LaTeX, all but the PDF"),),
    "latex": (("bindery latex", "install LaTeX with apt-get, as root"),),
}

UNTANGLING = """\
Without an option nothing is written. What stands in a saved block can be edited; imports that bindery gathers, the
heads of modules and comments of origin cannot. If one edit cannot be taken back exactly, or a chapter has changed since
the copy was made, no chapter changes. Only this command and `drift accept` write into chapters/."""


DRIFT = """\
A baseline is what was accepted as the outputs of a section, in chapters/.baseline/PROFILE-DATA-DEVICE/SECTION.json,
which is committed. Sections that changed are run, then all are compared:
  words           to the letter; how they are spaced does not matter
  whole numbers   exactly, unless accepted runs differed in them
  other numbers   within one in the last printed place, a thousandth, and what accepted runs showed
  plots           labels as text; lines, marks and ticks within 1% of the axes, and what runs showed
  pictures        by structural similarity of thumbnails
  seconds         only where a section became three times as slow as others did, and by 30 s
  memory          of the kernel's process, where it grew by half, and by 0.5 GiB
Of cells tagged `timing` or `asynchronous` only the kinds of outputs are compared. build/report/drift.html shows
before and after side by side. Exit code 1 if something has moved or has no baseline.
"""

ACCEPT = """\
The runs after the first compute with other numbers of threads, and every other one without the newer instructions of
the processor, as another machine would. What differs between runs becomes a band, which `bindery drift` widens by
three times its width on both sides; a text whose words differ is not compared from then on."""

ACCEPT_RUNS = "how many runs to learn noise from (default: as many as for the baseline that is replaced, else 1)"


def examples_of(command: str) -> str:
    """The examples of a command as its help shows them."""
    lines = EXAMPLES.get(command, ())
    width = max((len(line) for line, _ in lines), default=0)
    return "\n".join(["examples:", *(f"  {line:{width}}  {what}" for line, what in lines)]) if lines else ""
