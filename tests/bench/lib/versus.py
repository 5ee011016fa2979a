# What the benchmarks that compare brokers under load have in common: their options, the client, a measured run, rounds.
import argparse
import atexit
import json
import os
import signal
import subprocess
import sys
import time

from lib import machine
from lib.brokers import MOLDAU, ROOT, Kafka, Moldau, find_kafka
from lib.report import Report

CLIENT = ROOT + "/build/release/tests/bench/rdkafka/bench_rdkafka"
BYTES = ["records/s", "MB/s", "CPU-s/GB", "client CPU-s/GB", "others %"]  # CPU: the broker's; others: of all processors' time
RECORDS = ["records/s", "CPU us/record", "client CPU us/record", "others %"]


def options(what):
    parser = argparse.ArgumentParser(description=what)
    parser.add_argument("--json", action="store_true", help="one line of JSON instead of a table")
    parser.add_argument("--rounds", type=int, default=5, help="each round measures every broker once")
    parser.add_argument("--seconds", type=float, default=170, help="begin no round after so long")
    parser.add_argument("--scale", type=float, default=1.0, help="factor for the number of records")
    parser.add_argument("--kafka-libs", help="folder with Apache Kafka's jars")
    parser.add_argument("--kafka-heap", default="1g", help="Kafka's heap (its own default: 1g)")
    parser.add_argument("--no-kafka", action="store_true", help="Moldau alone")
    parser.add_argument("--only", help="run only scenarios whose name contains this")
    return parser


def kafka_libs(args):
    if args.no_kafka:
        return None
    libs = find_kafka(args.kafka_libs)
    if not libs:
        raise SystemExit("Apache Kafka's jars are not here: run ./dev compat once, or give --kafka-libs DIR, or --no-kafka")
    return libs


def build_client():
    if subprocess.run(["ninja", "-C", ROOT + "/build/release", "bench_rdkafka"], stdout=subprocess.PIPE,
                      stderr=subprocess.STDOUT).returncode:
        raise SystemExit("bench_rdkafka cannot be built: sudo apt-get install librdkafka-dev, then cmake --preset release")


def client(*arguments):
    done = subprocess.run([CLIENT, *map(str, arguments)], stdout=subprocess.PIPE, text=True)
    if done.returncode:
        raise SystemExit(f"{os.path.basename(CLIENT)} {' '.join(map(str, arguments))} failed")
    return json.loads(done.stdout)


def measured(broker, command, *arguments):
    """Runs the client against the broker; figures by the names of the columns."""
    arguments = [command, "--brokers", broker.address, *arguments]
    cpu, busy, began = broker.cpu(), machine.busy_seconds(), time.monotonic()
    own = os.times()
    outcome = client(*arguments)
    after = os.times()
    cpu, busy, took = broker.cpu() - cpu, machine.busy_seconds() - busy, time.monotonic() - began
    if outcome["failed"] or not outcome["records"]:
        raise SystemExit(f"{broker.name}: {outcome['failed']} records failed: the figures would mean nothing")
    children = after.children_user + after.children_system - own.children_user - own.children_system
    gb = outcome["bytes"] / 1e9
    return {"records/s": outcome["records"] / outcome["seconds"], "MB/s": outcome["bytes"] / 1e6 / outcome["seconds"],
            "CPU-s/GB": cpu / gb, "CPU us/record": cpu * 1e6 / outcome["records"],
            "client CPU-s/GB": outcome["cpu"] / gb, "client CPU us/record": outcome["cpu"] * 1e6 / outcome["records"],
            "others %": 100 * max(0.0, busy - cpu - children) / (took * os.cpu_count())}


class Versus:
    """Moldau in its two modes and Kafka, all running, measured in turn; every round has topics of its own."""

    def __init__(self, title, args):
        machine.own_network()
        self.args = args
        libs = kafka_libs(args)
        if not os.access(MOLDAU, os.X_OK):
            raise SystemExit(f"no {MOLDAU}: ./dev build")
        build_client()
        self.report = Report(title, machine.facts())
        self.began = time.monotonic()
        self.brokers = []
        atexit.register(self.remove)
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
        self.brokers.append(Moldau("moldau"))
        self.brokers.append(Moldau("moldau async", ["--async-flush"]))
        if libs:
            self.brokers.append(Kafka(libs, args.kafka_heap))
        for broker in self.brokers:
            broker.start()

    def remove(self):
        for broker in self.brokers:
            broker.remove()
        self.brokers = []

    def topic(self, broker, name, partitions=4):
        client("create", "--brokers", broker.address, "--topic", name, "--partitions", partitions)
        return ["--topic", name, "--partitions", partitions]

    def load(self, broker, name, *arguments, gib=1):
        """Produces to a topic of its own, with warm memory, and deletes it: no round finds the machine fuller than another."""
        arguments = [*self.topic(broker, name), *arguments]
        machine.touch_memory(gib)
        figures = measured(broker, "produce", *arguments)
        client("delete", "--brokers", broker.address, "--topic", name)
        return figures

    def records(self, count):
        return max(1000, int(count * self.args.scale))

    def elapsed(self):
        return time.monotonic() - self.began

    def rounds(self, one):
        """one(broker, round) for each broker in turn, the order reversed in every other round."""
        done, longest = 0, 0.0
        while done < self.args.rounds and (not done or self.elapsed() + longest < self.args.seconds):
            began = self.elapsed()
            for broker in self.brokers if done % 2 == 0 else reversed(self.brokers):
                one(broker, done)
            longest = max(longest, self.elapsed() - began)
            done += 1
        self.report.notes.append(f"{done} rounds in {self.elapsed():.0f} s")
        for broker in self.brokers:
            self.report.notes.append(f"{broker.name}: at most {broker.memory('VmHWM'):.0f} MiB resident")

    def show(self, columns, ratio):
        self.report.show(self.args.json, columns, None if self.args.no_kafka else ratio)
