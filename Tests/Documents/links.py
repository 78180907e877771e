"""Links, anchors and paths of Markdown files, against the files of the repository. Run by `check`."""

import re
import sys
from functools import cache
from pathlib import Path

FENCE = re.compile(r"^ {0,3}(```|~~~)")
HEADING = re.compile(r"^#{1,6} +(.*?) *#*$")
CODE = re.compile(r"`([^`\n]+)`")
LINK = re.compile(r"!?\[(?:[^][]|\[[^][]*\])*\]\(([^() ]+)\)")
# A path of the repository: below one of its folders, or of an upper folder's own file.
PATH = re.compile(r"^(?:(?:Benchmarks|CommandLine|Deploy|Dockerfiles|Services|Shared|Tests|docs)/[\w./-]*|[A-Z]+\.md)$")


def prose(path):
    """The lines outside of code blocks; the others are empty."""
    fenced = False
    before_is_blank = True
    for line in path.read_text(encoding="utf-8").splitlines():
        is_fence = FENCE.match(line) is not None
        fenced ^= is_fence
        is_indented = line.startswith("    ") and before_is_blank
        before_is_blank = not line.strip() or is_indented
        yield "" if fenced or is_fence or is_indented else line


def anchor(heading):
    """As GitHub makes it: lower case, without punctuation, hyphens for spaces."""
    text = re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", heading)
    return re.sub(r"[^\w\- ]", "", text.lower()).replace(" ", "-")


@cache
def anchors(path):
    found = set()
    for line in prose(path):
        if heading := HEADING.match(line):
            name = base = anchor(heading[1])
            count = 0
            while name in found:
                count += 1
                name = f"{base}-{count}"
            found.add(name)
    return found


def link_problem(path, target):
    if re.match(r"[a-z][a-z0-9+.-]*:", target):
        return None
    name, _, fragment = target.partition("#")
    file = (path.parent / name).resolve() if name else path
    if not file.exists():
        return f"there is no {name}"
    if fragment and file.suffix == ".md" and fragment not in anchors(file):
        return f"{name or path.name} has no heading #{fragment}"
    return None


def problems(path):
    text = "\n".join(prose(path))
    # A link may go over the end of a line; what stands between backquotes is none.
    for link in LINK.finditer(CODE.sub(lambda code: "x" * len(code[0]), text)):
        if problem := link_problem(path, link[1]):
            yield line_number(text, link), problem
    for code in CODE.finditer(text):
        if PATH.match(code[1]) and not Path(code[1]).exists():
            yield line_number(text, code), f"there is no {code[1]}"


def line_number(text, match):
    return text.count("\n", 0, match.end()) + 1


def main(names):
    wrong = 0
    for name in names:
        for number, problem in problems(Path(name).resolve()):
            print(f"{name}:{number}: {problem}", file=sys.stderr)
            wrong += 1
    return 1 if wrong else 0


sys.exit(main(sys.argv[1:]))
