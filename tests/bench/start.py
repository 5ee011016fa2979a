# ./dev bench start: start to the first answer, memory and CPU when idle, stop; empty and with 1,000 partitions; against
# Apache Kafka, in turn. The processes are new each time, and so are the data directories.
import atexit
import time

from lib import machine, versus
from lib.brokers import Kafka, Moldau
from lib.report import Report

COLUMNS = ["start ms", "start CPU ms", "idle MiB", "idle CPU %", "stop ms"]
PARTITIONS = 1000
IDLE = 3.0  # seconds


def idle(broker):
    """Memory after a while of nothing, and CPU meanwhile."""
    time.sleep(1.0)
    cpu = broker.cpu_of_threads()
    time.sleep(IDLE)
    return {"idle MiB": broker.memory(), "idle CPU %": 100 * (broker.cpu_of_threads() - cpu) / IDLE}


def life(broker):
    wall, cpu = broker.start()
    figures = {"start ms": wall * 1e3, "start CPU ms": cpu * 1e3, **idle(broker)}
    return {**figures, "stop ms": broker.stop() * 1e3}


def measure(broker, report):
    report.add("empty", broker.name, **life(broker))
    broker.start()
    versus.client("create", "--brokers", broker.address, "--topic", "many", "--partitions", PARTITIONS)
    broker.stop()
    report.add(f"{PARTITIONS:,} partitions", broker.name, **life(broker))


def main():
    parser = versus.options("start, idle, stop")
    parser.set_defaults(rounds=3)
    args = parser.parse_args()
    machine.own_network()
    libs = versus.kafka_libs(args)
    versus.build_client()
    report = Report("start to the first answer to ApiVersions; idle; SIGTERM to the end", machine.facts())
    began = time.monotonic()
    for done in range(args.rounds):
        elapsed = time.monotonic() - began
        if done and elapsed * (done + 1) / done > args.seconds:
            break
        for make in (Moldau, *((lambda: Kafka(libs, args.kafka_heap),) if libs else ())):
            broker = make()
            atexit.register(broker.remove)
            measure(broker, report)
            broker.remove()
    report.show(args.json, COLUMNS, "start ms" if libs else None)


main()
