#!/usr/bin/env python3
"""The lint scripts find what they are for. Each test makes a small tree with one offence in it."""

import pathlib
import tempfile
import unittest

import check_layers
import tidy

RULES = """
layer 0 base
layer 1 io innodb
layer 5 cli
header xxhash.h io
header fmt/ *
system dirent.h io
"""


class LintTest(unittest.TestCase):
    def setUp(self):
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.root = pathlib.Path(directory.name)
        self.put("tests/lint/untested.txt", "")
        for module in ("base", "io", "innodb"):
            self.put(f"include/hbk/{module}/{module}_main.h", "// A header.\n#pragma once\n")

    def put(self, name, text):
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")

    def layers(self, name, text):
        self.put(name, text)
        return check_layers.check(self.root, check_layers.Rules(RULES))

    def tidy(self, name, text):
        self.put(name, text)
        return tidy.check(self.root)

    # check_layers.py

    def test_lower_layers_are_allowed(self):
        text = '#include "hbk/base/base_main.h"\n#include "hbk/io/io_main.h"\n#include <fmt/format.h>\n'
        self.assertEqual(self.layers("src/io/a.cc", text), [])
        self.assertEqual(self.layers("src/cli/a.cc", text), [])

    def test_own_row_and_higher_layers_are_not(self):
        self.assertIn("may not use innodb",
                      self.layers("src/io/a.cc", '#include "hbk/innodb/innodb_main.h"\n')[0])
        self.assertIn("may not use io",
                      self.layers("src/base/b.cc", '#include "hbk/io/io_main.h"\n')[0])

    def test_private_headers_stay_in_their_module(self):
        self.put("src/io/secret.h", "// x\n#pragma once\n")
        self.assertEqual(self.layers("src/io/a.cc", '#include "secret.h"\n'), [])
        self.assertEqual(self.layers("tests/unit/io/a_test.cc", '#include "secret.h"\n'), [])
        self.assertEqual(len(self.layers("src/cli/a.cc", '#include "secret.h"\n')), 1)

    def test_private_header_by_way_of_a_path(self):
        self.put("src/io/secret.h", "// x\n#pragma once\n")
        self.assertEqual(len(self.layers("src/cli/a.cc", '#include "src/io/secret.h"\n')), 1)

    def test_public_headers_include_public_headers_only(self):
        self.put("src/io/secret.h", "// x\n#pragma once\n")
        self.assertEqual(len(self.layers("include/hbk/io/a.h", '#include "secret.h"\n')), 1)

    def test_third_party_has_its_module_and_stays_in_sources(self):
        self.assertEqual(self.layers("src/io/a.cc", "#include <xxhash.h>\n"), [])
        self.assertIn("only for io", self.layers("src/cli/a.cc", "#include <xxhash.h>\n")[0])

    def test_third_party_in_a_header(self):
        self.assertIn(".cc", self.layers("src/io/a.h", "#include <fmt/format.h>\n")[0])

    def test_unknown_third_party(self):
        self.assertIn("layers.txt", self.layers("src/io/a.cc", "#include <boost/any.hpp>\n")[0])

    def test_restricted_headers_of_the_system(self):
        self.assertEqual(self.layers("src/io/a.cc", "#include <dirent.h>\n"), [])
        self.assertIn("only for io", self.layers("src/cli/a.cc", "#include <dirent.h>\n")[0])

    def test_unknown_module(self):
        self.assertIn("layers.txt", self.layers("src/extra/a.cc", "int x;\n")[0])

    def test_program_does_not_include_tests(self):
        self.assertEqual(len(self.layers("src/io/a.cc", '#include "tests/support/x.h"\n')), 1)

    # tidy.py

    def test_a_header_begins_with_a_comment(self):
        self.assertIn("begins with", self.tidy("include/hbk/io/a.h", "#pragma once\n")[0])

    def test_todo_and_fixme(self):
        self.put("tests/lint/untested.txt", "src/io/a.cc: a test of lint\n")
        self.assertIn("FIXME", self.tidy("src/io/a.cc", "// FIXME\n")[0])
        self.assertIn("TODO", self.tidy("src/io/a.cc", "// TODO: x\n")[0])
        self.assertEqual(self.tidy("src/io/a.cc", "// TODO(#12): x\n"), [])

    def test_a_source_file_has_a_test_or_a_reason(self):
        self.assertIn("a_test.cc", self.tidy("src/io/a.cc", "int x;\n")[0])
        self.put("tests/unit/io/a_test.cc", "int y;\n")
        self.assertEqual(tidy.check(self.root), [])
        self.put("tests/lint/untested.txt", "src/io/a.cc: too simple\n")
        self.assertIn("has a test", tidy.check(self.root)[0])

    def test_reasons_for_files_that_are_gone(self):
        self.assertIn("no such file", self.tidy("tests/lint/untested.txt", "src/io/a.cc: x\n")[0])

    def test_exceptions_and_prints_in_code_only(self):
        self.put("tests/lint/untested.txt", "src/io/a.cc: a test of lint\n")
        self.assertIn("exceptions", self.tidy("src/io/a.cc", "void F() { throw 1; }\n")[0])
        self.assertIn("speak", self.tidy("src/io/a.cc", 'void F() { printf("x"); }\n')[0])
        self.assertIn("speak", self.tidy("src/io/a.cc", "void F() { std::cout << 1; }\n")[0])
        self.assertEqual(
            self.tidy("src/io/a.cc", '// try it\nauto x = "throw printf(1)"; /* try */\n'), [])

    def test_digit_separators_do_not_hide_code(self):
        self.put("tests/lint/untested.txt", "src/io/a.cc: a test of lint\n")
        text = "int x = 1'000;\nvoid F() { throw 1; }\nint y = 2'000;\n"
        self.assertIn(":2:", self.tidy("src/io/a.cc", text)[0])

    def test_tabs_and_white_space(self):
        self.assertIn("tab", self.tidy("cmake/a.cmake", "\tset(x 1)\n")[0])
        self.assertIn("at the end", self.tidy("cmake/a.cmake", "set(x 1) \n")[0])
        self.assertIn("newline", self.tidy("cmake/a.cmake", "set(x 1)")[0])

    def test_machine_paths(self):
        self.assertIn("machine", self.tidy("cmake/a.cmake", "# /home/me/x\n")[0])

    def test_the_docs_index_lists_every_page(self):
        self.put("docs/index.md", "[a](a.md) [b](format/b.md#part)\n")
        self.put("docs/a.md", "a\n")
        self.put("docs/format/b.md", "b\n")
        self.assertEqual(tidy.check(self.root), [])
        self.assertIn("does not list", self.tidy("docs/c.md", "c\n")[0])

    def test_names_of_files_are_unique(self):
        self.put("include/hbk/io/same.h", "// x\n#pragma once\n")
        self.assertIn("of this name", self.tidy("include/hbk/base/same.h", "// x\n#pragma once\n")[0])


if __name__ == "__main__":
    unittest.main()
