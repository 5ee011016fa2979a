"""The loop of the Python programs: one JSON question a line on stdin, JSON answers on stdout (../README.md has the questions)."""
import base64
import json
import sys
import threading

_lock = threading.Lock()


class Cannot(Exception):
    """The client has no such feature."""


class CodedError(Exception):
    """An error for which the client named Kafka's code."""

    def __init__(self, code, text):
        super().__init__(text)
        self.code = code


def say(**fields):
    with _lock:
        sys.stdout.write(json.dumps(fields) + "\n")
        sys.stdout.flush()


def unpack(text):
    return None if text is None else base64.b64decode(text)


def pack(value):
    return None if value is None else base64.b64encode(value).decode()


def say_record(partition, offset, timestamp, key, value, headers, **more):
    say(partition=partition, offset=offset, timestamp=timestamp, key=pack(key), value=pack(value),
        headers=[[name, pack(v)] for name, v in headers or []], **more)


def serve(program, code_of):
    """Answers until stdin ends. `program` has a method for each question; `code_of(error)` is Kafka's code in a client's exception."""
    for line in sys.stdin:
        ask = json.loads(line)
        method = getattr(program, ask["do"], None)
        try:
            if method is None:
                raise Cannot(f"no {ask['do']} in this client")
            method(ask)
            say(done=True)
        except Cannot as error:
            say(cannot=str(error))
        except CodedError as error:
            say(failed=str(error), code=error.code)
        except Exception as error:      # whatever the client throws is an answer
            say(failed=f"{type(error).__name__}: {error}", code=code_of(error))
