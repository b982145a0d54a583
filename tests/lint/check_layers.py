#!/usr/bin/env python3
"""Checks who includes whom, as tests/lint/layers.txt says.

A module includes only modules of lower layers, and no private header of another one; third-party
headers stay in the .cc files of the modules that own them. Exits with 1 and one line for each
offence."""

import argparse
import pathlib
import re
import sys

INCLUDE = re.compile(r'^\s*#\s*include\s+([<"])([^>"]+)[>"]')
# Headers of the C library and of Linux, which need no leave unless layers.txt restricts them.
SYSTEM = re.compile(
    r"^(sys/|linux/|netinet/|arpa/|bits/)|"
    r"^(dirent|errno|fcntl|netdb|poll|pthread|pwd|grp|sched|signal|spawn|stdint|termios|time|"
    r"unistd|nmmintrin|immintrin)\.h$")


class Rules:
    """What layers.txt says."""

    def __init__(self, text):
        self.level = {}
        self.third_party = {}
        self.system = {}
        for number, line in enumerate(text.splitlines(), 1):
            words = line.split("#")[0].split()
            if not words:
                continue
            kind, name, modules = words[0], words[1], words[2:]
            if kind == "layer":
                for module in modules:
                    self.level[module] = int(name)
            elif kind == "header":
                self.third_party[name] = modules
            elif kind == "system":
                self.system[name] = modules
            else:
                sys.exit(f"layers.txt:{number}: unknown kind of line: {kind}")

    def third_party_modules(self, header):
        """The modules that may include the header; None if it is not in the list."""
        for name, modules in self.third_party.items():
            if header == name or (name.endswith("/") and header.startswith(name)):
                return modules
        return None


def module_of(path):
    """(module, kind) of a file given relative to the root; kind is public, private or test."""
    parts = path.parts
    if parts[:2] == ("include", "hbk") and len(parts) > 3:
        return parts[2], "public"
    if parts[0] == "src" and len(parts) > 2:
        return parts[1], "private"
    if parts[:2] == ("tests", "unit") and len(parts) > 3:
        return parts[2], "test"
    return None, "other"


def check_own(root, path, module, kind, header, rules):
    """An include in quotes: an offence in words, or None."""
    if header.startswith("hbk/"):
        if not (root / "include" / header).is_file():
            return "no such public header"
        other = header.split("/")[1]
        if other not in rules.level:
            return f"module {other} is not in layers.txt"
        # A test may build its input with what its module could not use.
        if kind in ("test", "other") or other == module:
            return None
        if rules.level[other] >= rules.level[module]:
            return f"{module} (layer {rules.level[module]}) may not use {other} " \
                   f"(layer {rules.level[other]})"
        return None
    if header.startswith("tests/"):
        return None if path.parts[0] == "tests" else "a test header in the program"
    if kind == "public":
        return "a public header may include public headers only"
    beside = (root / path).parent / header
    private = root / "src" / (module or "") / header
    if beside.is_file() or (kind == "test" and private.is_file()):
        return None
    return "not a header of this module (private headers of others are out of reach)"


def check_angle(path, module, kind, header, rules):
    """An include in angle brackets: an offence in words, or None."""
    if module is None or kind == "test":
        return None
    if header in rules.system:
        if module in rules.system[header]:
            return None
        allowed = ", ".join(rules.system[header]) or "nobody"
        return f"only for {allowed}"
    if "/" not in header and "." not in header:
        return None  # the C++ library
    if SYSTEM.search(header):
        return None
    modules = rules.third_party_modules(header)
    if modules is None:
        return "third party, but not in layers.txt"
    if path.suffix != ".cc":
        return "third party belongs into .cc files"
    if "*" not in modules and module not in modules:
        return f"only for {', '.join(modules)}"
    return None


def check(root, rules):
    offences = []
    files = [p for top in ("include", "src", "tests") for p in sorted((root / top).rglob("*"))
             if p.suffix in (".h", ".cc")]
    for file in files:
        path = file.relative_to(root)
        module, kind = module_of(path)
        if module is not None and module not in rules.level:
            offences.append(f"{path}: module {module} is not in layers.txt")
            continue
        for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), 1):
            match = INCLUDE.match(line)
            if not match:
                continue
            quote, header = match.groups()
            if quote == "<" and header.startswith("hbk/"):
                offence = "our own headers are included with quotes"
            elif quote == '"':
                if module is None and not header.startswith(("hbk/", "tests/")):
                    continue
                offence = check_own(root, path, module, kind, header, rules)
            else:
                offence = check_angle(path, module, kind, header, rules)
            if offence:
                offences.append(f"{path}:{number}: {header}: {offence}")
    return offences


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--root", type=pathlib.Path,
                        default=pathlib.Path(__file__).resolve().parents[2])
    args = parser.parse_args()
    rules = Rules((args.root / "tests/lint/layers.txt").read_text(encoding="utf-8"))
    offences = check(args.root, rules)
    print("\n".join(offences))
    return 1 if offences else 0


if __name__ == "__main__":
    sys.exit(main())
