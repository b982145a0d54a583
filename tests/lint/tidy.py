#!/usr/bin/env python3
"""House rules that neither the compiler nor clang-tidy knows.

Exits with 1 and one line for each offence."""

import argparse
import pathlib
import re
import sys

TOPS = ("include", "src", "tests", "docs", "cmake", "completions", ".ci")
TEXT = {".h", ".cc", ".py", ".sh", ".md", ".txt", ".cmake", ".json", ".bash", ".1", ".cnf", ".sql"}

# Files that may say try and throw: where a third-party call throws, and the last line of defence.
MAY_CATCH = {"src/cli/main.cc", "src/manifest/manifest_json.cc"}
# Files outside report and cli that may print.
MAY_PRINT = {"src/base/check.cc"}

MACHINE_PATH = re.compile(r"(?<![\w.])/(work/(main|shared)|tmp/hbk/|home/\w+/|root/)|\.\./shared/")
EXCEPTION = re.compile(r"\b(throw|try|catch)\b")
PRINT = re.compile(r"\b(printf|fprintf|puts|fputs|putchar|perror)\s*\(|"
                   r"\bstd::(cout|cerr|clog|print)\b|\bfmt::print\b")
STRING_OR_COMMENT = re.compile(
    r'//[^\n]*|/\*.*?\*/|R"(\w*)\(.*?\)\1"|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])+\'', re.S)
# A digit separator is no quote: 1'000.
SEPARATOR = re.compile(r"(?<=[0-9a-fA-F])'(?=[0-9a-fA-F])")


def code_of(text):
    """The text without comments and strings, line by line as before."""
    def blank(match):
        return "\n" * match.group(0).count("\n")
    return STRING_OR_COMMENT.sub(blank, SEPARATOR.sub("", text))


def files_of(root):
    """Files that are ours, relative to the root. Corpora and golden files are bytes, not text."""
    files = [p for p in root.iterdir() if p.is_file()]
    for top in TOPS:
        files += [p for p in (root / top).rglob("*") if p.is_file()]
    ours = []
    for file in sorted(files):
        path = file.relative_to(root)
        if "corpus" in path.parts or "golden" in path.parts or "__pycache__" in path.parts:
            continue
        if path.suffix in TEXT or path.name in ("Makefile", "run"):
            ours.append(path)
    return ours


def check_lines(path, text):
    """Rules for every text file."""
    offences = []
    for number, line in enumerate(text.splitlines(), 1):
        where = f"{path}:{number}: "
        if "\t" in line and path.suffix not in (".1", ".txt"):
            offences.append(where + "a tab")
        if line != line.rstrip() and path.suffix != ".md":
            offences.append(where + "white space at the end")
        if path.name in ("tidy.py", "lint_test.py"):
            continue  # they name what they forbid
        if "FIXME" in line:
            offences.append(where + "FIXME: mend it, or write TODO(#number)")
        if re.search(r"\bTODO\b(?!\(#\d+\))", line):
            offences.append(where + "TODO needs the number of an issue: TODO(#123)")
        if MACHINE_PATH.search(line):
            offences.append(where + "a path that exists on one machine only")
    if text and not text.endswith("\n"):
        offences.append(f"{path}: no newline at the end")
    return offences


def check_code(path, text):
    """Rules for C++ files of the program."""
    offences = []
    name = path.as_posix()
    if path.suffix == ".h" and not text.startswith("//"):
        offences.append(f"{path}:1: a header begins with a comment that says what it is")
    if path.suffix == ".h" and "#pragma once" not in text:
        offences.append(f"{path}: no #pragma once")
    if path.parts[0] == "tests":
        return offences
    may_print = name in MAY_PRINT or path.parts[:2] in (("src", "report"), ("src", "cli"))
    for number, line in enumerate(code_of(text).splitlines(), 1):
        if EXCEPTION.search(line) and name not in MAY_CATCH:
            offences.append(f"{path}:{number}: no exceptions here: return a Status")
        if PRINT.search(line) and not may_print:
            offences.append(f"{path}:{number}: only report and cli speak")
    return offences


def check_tests(root, paths):
    """A test beside each source file, or a reason."""
    offences = []
    reasons = {}
    for line in (root / "tests/lint/untested.txt").read_text(encoding="utf-8").splitlines():
        if line.strip() and not line.startswith("#"):
            name, _, reason = line.partition(":")
            reasons[name.strip()] = reason.strip()
    sources = [p for p in paths if p.parts[0] == "src" and p.suffix == ".cc"]
    for path in sources:
        test = pathlib.Path("tests/unit", path.parts[1], path.stem + "_test.cc")
        has_test = (root / test).is_file()
        reason = reasons.pop(path.as_posix(), None)
        if not has_test and not reason:
            offences.append(f"{path}: no {test}, and no reason in tests/lint/untested.txt")
        if has_test and reason is not None:
            offences.append(f"tests/lint/untested.txt: {path} has a test")
    offences += [f"tests/lint/untested.txt: {name}: no such file" for name in reasons]
    return offences


def check_names(paths):
    """Names of files are unique in the tree, so that a name says where to look."""
    offences = []
    seen = {}
    for path in paths:
        if path.suffix not in (".h", ".cc") or path.parts[0] not in ("src", "include"):
            continue
        module = path.parts[1] if path.parts[0] == "src" else path.parts[2]
        other = seen.setdefault(path.stem, module)
        if other != module:
            offences.append(f"{path}: module {other} has a file of this name")
    return offences


def check_docs(root, paths):
    """The index of docs/ leads to every page."""
    pages = [p for p in paths if p.parts[0] == "docs" and p.suffix == ".md"
             and p.parts[1] != "changes"]
    index = next((p for p in pages if p.as_posix() in ("docs/index.md", "docs/README.md")), None)
    if index is None:
        return ["docs: no index.md"] if pages else []
    links = set()
    for target in re.findall(r"\]\(([^)#]+)", (root / index).read_text(encoding="utf-8")):
        links.add((root / "docs" / target).resolve())
    return [f"{index}: does not list {page}" for page in pages
            if page != index and (root / page).resolve() not in links]


def check(root):
    offences = []
    paths = files_of(root)
    for path in paths:
        try:
            text = (root / path).read_text(encoding="utf-8")
        except UnicodeDecodeError:
            offences.append(f"{path}: not UTF-8")
            continue
        offences += check_lines(path, text)
        if path.suffix in (".h", ".cc"):
            offences += check_code(path, text)
    return offences + check_tests(root, paths) + check_names(paths) + check_docs(root, paths)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--root", type=pathlib.Path,
                        default=pathlib.Path(__file__).resolve().parents[2])
    offences = check(parser.parse_args().root)
    print("\n".join(offences))
    return 1 if offences else 0


if __name__ == "__main__":
    sys.exit(main())
