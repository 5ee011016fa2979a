"""Gates `layers` and `cycles`: who may include whom.

src/LAYERS holds one line a module: its name and the modules it may include; `*` stands for every module above the
line. So nobody includes `app`, and only `app` includes `sim`. In the pure modules only driver files may know host.
"""
import os
import re

from tree import Finding

# Modules whose logic is pure cores (docs/decisions/0002-pure-cores.md): there only driver*.{h,cc} may include host/.
PURE = {"raft", "metadata", "replica", "coordinator"}


def read(tree):
    """src/LAYERS as {module: set of modules it may include}, and the findings in the file itself."""
    allowed, findings = {}, []
    for number, line in enumerate(tree.text("src/LAYERS").splitlines(), 1):
        line = line.split("#")[0].strip()
        if not line:
            continue
        match = re.fullmatch(r"([a-z]+):(.*)", line)
        if not match:
            findings.append(Finding("src/LAYERS", number, f"not a layer: {line!r}", "write `module: what it may include`"))
            continue
        name, listed = match.group(1), match.group(2).split()
        wanted = set(allowed) if listed == ["*"] else set(listed)
        for other in sorted(wanted - set(allowed)):
            findings.append(Finding("src/LAYERS", number, f"{name} includes {other}, which does not stand above it",
                                    "order the modules so that each includes only earlier ones"))
        allowed[name] = wanted & set(allowed)
    return allowed, findings


def run(tree):
    allowed, findings = read(tree)
    for path in tree.cxx("src"):
        module = path.split("/")[1] if path.count("/") > 1 else ""
        if module not in allowed:
            findings.append(Finding(path, 1, f"folder src/{module} is not in src/LAYERS", "add a line for the module"))
            continue
        for include in tree.includes(path):
            findings += _judge(tree, allowed, path, module, include)
    return findings


def _judge(tree, allowed, path, module, include):
    target = include.name.split("/")[0]
    known = target in allowed and "/" in include.name
    if not include.quoted:
        if known and tree.resolve("src/LAYERS", include.name):
            return [Finding(path, include.line, f"<{include.name}> is our own header", f'write "{include.name}"')]
        return []
    if not known:
        return [Finding(path, include.line, f'"{include.name}" does not name its module',
                        'write the path from src/, such as "base/bytes.h"; system headers go in <>')]
    if target != module and target not in allowed[module]:
        may = " ".join(sorted(allowed[module])) or "nothing"
        return [Finding(path, include.line, f"{module} may not include {target} (it may include: {may})",
                        "move the code to the layer it belongs to, or pass it in from above; "
                        "a new arrow in src/LAYERS is a decision")]
    if target == "host" and module in PURE and not os.path.basename(path).startswith("driver"):
        return [Finding(path, include.line, f"in {module} only driver files may include host/",
                        "let the core return values and the driver act on them")]
    return []


def cycles(tree):
    """Files that include each other in a ring: one finding a ring."""
    findings, state, stack = [], {}, []

    def visit(path):
        state[path] = "open"
        stack.append(path)
        for other in tree.direct(path):
            if state.get(other) == "open":
                ring = stack[stack.index(other):] + [other]
                line = next((i.line for i in tree.includes(path) if tree.resolve(path, i.name) == other), 1)
                findings.append(Finding(path, line, "include ring: " + " -> ".join(ring),
                                        "forward-declare on one side, or move what both need to a third header"))
            elif other not in state:
                visit(other)
        stack.pop()
        state[path] = "done"

    for path in tree.cxx():
        if path not in state:
            visit(path)
    return findings
