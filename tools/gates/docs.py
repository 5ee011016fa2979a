"""Gate `docs`: links in pages lead somewhere, ./dev commands in them exist, tables of modules and packages are complete."""
import os
import re

from tree import Finding, blank

_LINK = re.compile(r"(?<!\!)\[[^\]\n]*\]\(\s*<?([^)\s>]+)>?(?:\s+\"[^\"]*\")?\s*\)|\!\[[^\]\n]*\]\(([^)\s]+)\)")
_FENCE = re.compile(r"^(```|~~~).*?^\1\s*$", re.M | re.S)


def run(tree):
    pages = [f for f in tree.files() if f.endswith(".md")]
    findings = [f for page in pages for f in links(tree, page)]
    return findings + commands(tree, pages) + modules(tree) + packages(tree)


def _prose(text):
    """The page without code, lines kept."""
    text = _FENCE.sub(lambda m: blank(m.group()), text)
    return re.sub(r"`[^`\n]*`", lambda m: blank(m.group()), text)


def anchors(text):
    """Heading anchors as GitHub makes them."""
    seen = set()
    for heading in re.findall(r"^#{1,6}\s+(.*?)\s*#*\s*$", _FENCE.sub("", text), re.M):
        slug = re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")
        seen.add(slug if slug not in seen else f"{slug}-1")
    return seen


def links(tree, page):
    findings, prose = [], _prose(tree.text(page))
    for match in _LINK.finditer(prose):
        target = match.group(1) or match.group(2)
        line = prose.count("\n", 0, match.start()) + 1
        if re.match(r"[a-z][a-z0-9+.-]*:", target):
            continue
        path, _, anchor = target.partition("#")
        full = os.path.normpath(os.path.join(os.path.dirname(page), path)) if path else page
        if full.startswith("..") or not (tree.root / full).exists():
            findings.append(Finding(page, line, f"link to {target}, which does not exist", "correct the path"))
        elif anchor and full.endswith(".md") and anchor not in anchors(tree.text(full)):
            findings.append(Finding(page, line, f"{full} has no heading #{anchor}", "correct the anchor"))
    return findings


_COMMAND = re.compile(r"\./dev +([a-z][a-z-]*)(?: +([A-Za-z]\w*))?")
_TEST = re.compile(r"\b(?:TEST(?:_F|_P)?|TYPED_TEST|RC_GTEST_PROP)\(\s*(\w+),\s*(\w+)|\badd_test\(NAME (\S+)")


def commands(tree, pages):
    """What a page tells people to type after ./dev is there: the command, and the test, benchmark, scenario ... that it names."""
    if "dev" not in tree.files():
        return []
    known = set(re.search(r'^COMMANDS="([^"]*)"', tree.text("dev"), re.M)[1].split())
    findings = []
    for page in pages:
        text = tree.text(page)
        for match in _COMMAND.finditer(text):
            command, name = match.groups()
            line = text.count("\n", 0, match.start()) + 1
            if command not in known:
                findings.append(Finding(page, line, f"./dev has no command {command}", "correct the command"))
            elif name and not _named(tree, command, name):
                findings.append(Finding(page, line, f"./dev {command} knows no {name}", "correct the name"))
    return findings


def _named(tree, command, name):
    files = tree.files()
    if command == "bench":
        return f"tests/bench/{name}.py" in files or f"tests/bench/{name}_bench.cc" in files
    if command == "fuzz":
        return name == "quick" or f"tests/fuzz/fuzz_{name}.cc" in files
    if command == "sim":
        return name in ("bugs", "list") or any(f'"{name}"' in tree.text(f) for f in tree.cxx("tests/sim"))
    if command == "compat":
        return "tests/compat/run" not in files or f'"{name}"' in tree.text("tests/compat/run")
    if command == "test":
        return name == "long" or any(re.search(name, test) for test in _tests(tree))
    return True


def _tests(tree):
    """Suite.Name of each test, as ./dev test FILTER finds them."""
    if not hasattr(tree, "test_names"):
        sources = tree.cxx(suffixes=(".cc",)) + [f for f in tree.files() if f.endswith("CMakeLists.txt")]
        tree.test_names = [f"{m[1]}.{m[2]}" if m[1] else m[3] for f in sources for m in _TEST.finditer(tree.text(f))]
    return tree.test_names


def modules(tree):
    """The table in ARCHITECTURE.md has a row for every folder of src/, and no row for a module that src/LAYERS lacks."""
    if "ARCHITECTURE.md" not in tree.files():
        tree.notes["docs"] = "no ARCHITECTURE.md yet"
        return []
    text = tree.text("ARCHITECTURE.md")
    rows = {m.group(1): text.count("\n", 0, m.start()) + 1
            for m in re.finditer(r"^\|\s*\[?`([a-z]+)/?`", text, re.M)}
    folders = {f.split("/")[1] for f in tree.files() if f.startswith("src/") and f.count("/") > 1}
    return [Finding("ARCHITECTURE.md", 1, f"the module table does not name src/{folder}", f"add a row starting with `{folder}`")
            for folder in sorted(folders - set(rows))]


def packages(tree):
    """docs/dependencies.md explains each package that ./dev setup installs."""
    listing, page = "tools/packages.txt", "docs/dependencies.md"
    if listing not in tree.files() or page not in tree.files():
        return []
    named = set(re.findall(r"`([a-z0-9][a-z0-9+.-]+)`", tree.text(page)))
    return [Finding(listing, number, f"{words[1]} has no line in {page}", "say what it is for and what instead")
            for number, line in enumerate(tree.text(listing).splitlines(), 1)
            if len(words := line.split("#")[0].split()) > 1 and words[1] not in named]
