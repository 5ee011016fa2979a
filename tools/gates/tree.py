"""What every gate works on: the files of one source tree, their code without comments, their includes, their
compiler flags, and a cache of what was clean before. Python's standard library only.

A gate is a function run(tree) -> list[Finding]; check.py calls them all.
"""
import concurrent.futures
import functools
import hashlib
import json
import os
import pathlib
import re
import shlex
import subprocess
import tempfile
import threading
import time
from typing import NamedTuple

import company

CLANG = "clang++-19"
DEFAULT_FLAGS = ["-std=c++23", "-Wall", "-Wextra", "-Wshadow", "-Wconversion", "-fno-exceptions"]
CACHE_DAYS = 30  # what no run has asked for that long is forgotten
SKIPPED_FOLDERS = {".git", ".cache", "build", "__pycache__", "node_modules"}

_TOKEN = re.compile(
    r'(?P<raw>R"(?P<tag>[^()\\\s]{0,16})\((?:.|\n)*?\)(?P=tag)")'
    r"|(?P<block>/\*(?:.|\n)*?\*/)"
    r"|(?P<line>//(?:\\\n|[^\n])*)"
    r'|(?P<string>"(?:\\.|[^"\\\n])*")'
    r"|(?P<char>(?<![0-9a-fA-F])'(?:\\.|[^'\\\n])+')")
_INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*([<"])([^>"\n]+)[>"]', re.M)


class Finding(NamedTuple):
    path: str
    line: int
    message: str
    fix: str = ""


def blank(text):
    return re.sub(r"[^\n]", " ", text)


def without_comments(text, keep_strings=False):
    """The same text, same lines and columns, comments (and the inside of literals) turned into spaces."""
    def replace(match):
        kind = match.lastgroup if match.lastgroup != "tag" else "raw"
        if kind in ("block", "line"):
            return blank(match.group())
        if keep_strings:
            return match.group()
        inside = match.group()
        return inside[0] + blank(inside[1:-1]) + inside[-1] if len(inside) > 1 else inside
    return _TOKEN.sub(replace, text)


class Include(NamedTuple):
    line: int
    name: str
    quoted: bool


class Tree:
    """One tree of sources at root. Everything read is remembered: a check is one process over a still tree."""

    def __init__(self, root, jobs=None, cache=None, whole=False):
        self.root = pathlib.Path(root).resolve()
        self.pool = concurrent.futures.ThreadPoolExecutor(jobs or os.cpu_count() or 2)
        self.cache = pathlib.Path(cache) if cache else cache_folder()
        self.whole = whole  # look also at what is as on the main line
        self.notes = {}  # gate name -> remark printed in the table
        self._lock = threading.RLock()
        self._memo = {}

    def once(self, key, make):
        with self._lock:
            if key not in self._memo:
                self._memo[key] = make()
            return self._memo[key]

    # ---- files -----------------------------------------------------------------------------------------------
    def files(self):
        return self.once("files", self._list)

    def _list(self):
        git = self.git("ls-files", "-co", "--exclude-standard", "-z")
        if git is not None:
            names = {n for n in git.split("\0") if n}
            return sorted(n for n in names if (self.root / n).is_file())
        found = []
        for folder, folders, names in os.walk(self.root):
            folders[:] = [f for f in folders if f not in SKIPPED_FOLDERS]
            found += [os.path.relpath(os.path.join(folder, n), self.root) for n in names]
        return sorted(found)

    def cxx(self, *folders, suffixes=(".h", ".cc")):
        """C++ files below the folders; without folders: below src/ and tests/."""
        heads = tuple(f.rstrip("/") + "/" for f in (folders or ("src", "tests")))
        return [f for f in self.files() if f.startswith(heads) and f.endswith(suffixes)]

    def text(self, path):
        return self.once(("text", path), lambda: (self.root / path).read_text(errors="replace"))

    def code(self, path):
        return self.once(("code", path), lambda: without_comments(self.text(path)))

    def git(self, *args):
        """Output of git in this tree, or None when it is not the top of a repository or the command fails."""
        if not (self.root / ".git").exists():
            return None
        done = subprocess.run(["git", "-C", str(self.root), *args], capture_output=True, text=True)
        return done.stdout if done.returncode == 0 else None

    def main_line(self):
        """The commit where this tree left the main line, which CI has looked at whole; None without git or a main line."""
        for name in ("origin/HEAD", "origin/main", "origin/master", "main", "master"):
            base = self.git("merge-base", "HEAD", name)
            if base:
                return base.strip()
        return None

    def changed(self, commit):
        """Files of this tree that are not as in the commit, whether committed, only written or new; None if git is silent."""
        differing = self.git("diff", "--name-only", "--no-renames", "-z", commit)
        fresh = self.git("ls-files", "-o", "--exclude-standard", "-z")
        if differing is None or fresh is None:
            return None
        return {n for n in (differing + fresh).split("\0") if n} & set(self.files())

    # ---- includes --------------------------------------------------------------------------------------------
    def includes(self, path):
        return self.once(("includes", path), lambda: self._parse_includes(path))

    def _parse_includes(self, path):
        text = without_comments(self.text(path), keep_strings=True)
        return [Include(text.count("\n", 0, m.start()) + 1, m.group(2), m.group(1) == '"')
                for m in _INCLUDE.finditer(text)]

    def resolve(self, path, name):
        """The file of this tree that `#include "name"` in path means, as a path from the root, or None."""
        for folder in [os.path.dirname(path), "src", *self.include_folders()]:
            candidate = os.path.normpath(os.path.join(folder, name))
            if not candidate.startswith("..") and (self.root / candidate).is_file():
                return candidate
        return None

    def direct(self, path):
        return self.once(("direct", path), lambda: sorted(
            {r for i in self.includes(path) if (r := self.resolve(path, i.name))}))

    def closure(self, path):
        """path and every file of this tree that it includes, near or far."""
        seen, todo = {path}, [path]
        while todo:
            for other in self.direct(todo.pop()):
                if other not in seen:
                    seen.add(other)
                    todo.append(other)
        return sorted(seen)

    # ---- compiler --------------------------------------------------------------------------------------------
    def commands(self):
        """path -> flags, from build/debug/compile_commands.json; empty when nothing is configured."""
        return self.once("commands", self._read_commands)

    def _read_commands(self):
        database = self.root / "build/debug/compile_commands.json"
        if not database.is_file():
            return {}
        out = {}
        for entry in json.loads(database.read_text()):
            path = os.path.relpath(os.path.join(entry["directory"], entry["file"]), self.root)
            out[path] = _flags_only(entry.get("arguments") or shlex.split(entry["command"]), entry["file"])
        return out

    def include_folders(self):
        """Folders of this tree that some target has on its include path: generated sources stand there."""
        def find():
            folders = set()
            for flags in self.commands().values():
                for flag, following in zip(flags, flags[1:] + [""]):
                    name = following if flag in ("-I", "-isystem") else flag[2:] if flag.startswith("-I") else ""
                    if name and os.path.abspath(name).startswith(str(self.root) + os.sep):
                        folders.add(os.path.relpath(name, self.root))
            return sorted(folders)
        return self.once("include_folders", find)

    def flags(self, path, precompiled=False):
        """Flags of this file; for a header those of a neighbour: the nearest source file up the folders. With precompiled,
        the libraries' headers as the build has parsed them (cmake/Std.cmake) are among the flags if they are there."""
        flags = self._flags(path)
        ready = all(os.path.isfile(f) for f, before in zip(flags, ["", *flags]) if before == "-include-pch")
        return list(flags) if precompiled and ready else _without_precompiled(flags)

    def _flags(self, path):
        commands = self.commands()
        if path in commands:
            return commands[path]
        folder = os.path.dirname(path)
        while folder:
            near = sorted((p for p in commands if p.startswith(folder + "/")),
                          key=lambda p: (p.endswith("_test.cc"), p.count("/"), p))
            if near:
                return commands[near[0]]
            folder = os.path.dirname(folder)
        return DEFAULT_FLAGS + ["-I" + str(self.root / "src")]

    # ---- cache -----------------------------------------------------------------------------------------------
    def key(self, path, *more):
        """Changes when the file, anything it includes, its flags, or one of `more` changes. Not with the tree's place:
        all clones on a machine know the same keys."""
        digest = hashlib.sha256()
        for item in (path, *self.flags(path), *more):
            digest.update(str(item).replace(str(self.root), "").encode() + b"\0")
        for name in self.closure(path):
            digest.update(name.encode() + b"\0" + self.file_hash(name))
        return digest.hexdigest()

    def file_hash(self, path):
        return self.once(("hash", path), lambda: hashlib.sha256((self.root / path).read_bytes()).digest())

    def stamps(self, gate):
        """Folder with one empty file for each key that was clean. What nothing asks for any more goes."""
        folder = self.cache / gate
        folder.mkdir(parents=True, exist_ok=True)
        old = time.time() - CACHE_DAYS * 86400
        for stamp in os.scandir(folder):
            try:
                if stamp.stat().st_mtime < old:
                    os.unlink(stamp)
            except FileNotFoundError:
                pass  # another clone's run was first
        return folder

    def unknown(self, gate, work):
        """Those of work = [(path, key)] that were not clean before, as (path, stamp)."""
        stamps, todo = self.stamps(gate), []
        for path, key in work:
            stamp = stamps / f"{key}-{_scripts()}"
            try:
                os.utime(stamp)
            except FileNotFoundError:
                todo.append((path, stamp))
        return todo

    def each(self, gate, work, run):
        """Runs run(path) for each (path, key) of work, in parallel; what was clean under the same key is not run again."""
        todo = self.unknown(gate, work)
        self.notes[gate] = f"{len(todo)} of {len(work)} looked at anew"
        return self.run_each(todo, run)

    def run_each(self, todo, run):
        """As each() over todo = [(path, stamp)], of which nothing is known."""
        def one(item):
            found = run(item[0])
            if not found:
                item[1].touch()
            return found
        return sorted(f for found in self.pool.map(one, todo) for f in found)

    def together(self, gate, todo, run):
        """Runs run(source, flags) over todo = [(path, stamp)], many files at once (company.py). run returns (findings,
        errors); what the compiler refuses together is looked at apart."""
        batches = company.batches(self, todo)
        return sorted({f for found in self.pool.map(lambda batch: self._look(gate, batch, batch.items, run), batches) for f in found})

    def _look(self, gate, batch, items, run):
        if len(items) == 1:
            path = items[0][0]
            found, errors = run(self.root / path, self.flags(path, precompiled=True))
            found = errors[:3] or found
        else:
            with tempfile.NamedTemporaryFile("w", prefix=f"{gate}-", suffix=".cc") as source:
                source.write(batch.text(self, items))
                source.flush()
                found, errors = run(source.name, batch.flags)
            if errors:
                blamed = {e.path for e in errors}
                apart = [item for item in items if item[0] in blamed]
                if not apart or len(apart) == len(items):
                    apart = items[len(items) // 2:]
                rest = [item for item in items if item not in apart]
                return self._look(gate, batch, rest, run) + self._look(gate, batch, apart, run)
        if not found:
            for _, stamp in items:
                stamp.touch()
        return found


@functools.cache
def _scripts():
    """Names the state of these scripts: other gates, other results."""
    own = sorted(p for p in pathlib.Path(__file__).parent.glob("*.py") if not p.name.startswith("test_"))
    return hashlib.sha256(b"\0".join(p.read_bytes() for p in own)).hexdigest()[:16]


def cache_folder():
    """Where what was clean is remembered, for all clones of this user; MOLDAU_GATES_CACHE names another place."""
    home = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    return pathlib.Path(os.environ.get("MOLDAU_GATES_CACHE") or os.path.join(home, "moldau", "gates"))


def _without_precompiled(flags):
    return [f for f, before in zip(flags, ["", *flags]) if "-include-pch" not in (f, before)]


def _flags_only(words, source):
    """A compile command without the launcher, the compiler, the input and the outputs."""
    while words and not os.path.basename(words[0]).startswith(("clang", "g++", "c++")):
        words = words[1:]
    flags, skip = [], False
    for word in words[1:]:
        if skip:
            skip = False
        elif word in ("-o", "-MF", "-MT", "-MQ"):
            skip = True
        elif word not in ("-c", "-MD", "-MMD", "--", source):
            flags.append(word)
    return flags


def tool(name):
    """The version of a tool, for cache keys; a clear stop when it is missing."""
    try:
        return subprocess.run([name, "--version"], capture_output=True, text=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError) as problem:
        raise SystemExit(f"{name} does not run ({problem}); ./dev setup installs it") from problem


_DIAGNOSTIC = re.compile(r"^(?P<path>[^\s:][^:\n]*):(?P<line>\d+):\d+: (?:fatal )?(?P<kind>error|warning): (?P<text>.*)$", re.M)


def diagnostics(tree, output, fix=""):
    """Findings from what a compiler printed."""
    out = set()
    for m in _DIAGNOSTIC.finditer(output):
        path = os.path.relpath(os.path.join(tree.root, m["path"]), tree.root)
        out.add(Finding(path, int(m["line"]), m["text"], fix))
    return sorted(out)
