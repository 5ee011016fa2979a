"""Gate `syntax`: rules that need the compiler's syntax tree, asked with clang-query over each source file.

The await rule, *name it, then await it* (docs/decisions/0012-runtime.md): an expression that awaits contains no braces
and no lambda, and stands in no condition. GCC 12 miscompiles ten such shapes, later compilers some; tests/toolchain
holds the shapes. Further: no iteration over hashed containers (its order would decide something), no mutable statics.
"""
import fnmatch
import os
import re
import subprocess
import tempfile

import mainline
from tree import CLANG, Finding, diagnostics, tool

CLANG_QUERY = "clang-query-19"

# Where a rule does not hold, and why: (rules, path pattern, reason).
ALLOWED = [
    ("static", "src/base/check.cc", "the hook that prints the simulator's seed before the process dies"),
    ("static", "src/base/bug.cc", "the planted bug, absent from releases"),
    ("static", "src/base/probe.cc", "the simulator's probe counter, absent from releases"),
    ("static", "src/sim/runner.cc", "the hooks of CHECK and of probes carry no context: one run at a time"),
    ("static hashed", "src/host/posix/*", "signal handlers and the system's own singletons; order there decides nothing"),
    ("static", "*_test.cc", "GoogleTest registers tests in statics"),
    ("static", "tests/*", "GoogleTest and fuzzers register in statics"),
    ("hashed", "*_test.cc", "a test may count in any order"),
    ("hashed", "tests/*", "a test may count in any order"),
]

_OURS = "unless(isExpansionInSystemHeader())"
_SAME = 'forFunction(functionDecl(equalsBoundNode("f")))'
_AWAIT = f"expr(anyOf(coawaitExpr(), dependentCoawaitExpr()), {_OURS}, " 'forFunction(functionDecl().bind("f")), eachOf('
_SHORT_CIRCUIT = 'binaryOperator(hasAnyOperatorName("&&", "||"))'
_BRACES = "initListExpr(), cxxConstructExpr(isListInitialization())"


def _inside(what):
    return f"hasAncestor({what})"


def _conditions():
    awaits = f"expr(anyOf(coawaitExpr(), dependentCoawaitExpr()), {_SAME})"
    holds = f"hasCondition(expr(anyOf({awaits}, hasDescendant({awaits}))))"
    return ", ".join(f"{s}({holds})" for s in ("ifStmt", "whileStmt", "doStmt", "forStmt", "switchStmt"))


_INNER = f"hasDescendant(expr(anyOf({_BRACES}, lambdaExpr()), {_SAME}))"
# One walk over the tree for each kind of node costs a third of one for each rule.
RULES = {  # name: (matcher, message, fix); await-* are matched on what _AWAIT found
    "await-braces": (
        f"expr(anyOf({_INNER}, {_inside(f'expr({_SAME}, anyOf({_BRACES}, {_INNER}))')}))",
        "an expression that awaits contains braces or a lambda", "name it on the line before, then await"),
    "await-condition": (
        f"expr({_inside(f'stmt({_SAME}, anyOf({_conditions()}))')})",
        "co_await inside a condition", "await into a named variable, then test that"),
    "await-choice": (
        f"expr({_inside(f'expr({_SAME}, anyOf(conditionalOperator(), stmtExpr(), {_SHORT_CIRCUIT}))')})",
        "co_await inside ?:, &&, || or a statement expression", "await on a line of its own, under an if"),
    "await-binding": (
        f"decompositionDecl({_OURS}, hasDescendant(expr(anyOf(coawaitExpr(), dependentCoawaitExpr()))))",
        "a structured binding directly on an awaited value", "name the value, then take it apart"),
    "rvalue-parameter": (
        f"functionDecl({_OURS}, hasBody(coroutineBodyStmt()), hasAnyParameter(hasType(rValueReferenceType())))",
        "a coroutine takes a parameter by &&, which dangles after its first suspension", "take it by value"),
    "hashed": (
        f"cxxForRangeStmt({_OURS}, hasRangeInit(expr(hasType(hasUnqualifiedDesugaredType(recordType("
        'hasDeclaration(namedDecl(matchesName("::unordered_")))))))))',
        "iterates over a hashed container, whose order nothing may depend on", "keep an ordered index, or a std::map"),
    "static": (
        f"varDecl({_OURS}, hasStaticStorageDuration(), unless(isConstexpr()), "
        "unless(hasType(isConstQualified())), unless(hasType(references(qualType(isConstQualified())))))",
        "mutable state that outlives every owner (global, static member or static local)",
        "make it a member of what owns it, or constexpr"),
}


def _each(*names):
    return ", ".join(f'{RULES[name][0]}.bind("{name}")' for name in names)


QUERIES = [
    f"stmt(eachOf({_AWAIT}{_each('await-braces', 'await-condition', 'await-choice')})), {_each('hashed')}))",
    f"decl(eachOf({_each('await-binding', 'rvalue-parameter', 'static')}))",
]
SCRIPT = "set bind-root false\nset output diag\n" + "".join(f"match {query}\n" for query in QUERIES)
_HIT = re.compile(r'^(?P<path>[^\s:][^:\n]*):(?P<line>\d+):\d+: note: "(?P<rule>[a-z-]+)" binds here$', re.M)
_COROUTINE = re.compile(r"\bco_(?:await|yield|return)\b|\bCO_TRY\b")


def wanted(tree, path):
    """Sources of products always; tests and headers when they hold coroutines. Not the shapes of tests/toolchain: those
    are there for the compiler to get right."""
    if path.startswith("tests/toolchain/"):
        return False
    product = path.startswith("src/") and path.endswith(".cc") and not path.endswith("_test.cc")
    return product or bool(_COROUTINE.search(tree.code(path)))


def run(tree):
    version = tool(CLANG_QUERY)
    work = [(p, tree.key(p, version, SCRIPT, ALLOWED)) for p in tree.cxx() if wanted(tree, p)]
    todo = mainline.choose(tree, "syntax", work, rules={"tools/gates/syntax.py"})
    with tempfile.NamedTemporaryFile("w", prefix="syntax-", suffix=".query") as script:
        script.write(SCRIPT)
        script.flush()
        return tree.together("syntax", todo, lambda *what: _ask(tree, script.name, *what))


def _ask(tree, script, source, flags):
    """(findings, what does not compile) of the source and all that it includes."""
    done = subprocess.run([CLANG_QUERY, "-f", script, str(source), "--", CLANG, "-x", "c++",
                           *flags, "-Wno-everything", "-fno-color-diagnostics", "-ferror-limit=0"],
                          cwd=tree.root, capture_output=True, text=True)
    output = done.stdout + done.stderr
    broken = [d for d in diagnostics(tree, output, "make it compile first") if not d.path.startswith("..")]
    if not broken and (output.count("match") < len(QUERIES) or "Error parsing" in output):
        raise RuntimeError(f"clang-query on {source}: {output[:2000]}")
    return list(_hits(tree, output)), broken


def _hits(tree, output):
    for hit in _HIT.finditer(output):
        rule = hit["rule"]
        where = os.path.relpath(os.path.join(tree.root, hit["path"]), tree.root)
        if rule not in RULES or where.startswith("..") or where.startswith("build/"):
            continue
        if not any(rule in rules.split() and fnmatch.fnmatch(where, pattern) for rules, pattern, _ in ALLOWED):
            yield Finding(where, int(hit["line"]), f"{rule}: {RULES[rule][1]}", RULES[rule][2])
