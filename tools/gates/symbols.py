"""Gate `symbols`: words that may not appear in a folder, with the reason each.

Two tables decide. RULES: what is forbidden everywhere below src/, why, and what to use instead. ALLOWED: where it is
permitted after all, and why. A change to ALLOWED is a change to the architecture and is reviewed as one.
Comments and string literals do not count. What needs types (hashed iteration, mutable statics) is in syntax.py.
"""
import fnmatch
import re
from typing import NamedTuple

from tree import Finding


class Rule(NamedTuple):
    name: str
    pattern: str
    why: str
    instead: str


def _headers(*names):
    return r"#[ \t]*include[ \t]*<(?:" + "|".join(names) + ")>"


# The calls that people reach for by habit; the headers catch the rest.
_CALLS = ("open|openat|close|read|write|pread|pwrite|readv|writev|preadv|pwritev|lseek|fsync|fdatasync|ftruncate|truncate|"
          "rename|unlink|rmdir|mkdir|opendir|readdir|stat|fstat|lstat|statvfs|access|socket|bind|listen|accept|accept4|"
          "connect|send|sendto|sendmsg|sendfile|recv|recvfrom|recvmsg|shutdown|setsockopt|getsockopt|poll|ppoll|select|"
          "epoll_create1|epoll_ctl|epoll_wait|eventfd|timerfd_create|pipe|pipe2|dup|dup2|fcntl|ioctl|mmap|munmap|madvise|"
          "fork|vfork|kill|signal|sigaction|getpid|usleep|sleep|nanosleep|sysconf|getaddrinfo|gethostname|syscall")

RULES = [
    Rule("system-header",
         _headers(r"sys/[^>]+", r"linux/[^>]+", r"netinet/[^>]+", r"arpa/[^>]+", r"net/[^>]+", "unistd\\.h", "fcntl\\.h",
                  "poll\\.h", "netdb\\.h", "signal\\.h", "csignal", "sched\\.h", "dirent\\.h", "dlfcn\\.h", "termios\\.h",
                  "syslog\\.h", "pwd\\.h", "spawn\\.h", "ifaddrs\\.h", "liburing\\.h"),
         "only host/posix talks to the system, or the simulator could not take its place",
         "go through Env (host/env.h)"),
    Rule("system-call", rf"(?<![\w:>])::(?:{_CALLS})\s*\(|\b(?:syscall|epoll_wait|epoll_ctl|pthread_\w+)\s*\(",
         "only host/posix talks to the system", "go through Env (host/env.h)"),
    Rule("file",
         _headers("fstream", "filesystem") + r"|\bstd::(?:i|o)?fstream\b|\bstd::filesystem\b|\b(?:fopen|freopen|fdopen|popen|tmpfile)\s*\("
         r"|\bstd::(?:rename|system)\s*\(|\bstd::remove\s*\([^,()]*(?:\([^()]*\))?\s*\)",
         "files belong to host::Disk, which the simulator breaks on purpose", "host::Disk and host::File"),
    Rule("thread",
         _headers("thread", "mutex", "shared_mutex", "condition_variable", "future", "semaphore", "latch", "barrier",
                  "stop_token", "pthread\\.h", "threads\\.h")
         + r"|\bstd::(?:j?thread|this_thread|(?:recursive_|shared_|timed_)?mutex|condition_variable\w*|async|future|promise<"
         r"|counting_semaphore|binary_semaphore|latch|barrier|lock_guard|unique_lock|scoped_lock)\b",
         "one loop runs a request to its end; a second thread is host's business", "host::Monitor, host's tasks and mailboxes"),
    Rule("atomic", _headers("atomic") + r"|\bstd::atomic\w*",
         "shared state sits in a host::Monitor, where the simulator can see it", "host::Monitor"),
    Rule("chrono", _headers("chrono", "ctime", "time\\.h", "sys/time\\.h") + r"|\bstd::chrono\b",
         "time is a value of base/time.h", "Duration, Instant, WallTime (base/time.h)"),
    Rule("clock",
         r"\b(?:system|steady|high_resolution|utc|file)_clock\b|\b(?:clock_gettime|gettimeofday|localtime(?:_r)?|gmtime(?:_r)?|mktime|strftime)\s*\("
         r"|\b(?:std::)?(?<![\w.>:])time\s*\(\s*(?:0|NULL|nullptr|&\w+)\s*\)|__builtin_ia32_rdtsc|\b__rdtsc\b",
         "a clock that is read is a run that cannot be repeated", "host::Clock from Env; in a core: an argument"),
    Rule("random",
         _headers("random") + r"|\b(?:random_device|mt19937(?:_64)?|default_random_engine)\b|(?<![\w.>:])(?:std::)?(?:s?rand|drand48|rand_r)\s*\(|(?<!\w)::random\s*\("
         r"|\b(?:getrandom|getentropy|arc4random\w*)\s*\(|\bstd::(?:shuffle|sample)\s*\(|\bRAND_bytes\s*\(",
         "chance must come from the seed, and the library's distributions differ between libraries",
         "base/random.h with a seed, or host::Entropy from Env"),
    Rule("environment", r"\b(?:secure_)?getenv\s*\(|\b(?:un|put|set)env\s*\(|(?<![\w.>])environ\b",
         "settings come in through the configuration, in one place", "read it in app and pass it down"),
    Rule("exit", r"\b(?:std::)?(?:_exit|_Exit|quick_exit)\s*\(|\bstd::exit\s*\(|(?<![\w.:>])(?:exit|abort)\s*\(|\bstd::(?:abort|terminate)\s*\(",
         "a module does not end the process; a bug does, through CHECK", "CHECK for a bug, Result for a failure"),
    Rule("throw", r"(?<!\w)throw\b|(?<!\w)try\s*\{|\bcatch\s*\(", "nothing of ours throws", "Result (base/result.h)"),
    # An immutable value may be shared: shared_ptr<const T>.
    Rule("shared_ptr", r"\b(?:shared_ptr|make_shared)\s*<(?!\s*const\b)|\b(?:weak_ptr|enable_shared_from_this)\b",
         "shared ownership hides who ends what", "unique_ptr and references; SharedBytes for bytes; shared_ptr<const T> for a published value"),
    Rule("thread_local", r"\bthread_local\b", "state that no argument names, and a task may be resumed elsewhere",
         "pass it in; only host keeps per-loop state"),
    Rule("pointer-order", r"\bstd::(?:multi)?(?:map|set)\s*<\s*(?:const\s+)?[\w:]+\s*\*",
         "the order of addresses changes from build to build", "a key with a value: an id, a name"),
    Rule("iostream", _headers("iostream", "sstream", "iomanip", "regex", "locale"),
         "heavy to compile, and static constructors", "fmt"),
]

ALLOWED = [  # (rules, where, why)
    ("system-header system-call file thread atomic chrono clock random environment exit thread_local iostream", "src/host/posix/*",
     "the one place that talks to the system"),
    ("thread atomic thread_local chrono", "src/host/*", "monitors, mailboxes, metrics and log levels are made of these"),
    ("system-header system-call clock file environment exit", "src/host/*_test.cc",
     "tests of the real world look at it from outside"),
    ("atomic", "src/base/shared_bytes.h", "the last view of a block may be dropped on another loop"),
    ("atomic", "src/base/shared_bytes.cc", "the last view of a block may be dropped on another loop"),
    ("system-header", "src/base/crc32c_arm.cc", "asks which instructions the processor has"),
    ("thread", "src/base/shared_bytes_test.cc", "views are dropped on two threads at once, which is what the count is for"),
    ("shared_ptr", "src/host/wait_set.*", "a signal may die right after a raise, while its watchers put their watches back"),
    ("shared_ptr", "src/log/*", "a fetch in flight keeps the file of a segment that retention deletes"),
    ("shared_ptr", "*_test.cc", "a test counts lives by use_count()"),
    ("shared_ptr", "src/replica/driver.*", "a deleted topic's partition lives until the last fetch has let go"),
    ("shared_ptr", "src/broker/partitions.*", "a deleted topic's partition lives until the last fetch has let go"),
    ("throw", "src/app/main.cc", "CLI11 throws what is wrong with the command line; nothing else is in that file"),
    ("exit", "src/base/check.cc", "CHECK ends the process: this is the place"),
    ("exit", "src/host/task.cc", "an exception that leaves a coroutine ends the process, as it would leaving main"),
    ("environment exit", "src/app/*", "main reads arguments and environment, and returns the exit code"),
]


def run(tree):
    findings = []
    compiled = [(rule, re.compile(rule.pattern)) for rule in RULES]
    for path in tree.cxx("src"):
        excused = {name for names, where, _ in ALLOWED if fnmatch.fnmatch(path, where) for name in names.split()}
        code = tree.code(path)
        for rule, pattern in compiled:
            if rule.name in excused:
                continue
            for match in pattern.finditer(code):
                line = code.count("\n", 0, match.start()) + 1
                found = " ".join(match.group().split())
                findings.append(Finding(path, line, f"{rule.name}: `{found}`: {rule.why}", f"instead: {rule.instead}"))
    return sorted(set(findings))
