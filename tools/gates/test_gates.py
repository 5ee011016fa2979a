#!/usr/bin/env python3
"""Each gate sees a planted violation in a small tree, and finds nothing in a clean one. Run by ./dev check and CTest."""
import contextlib
import io
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import check
import company
import dead
import docs
import format as formatting
import headers
import layers
import ratchet
import symbols
import syntax
import tidy
from tree import Finding, Tree, without_comments

LAYERS = "# comment\nbase:\nhost: base\nlog: host base\nraft: log host base\nsim: *\napp: *\n"
# A coroutine type small enough to be compiled for each test without any system header.
TASK = """#pragma once
namespace std {
template <class R, class...> struct coroutine_traits { using promise_type = typename R::promise_type; };
template <class P = void> struct coroutine_handle {
  static coroutine_handle from_address(void*) noexcept { return {}; }
  operator coroutine_handle<>() const noexcept;
};
template <> struct coroutine_handle<void> { static coroutine_handle from_address(void*) noexcept { return {}; } };
template <class K, class V> struct unordered_map { int* begin() const; int* end() const; };
}  // namespace std
struct Never { bool await_ready() noexcept { return true; } void await_suspend(std::coroutine_handle<>) noexcept {} void await_resume() noexcept {} };
struct task {
  struct promise_type {
    task get_return_object(); Never initial_suspend() noexcept; Never final_suspend() noexcept;
    void return_void(); void unhandled_exception();
  };
  bool await_ready(); void await_suspend(std::coroutine_handle<>); int await_resume();
};
struct Options { int a; int b; };
struct Point { int x; int y; };
struct AsPoint { bool await_ready(); void await_suspend(std::coroutine_handle<>); Point await_resume(); };
task number(int n);
task with(Options o);
int use(Options o, int n);
template <class F> task call(F) { return number(1); }
AsPoint point();
"""


class Planted(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.root = pathlib.Path(self.folder.name)

    def tree(self, files):
        for name, text in files.items():
            path = self.root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        return Tree(self.root, jobs=2, cache=self.root / ".cache/gates")

    def hits(self, gate, files):
        """(path, line) of the findings."""
        return [(f.path, f.line) for f in gate(self.tree(files))]

    def commands(self, *paths):
        return {"build/debug/compile_commands.json": json.dumps(
            [{"directory": str(self.root), "file": p, "command": f"clang++-19 -std=c++23 -Isrc -c {p}"} for p in paths])}


class Stripping(unittest.TestCase):
    def test_blanks_comments_and_literals_and_keeps_places(self):
        code = without_comments('a; // throw\n"throw"; /* throw\n */ b; 1\'000\'000; R"(throw)"; \'"\'; c;')
        self.assertNotIn("throw", code)
        self.assertEqual(code.count("\n"), 2)
        self.assertIn("1'000'000", code)
        self.assertTrue(code.endswith("c;"))


class Layers(Planted):
    def test_clean(self):
        self.assertEqual([], self.hits(layers.run, {
            "src/LAYERS": LAYERS, "src/base/a.h": "#include <vector>\n", "src/host/b.cc": '#include "base/a.h"\n',
            "src/raft/driver.cc": '#include "host/x.h"\n', "src/app/main.cc": '#include "sim/s.h"\n',
            "src/base/c.cc": '// #include "app/a.h"\n'}))

    def test_an_arrow_that_is_not_listed(self):
        self.assertEqual([("src/base/a.h", 2)], self.hits(layers.run, {
            "src/LAYERS": LAYERS, "src/base/a.h": '#pragma once\n#include "host/b.h"\n'}))

    def test_nobody_includes_app_or_sim(self):
        self.assertEqual([("src/log/a.cc", 1), ("src/sim/b.cc", 1)], self.hits(layers.run, {
            "src/LAYERS": LAYERS, "src/log/a.cc": '#include "sim/s.h"\n', "src/sim/b.cc": '#include "app/x.h"\n'}))

    def test_host_in_a_core_file_of_a_pure_module(self):
        self.assertEqual([("src/raft/leader.cc", 1)], self.hits(layers.run, {
            "src/LAYERS": LAYERS, "src/raft/leader.cc": '#include "host/env.h"\n'}))

    def test_an_include_without_its_module(self):
        self.assertEqual([("src/log/a.cc", 1)], self.hits(layers.run, {
            "src/LAYERS": LAYERS, "src/log/a.cc": '#include "log.h"\n'}))

    def test_an_unknown_folder_and_a_ring_of_modules(self):
        self.assertEqual([("src/LAYERS", 1), ("src/new/a.cc", 1)], self.hits(layers.run, {
            "src/LAYERS": "base: host\nhost: base\n", "src/new/a.cc": ""}))

    def test_a_ring_of_files(self):
        clean = {"src/base/a.h": '#include "base/b.h"\n', "src/base/b.h": '#include "base/c.h"\n', "src/base/c.h": ""}
        self.assertEqual([], self.hits(layers.cycles, clean))
        self.assertEqual([("src/base/c.h", 2)], self.hits(layers.cycles, {**clean, "src/base/c.h": '\n#include "base/a.h"\n'}))


class Symbols(Planted):
    FORBIDDEN = {
        "system-header": "#include <sys/socket.h>", "system-call": "int n = ::read(fd, p, 3);",
        "file": 'auto* f = fopen("x", "r");', "thread": "std::mutex m;", "atomic": "std::atomic<int> n;",
        "chrono": "#include <chrono>", "clock": "auto t = time(nullptr);", "random": "int n = rand();",
        "environment": 'auto* home = std::getenv("HOME");', "exit": "std::exit(1);", "throw": "throw 3;",
        "shared_ptr": "std::shared_ptr<int> p;", "thread_local": "thread_local int n;",
        "pointer-order": "std::map<const Node*, int> m;", "iostream": "#include <iostream>",
    }

    def test_every_rule_catches_its_example_in_a_core(self):
        self.assertEqual({r.name for r in symbols.RULES}, set(self.FORBIDDEN))
        for name, line in self.FORBIDDEN.items():
            with self.subTest(name):
                found = symbols.run(self.tree({"src/replica/a.cc": f"// first\n{line}\n"}))
                self.assertEqual([("src/replica/a.cc", 2)], [(f.path, f.line) for f in found])
                self.assertTrue(found[0].message.startswith(name + ":"), found[0].message)

    def test_host_posix_may_call_the_system_but_not_throw(self):
        text = "#include <sys/socket.h>\nint n = ::read(fd, p, 3);\nauto t = time(nullptr);\nthrow 3;\n"
        self.assertEqual([("src/host/posix/a.cc", 4)], self.hits(symbols.run, {"src/host/posix/a.cc": text}))

    def test_words_that_only_look_forbidden(self):
        self.assertEqual([], self.hits(symbols.run, {"src/log/a.cc": "\n".join([
            "// throw, std::mutex", 'auto s = "fopen(";', "file.read(p, 3); clock.time(0); r.random();",
            "co_await file::read(1);", "std::shared_ptr<const Image> image;", "std::map<Offset, Node*> nodes;",
            "v.erase(std::remove(v.begin(), v.end(), 3), v.end());", "#include <cstdio>", "int rethrow = entry();",
            "disk.rename(a, b); stream->close(); env.exit(3);",
            "Random random(7);"])}))


class Syntax(Planted):
    def awaits(self, *lines):
        source = '#include "base/task.h"\n' + "\n".join(lines) + "\n"
        found = syntax.run(self.tree({"src/base/task.h": TASK, "src/log/a.cc": source}))
        return [(f.line, f.message.split(":")[0]) for f in found]

    def test_what_is_named_first_is_clean(self):
        self.assertEqual([], self.awaits(
            "task good(Options given) {", "  Options o{1, 2}; int n = co_await with(o);", "  int sum = co_await number(n) + co_await number(2);",
            "  if (sum > 3) co_await number(sum);", "  auto l = [sum] { Options p{sum, 2}; return p.a; }; auto t = call(l); co_await t;",
            "  Point p = co_await point(); auto [x, y] = p; co_await number(x + y + given.a);", "}", "constexpr int kTable[] = {1, 2};",
            "const int& first() { static const int& one = kTable[0]; return one; }"))

    def test_braces_lambdas_conditions_choices_bindings(self):
        self.assertEqual(
            [(3, "await-braces"), (4, "await-braces"), (5, "await-braces"), (6, "await-braces"), (7, "await-condition"),
             (8, "await-condition"), (9, "await-choice"), (10, "await-choice"), (11, "await-binding")],
            self.awaits("task bad(int n) {", "  co_await with(Options{1, 2});", "  co_await with({1, 2});",
                        "  n = use(Options{1, 2}, co_await number(3));", "  co_await call([n] { return n; });",
                        "  if (co_await number(1) == 3) n = 2;", "  while (co_await number(1) < 3) n++;",
                        "  n = n > 2 ? co_await number(3) : 4;", "  bool b = n > 2 && co_await number(3);",
                        "  auto [x, y] = co_await point();", "  (void)b; (void)x; (void)y;", "}"))

    def test_inside_a_template_too(self):
        self.assertEqual([(3, "await-condition")],
                         self.awaits("template <class T> task bad(T t) {", "  if (co_await t) {}", "}"))

    def test_hashed_iteration_mutable_statics_rvalue_parameters(self):
        self.assertEqual(
            [(2, "hashed"), (3, "static"), (4, "static"), (5, "rvalue-parameter")],
            self.awaits("int sum(const std::unordered_map<int, int>& m) { int n = 0; for (int x : m) n += x; return n; }",
                        "int g_count = 0;", "int next() { static int n = 0; return ++n; }",
                        "task take(Options&& o) { co_await number(o.a); }"))


class Headers(Planted):
    def test_a_header_that_leans_on_its_includer(self):
        self.assertEqual([("src/base/b.h", 2)], self.hits(headers.run, {
            "src/base/a.h": "#pragma once\nstruct A {};\n", "src/base/b.h": "#pragma once\ninline A make() { return {}; }\n",
            "src/base/c.h": '#pragma once\n#include "base/a.h"\ninline A other() { return {}; }\n'}))

    def test_a_header_without_pragma_once(self):
        self.assertEqual([("src/base/a.h", 1)], self.hits(headers.run, {"src/base/a.h": "struct A {};\n"}))

    def test_a_source_that_does_not_include_its_own_header_first(self):
        files = {"src/base/a.h": "#pragma once\n", "src/base/b.h": "#pragma once\n", **self.commands("src/base/a.cc")}
        own_first = '#include "base/a.h"\n\n#include "base/b.h"\n'
        self.assertEqual([], self.hits(headers.run, {**files, "src/base/a.cc": own_first}))
        self.assertEqual([("src/base/a.cc", 3)], self.hits(headers.run, {
            **files, "src/base/a.cc": '#include "base/b.h"\n\n#include "base/a.h"\n'}))

    def test_what_was_clean_is_looked_at_again_when_its_include_changes(self):
        files = {"src/base/a.h": "#pragma once\nstruct A {};\n", "src/base/b.h": '#pragma once\n#include "base/a.h"\ninline A make() { return {}; }\n'}
        self.assertEqual([], self.hits(headers.run, files))
        self.assertEqual([("src/base/b.h", 3)], self.hits(headers.run, {**files, "src/base/a.h": "#pragma once\n"}))


class FormatAndTidy(Planted):
    def test_format(self):
        style = {".clang-format": "BasedOnStyle: Google\n"}
        self.assertEqual([], self.hits(formatting.run, {**style, "src/base/a.cc": "int a = 3;\n"}))
        self.assertEqual([("src/base/a.cc", 2)], self.hits(formatting.run, {**style, "src/base/a.cc": "int a = 3;\nint  b=3;\n"}))

    def test_tidy(self):
        config = {".clang-tidy": (check.HERE.parent.parent / ".clang-tidy").read_text()}
        clean = "int twice(int a) { return a + a; }\n"
        self.assertEqual([], self.hits(tidy.run, {**config, "src/base/a.cc": clean}))
        self.assertEqual([("src/base/a.cc", 2)], self.hits(tidy.run, {
            **config, "src/base/a.cc": clean + "double half(int a) { return 1.0 + a / 2; }\n"}))


class MainLine(Planted):
    """What ./dev check looks at on a branch, and what it says it left out."""
    CONFIG = {".clang-tidy": "Checks: '-*,bugprone-integer-division'\nWarningsAsErrors: '*'\nHeaderFilterRegex: '/src/'\n"}
    BAD = "inline double half(int a) { return 1.0 + a / 2; }\n"

    def git(self, *args):
        subprocess.run(["git", "-C", str(self.root), "-c", "user.name=t", "-c", "user.email=t@example.org", *args],
                       check=True, capture_output=True)

    def branch(self, files):
        """A branch that leaves main at these files."""
        self.tree({**self.CONFIG, ".gitignore": ".cache/\n", **files})
        for command in (("init", "-q", "-b", "main"), ("add", "."), ("commit", "-qm", "first"), ("checkout", "-qb", "other")):
            self.git(*command)

    def look(self, files, whole=False):
        tree = self.tree(files)
        tree.whole = whole
        return [(f.path, f.line) for f in tidy.run(tree)], tree.notes["tidy"]

    def test_what_is_as_on_main_is_left_out_said_and_found_by_all(self):
        self.branch({"src/base/a.cc": self.BAD, "src/base/b.cc": "int b() { return 1; }\n"})
        found, note = self.look({})
        self.assertEqual([], found)
        self.assertIn("0 of 2 looked at anew; NOT looked at: 2", note)
        self.assertIn("--all", note)
        self.assertEqual(([("src/base/a.cc", 1)], "2 of 2 looked at anew"), self.look({}, whole=True))

    def test_a_changed_a_committed_and_a_new_file_are_looked_at(self):
        self.branch({f"src/base/{name}.cc": f"int {name}() {{ return 1; }}\n" for name in "abc"})
        self.assertEqual([("src/base/a.cc", 1)], self.look({"src/base/a.cc": self.BAD})[0])
        self.git("commit", "-qam", "second")
        found, note = self.look({"src/base/d.cc": "int d() { return 1; }\n" + self.BAD.replace("half", "third")})
        self.assertEqual([("src/base/a.cc", 1), ("src/base/d.cc", 2)], found)
        self.assertIn("NOT looked at: 2", note)

    def test_a_changed_header_is_looked_at_through_who_includes_it_though_that_was_clean_before(self):
        self.branch({"src/base/a.h": "#pragma once\n", "src/base/b.h": '#pragma once\n#include "base/a.h"\n',
                     "src/base/b.cc": '#include "base/b.h"\n', "src/base/c.cc": "int c();\n"})
        self.assertEqual([], self.look({}, whole=True)[0])
        found, note = self.look({"src/base/a.h": "#pragma once\n" + self.BAD})
        self.assertEqual([("src/base/a.h", 2)], found)
        self.assertIn("1 of 2 looked at anew", note)

    def test_of_many_includers_the_nearest(self):
        far = {f"src/base/far{n:02}.cc": f'#include "base/b.h"\nint far{n}();\n' for n in range(tidy.INCLUDERS + 3)}
        self.branch({"src/base/a.h": "#pragma once\n", "src/base/b.h": '#pragma once\n#include "base/a.h"\n', **far,
                     "src/base/near.cc": '#include "base/a.h"\n'})
        found, note = self.look({"src/base/a.h": "#pragma once\nint a();\n", "src/base/near.cc": '#include "base/a.h"\n' + self.BAD})
        self.assertEqual([("src/base/near.cc", 2)], found)
        self.assertIn("3 far from a changed header", note)

    def test_syntax_and_headers_leave_out_what_is_as_on_main_and_say_so(self):
        bad = {"src/base/a.cc": "int g_count = 0;\n", "src/base/a.h": "#pragma once\ninline B b();\n"}
        self.branch({**bad, "src/base/b.cc": "int b();\n"})
        for gate, name, changed in ((syntax.run, "syntax", {"src/base/b.cc": "int g_other = 0;\n"}), (headers.run, "headers", {"src/base/c.h": bad["src/base/a.h"]})):
            with self.subTest(name):
                tree = self.tree({})
                self.assertEqual([], gate(tree))
                self.assertIn("NOT looked at:", tree.notes[name])
                tree = self.tree(changed)
                self.assertEqual(list(changed), [f.path for f in gate(tree)])
                tree = self.tree({})
                tree.whole = True
                self.assertEqual(2, len(gate(tree)))

    def test_other_rules_or_no_main_line_mean_everything(self):
        self.branch({"src/base/a.cc": self.BAD})
        self.assertEqual([("src/base/a.cc", 1)], self.look({".clang-tidy": self.CONFIG[".clang-tidy"] + "# new\n"})[0])
        self.git("branch", "-D", "main")
        self.git("checkout", ".clang-tidy")
        self.assertEqual([("src/base/a.cc", 1)], self.look({})[0])


class Company(Planted):
    def sizes(self, *codes):
        tree = self.tree({f"src/base/f{n}.cc": code for n, code in enumerate(codes)})
        return [len(batch.items) for batch in company.batches(tree, [(p,) for p in tree.cxx()])]

    def test_a_name_that_is_not_one_files_alone_parts_two_files_and_nothing_else_does(self):
        self.assertEqual([2], self.sizes("namespace { int f(int run) { run++; return run; } }\n", "namespace { int g() { int run = 3; return run; } }\n"))
        for code in ("int f() {\n}\n", "using f = int;\n", "struct f {\n};\n", "const int f = 1;\n", "int f[] = {1};\n"):
            with self.subTest(code):
                first, second = "namespace a {\nnamespace {\nint f() { return 1; }\n}\n}\n", f"namespace a {{\nnamespace {{\n{code}}}\n}}\n"
                self.assertEqual([2], self.sizes(first, second))
                self.assertEqual([1, 1], self.sizes(first, second + "int g() { return b.f; }\n"))

    def test_a_violation_beside_a_name_that_two_files_have_is_found_in_each(self):
        files = {f"src/base/{n}.cc": f"namespace {{\nint kept = {n};\nint twice() {{ return kept * 2; }}\n}}\n" for n in "12"}
        source = self.tree(files)
        batch, = company.batches(source, [(p,) for p in source.cxx()])
        self.assertEqual(["kept", "twice"], batch.renamed["src/base/2.cc"])
        self.assertEqual([("src/base/1.cc", 2), ("src/base/2.cc", 2)], self.hits(syntax.run, files))

    def test_what_does_not_compile_together_is_looked_at_apart(self):
        macro = "#define OWN(x) int x##_ = 0;\nOWN(state)\n"  # two names that the text does not show
        self.assertEqual([("src/base/a.cc", 2), ("src/base/b.cc", 2)],
                         self.hits(syntax.run, {"src/base/a.cc": macro, "src/base/b.cc": macro}))

    def test_clones_share_what_was_clean_and_another_tree_does_not(self):
        with tempfile.TemporaryDirectory() as cache, tempfile.TemporaryDirectory() as second:
            notes = []
            for root, code in ((self.root, "int a();\n"), (pathlib.Path(second), "int a();\n"), (self.root, "int b();\n")):
                (root / "src/base").mkdir(parents=True, exist_ok=True)
                (root / "src/base/a.cc").write_text(code)
                tree = Tree(root, cache=cache)
                self.assertEqual([], syntax.run(tree))
                notes.append(tree.notes["syntax"])
            self.assertEqual(["1 of 1 looked at anew", "0 of 1 looked at anew", "1 of 1 looked at anew"], notes)

    def test_what_nobody_asked_for_in_a_month_is_forgotten(self):
        tree = self.tree({"src/base/a.cc": "int a();\n"})
        self.assertEqual([], syntax.run(tree))
        stamp, = (tree.cache / "syntax").iterdir()
        os.utime(stamp, (1, 1))
        tree.stamps("syntax")
        self.assertFalse(stamp.exists())


class Ratchet(Planted):
    LONG = "int f(int a) {\n" + "  a++;\n" * 70 + "  return a;\n}\n"

    def test_limits(self):
        short = "int f(int a) {\n" + "  a++;\n" * 67 + "  return a;\n}\n"  # 70 lines
        self.assertEqual([], self.hits(ratchet.run, {"src/base/a.cc": short + "\n" * 500}))
        self.assertEqual([("src/base/a.cc", 1), ("src/base/a.cc", 2)], self.hits(ratchet.run, {
            "src/base/a.cc": "// x\n" + self.LONG + "\n" * 600}))

    def test_finds_functions_of_every_shape(self):
        code = """#define M(x) { \\
  x
namespace a::b { extern "C" {
class [[nodiscard]] C final : public D {
 public:
  C(int a) : a_{a}, b_(2) {
    f();
  }
  auto g() const noexcept -> int override {
    if (x) { y(); }
  }
 private:
  int a_{3};
  std::array<int, 2> c_ = {1, 2};
};
}
int C::operator()(int a) const {
}
std::vector<int> table = {f(1),
  2};
TEST(Name, DoesThings) {
  auto l = [] { return 1; };
}
template <class T>
  requires Big<T>
void big(T t) {
}
enum class E { a, b };
}
"""
        self.assertEqual([("C", 6, 8), ("g", 9, 11), ("C::operator()", 17, 18), ("Name.DoesThings", 21, 23), ("big", 24, 27)],
                         [tuple(f)[:3] for f in ratchet.functions(without_comments(code))])

    def test_a_table_is_data_until_it_computes(self):
        table = "std::vector<Case> cases() {\n  using P = int;\n  return {\n" + "      {1, P{2}},\n" * 90 + "  };\n}\n"
        self.assertEqual([], self.hits(ratchet.run, {"src/base/a.cc": table}))
        self.assertEqual([("src/base/a.cc", 1)], self.hits(ratchet.run, {"src/base/a.cc": table.replace("  return", "  f();\n  return")}))

    def test_an_exception_counts_until_it_grows_or_is_not_needed(self):
        files = {"src/base/a.cc": self.LONG, ratchet.EXCEPTIONS: "src/base/a.cc:f 73\n"}
        self.assertEqual([], self.hits(ratchet.run, files))
        self.assertEqual([("src/base/a.cc", 1)], self.hits(ratchet.run, {**files, ratchet.EXCEPTIONS: "src/base/a.cc:f 72\n"}))
        self.assertEqual([(ratchet.EXCEPTIONS, 2)], self.hits(ratchet.run, {**files, ratchet.EXCEPTIONS: "src/base/a.cc:f 73\nsrc/base/a.cc:g 90\n"}))

    def test_the_list_only_shrinks(self):
        def git(*args):
            subprocess.run(["git", "-C", str(self.root), "-c", "user.name=t", "-c", "user.email=t@example.org", *args],
                           check=True, capture_output=True)
        self.tree({"src/base/a.cc": self.LONG, ratchet.EXCEPTIONS: "src/base/a.cc:f 73\n"})
        git("init", "-q", "-b", "main")
        git("add", ".")
        git("commit", "-qm", "first")
        self.assertEqual([], ratchet.run(Tree(self.root)))
        grown = {"src/base/b.cc": self.LONG, ratchet.EXCEPTIONS: "src/base/a.cc:f 73\nsrc/base/b.cc:f 73\n"}
        self.assertEqual([(ratchet.EXCEPTIONS, 2)], self.hits(ratchet.run, grown))
        git("add", ".")
        git("commit", "-qm", "second")  # committing it does not launder it
        self.assertEqual([(ratchet.EXCEPTIONS, 2)], [(f.path, f.line) for f in ratchet.run(Tree(self.root))])


class Dead(Planted):
    def test_clean(self):
        self.assertEqual([], self.hits(dead.run, {
            "src/base/a.h": "", "src/base/a.cc": '#include "base/a.h"\n', "src/app/main.cc": '#include "base/a.h"\n',
            "tools/x.py": "", "dev": "tools/x.py\n", **self.commands("src/base/a.cc", "src/app/main.cc")}))

    def test_a_header_that_only_its_own_files_include(self):
        own = {"src/base/a.h": "", "src/base/a.cc": '#include "base/a.h"\n', "src/base/a_test.cc": '#include "base/a.h"\n'}
        built = self.commands("src/base/a.cc", "src/base/a_test.cc", "src/app/main.cc")
        self.assertEqual([("src/base/a.h", 1)], self.hits(dead.run, {**own, **built, "src/app/main.cc": ""}))

    def test_a_test_in_no_target_and_a_script_that_nothing_starts(self):
        self.assertEqual([("src/base/a_test.cc", 1), ("tests/bench/run.py", 1), ("tools/x.py", 1)], sorted(self.hits(dead.run, {
            "src/base/a_test.cc": "", "src/base/a.cc": "", "tools/x.py": "x\n", "dev": "run tests/other\n", "tests/bench/run.py": "",
            **self.commands("src/base/a.cc")})))

    def test_without_a_build_it_says_so(self):
        self.assertEqual([("build/debug/compile_commands.json", 1)], self.hits(dead.run, {"src/base/a.cc": ""}))


class Docs(Planted):
    def test_links(self):
        self.assertEqual([], self.hits(docs.run, {
            "README.md": "[a](docs/a.md#the-second) [b](https://x.y) `[c](none)` [d](#here)\n# Here\n", "docs/a.md": "# The second\n[up](../README.md)\n"}))
        self.assertEqual([("README.md", 2), ("README.md", 3)], self.hits(docs.run, {
            "README.md": "\n[a](docs/none.md)\n[b](docs/a.md#third)\n"}))

    def test_commands(self):
        there = {"dev": 'COMMANDS="test bench sim fuzz compat run"\n', "tests/bench/log_bench.cc": "", "tests/bench/open.py": "", "tests/fuzz/fuzz_lz4.cc": "",
                 "tests/sim/a.cc": 'ScenarioEntry{"log"}', "src/base/a_test.cc": "TEST(Ring, Turns) {}", "tests/CMakeLists.txt": "add_test(NAME Gates.See)",
                 "tests/compat/run": 'CHECKS = ("wire", "quick")'}
        self.assertEqual([], self.hits(docs.run, {**there, "README.md": "\n".join([
            "`./dev` alone", "./dev run   # a broker", "`./dev bench log --rounds 3` `./dev bench open` `./dev bench`", "`./dev fuzz quick` `./dev fuzz lz4`",
            "`./dev sim bugs` `./dev sim log --seeds 3`", "`./dev test Ring` `./dev test Gates` `./dev test long`", "`./dev compat quick` `./dev compat wire`"])}))
        self.assertEqual([("README.md", n) for n in range(1, 7)], self.hits(docs.run, {**there, "README.md": "\n".join([
            "`./dev bnech`", "`./dev bench log_bench`", "`./dev fuzz gzip`", "`./dev sim toy`", "`./dev test Rong`", "`./dev compat log`"])}))

    def test_module_table(self):
        page = "| module | |\n|---|---|\n| `base` | x |\n"
        self.assertEqual([], self.hits(docs.run, {"ARCHITECTURE.md": page, "src/base/a.h": ""}))
        self.assertEqual([("ARCHITECTURE.md", 1)], self.hits(docs.run, {"src/log/a.h": ""}))

    def test_packages(self):
        self.assertEqual([("tools/packages.txt", 2)], self.hits(docs.run, {
            "tools/packages.txt": "build ninja-build  # builds\nbuild cmake  # builds\n", "docs/dependencies.md": "`ninja-build`\n"}))


class Runner(Planted):
    def report(self, gate):
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            code = check.report([("first", "is clean", lambda tree: []), ("second", "is not", gate)], self.tree({}))
        return code, printed.getvalue()

    def test_findings_and_a_broken_gate_fail_the_check(self):
        code, printed = self.report(lambda tree: [Finding("a.cc", 3, "wrong", "do right")])
        self.assertEqual(1, code)
        self.assertIn("a.cc:3: wrong\n        -> do right", printed)
        self.assertIn("gates: 1 passed, 1 failed", printed)
        code, printed = self.report(lambda tree: 1 / 0)
        self.assertEqual(1, code)
        self.assertIn("ZeroDivisionError", printed)
        self.assertEqual(0, self.report(lambda tree: [])[0])


if __name__ == "__main__":
    unittest.main()
