"""The same random metadata records into our image of a cluster and into Apache Kafka's own: the same snapshot after each step.

A story (tests/compat/metadata/metadata_story.h) has every type of record, each where it may stand, at one level of metadata.version.
Kafka's side is tests/compat/metadata/PlayImage.java. Records are compared as sets: the order of Kafka's is that of its hash maps.
"""
import os
import subprocess
import tempfile

import kafka
import log_plays
from checks import Checks

HERE = os.path.dirname(os.path.abspath(__file__))
LEVELS = (7, 14, 17, 22, 23, 30)
SEEDS = 2
STEPS = 60


def steps(text):
    """Of each step the records, sorted."""
    return [sorted(step.split()) for step in text.split("apply\n")[:-1]]


def run(*command):
    done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=300)
    if done.returncode != 0:
        raise RuntimeError(f"{command[0]}: {done.stderr.decode(errors='replace')[-2000:]}")
    return done.stdout.decode()


def differences(ours, theirs):
    """What the first step has that differs."""
    if len(ours) != len(theirs):
        return [f"{len(ours)} steps and {len(theirs)}"]
    for number, (mine, other) in enumerate(zip(ours, theirs)):
        if mine != other:
            return [f"step {number}"] + [f"ours {r}" for r in mine if r not in other] + [f"Kafka's {r}" for r in other if r not in mine]
    return []


def main(_arguments):
    play = log_plays.program("play_image", "metadata")
    kafka.need("javac", "default-jdk-headless")
    checks = Checks()
    with tempfile.TemporaryDirectory(prefix="moldau-metadata-") as folder:
        classes, script = os.path.join(folder, "classes"), os.path.join(folder, "script")
        run("javac", "-cp", f"{kafka.jars()}/*", "-d", classes, os.path.join(HERE, "metadata", "PlayImage.java"))
        java = ("java", "-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", kafka.LOG, "-cp", f"{classes}:{kafka.jars()}/*", "PlayImage")
        for level in LEVELS:
            for seed in range(1, SEEDS + 1):
                with open(script, "w") as out:
                    out.write(run(play, "tell", str(seed), str(level), str(STEPS)))
                ours, theirs = steps(run(play, "play", script)), steps(run(*java, script))
                wrong = differences(ours, theirs)
                checks.check(f"metadata.version {level}, seed {seed}: {len(ours)} images, {sum(map(len, ours)):,} records as Kafka's", not wrong, wrong)
    return checks.result()
