#!/usr/bin/env python3
"""Checks that clang-format 14 would change nothing. Exits with 77, which ctest shows as skipped, if
there is no clang-format 14: another version formats differently."""

import pathlib
import re
import shutil
import subprocess
import sys

SKIPPED = 77


def find_tool():
    for name in ("clang-format-14", "clang-format"):
        tool = shutil.which(name)
        if tool is None:
            continue
        version = subprocess.run([tool, "--version"], capture_output=True, text=True, check=True)
        if re.search(r"version 14\.", version.stdout):
            return tool
    return None


def main():
    root = pathlib.Path(__file__).resolve().parents[2]
    tool = find_tool()
    if tool is None:
        print("clang-format 14 is not installed")
        return SKIPPED
    files = [str(p) for top in ("include", "src", "tests") for p in sorted((root / top).rglob("*"))
             if p.suffix in (".h", ".cc")]
    return subprocess.run([tool, "--dry-run", "-Werror", *files], cwd=root, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
