"""Our tables of the settings of a broker and of a topic (src/broker/broker_keys.cc, topic_keys.cc) against what Apache Kafka declares: name, type,
default, what it takes, when it may change or what it goes by."""
import os
import subprocess

import kafka
import log_plays
from checks import Checks

HERE = os.path.dirname(os.path.abspath(__file__))


def lines(*command):
    done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=120)
    if done.returncode != 0:
        raise RuntimeError(done.stderr.decode(errors="replace")[-2000:])
    return {line.split("\t")[0]: line for line in done.stdout.decode().splitlines()}


def main(_arguments):
    kafka.need("java", "default-jdk-headless")
    ours = lines(log_plays.program("tell_keys", "config"))
    theirs = lines("java", "-XX:+UseSerialGC", kafka.LOG, "-cp", f"{kafka.jars()}/*", os.path.join(HERE, "config", "BrokerKeys.java"))
    checks = Checks()
    wrong = [f"{side}: {line}" for name in sorted(ours.keys() | theirs.keys()) for side, line in (("ours", ours.get(name)), ("Kafka's", theirs.get(name)))
             if ours.get(name) != theirs.get(name)]
    equal = sum(ours.get(name) == line for name, line in theirs.items())
    checks.check(f"{equal} of {len(theirs)} settings of a broker and a topic as Kafka declares them", not wrong, wrong)
    return checks.result()
