"""Counts and prints what was checked."""
import contextlib
import traceback


class Checks:
    def __init__(self):
        self.passed = self.failed = 0

    def check(self, what, good, details=()):
        """One line; the details only when it went wrong."""
        self.passed += bool(good)
        self.failed += not good
        print(f"{'ok' if good else 'FAIL':5} {what}", flush=True)
        if not good:
            for line in list(details)[:10]:
                print(f"      {str(line)[:500]}", flush=True)
        return bool(good)

    def note(self, text):
        print(f"      {text}", flush=True)

    @contextlib.contextmanager
    def step(self, what, output=lambda: ""):
        """A step that breaks is one failure with its cause and what the broker said."""
        try:
            yield
        except Exception:
            self.failed += 1
            print(f"FAIL  {what}\n{traceback.format_exc()}{output()}", flush=True)

    def result(self):
        return self.passed, self.failed
