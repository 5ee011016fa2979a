"""What the gates that compile leave out when nobody knows it to be clean: what is as on the main line.

Compiling the whole tree takes minutes, so ./dev check looks at what can have become worse: files that differ from the
main line, and files that include one that does. The table says how many it left out. --all leaves out nothing; .ci/run
does that, which is why the main line counts as clean (docs/decisions/0013-what-check-looks-at.md).
"""


def choose(tree, gate, work, rules=frozenset(), includers=None):
    """Those of work = [(path, key)] to look at now, as (path, stamp). A change in rules, or no main line, means all; a limit
    of includers leaves out those that are furthest from what changed."""
    todo = tree.unknown(gate, work)
    base = None if tree.whole else tree.main_line()
    changed = tree.changed(base) if base else None
    if changed is None or changed & set(rules):
        chosen, why = todo, ""
    else:
        near = _distances(tree, changed, [path for path, _ in todo])
        own = [item for item in todo if item[0] in changed]
        others = sorted((item for item in todo if near.get(item[0])), key=lambda item: (near[item[0]], item[0]))
        chosen = own + others[:includers]
        far = len(own) + len(others) - len(chosen)
        why = f"{len(todo) - len(chosen) - far} as at {base[:10]} of the main line" + (f", {far} far from a changed header" if far else "")
    left = len(todo) - len(chosen)
    tree.notes[gate] = f"{len(chosen)} of {len(work)} looked at anew" + (
        f"; NOT looked at: {left} ({why}); all: ./dev check {gate} --all" if left else "")
    return chosen


def _distances(tree, changed, sources):
    """source -> number of includes from it to the nearest changed file, for those that include one at all; 0: itself."""
    found = {}
    for source in sources:
        seen, ring, steps = {source}, [source], 0
        while ring and not changed.intersection(ring):
            ring = [n for n in {n for p in ring for n in tree.direct(p)} if n not in seen]
            seen.update(ring)
            steps += 1
        if ring:
            found[source] = steps
    return found
