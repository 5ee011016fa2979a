# ./dev bench open [--partitions N] [--kafka-partitions N]: a broker with N nearly empty partitions, closed in order, opens them; ours and
# Apache Kafka, one after the other on the same machine. Ours is measured inside the process (log_bench open), Kafka's figure is the one that it logs itself for loading
# its logs, and the time from its start until it answers Metadata.
import argparse
import os
import re
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
sys.path[:0] = [os.path.join(ROOT, "tests", "compat"), os.path.join(ROOT, "tests", "interop")]


def ours(partitions):
    subprocess.run(["ninja", "-C", os.path.join(ROOT, "build", "release"), "log_bench"], check=True, stdout=subprocess.DEVNULL)
    subprocess.run([os.path.join(ROOT, "build", "release", "tests", "bench", "log_bench"), "open", str(partitions)], check=True)


def create(address, partitions):
    """In topics of 1,000, as its controller makes no more at once. One record in each would take minutes; Kafka's files of an empty
    partition are the same."""
    import messages
    import kafka
    import rawclient
    protocol = messages.Protocol(kafka.clients_jar())
    with rawclient.Connection(address, protocol, timeout=600) as connection:
        for first in range(0, partitions, 1000):
            made = connection.call("CreateTopics", 7, timeoutMs=600_000, Topics=[
                {"Name": f"t{first}", "NumPartitions": min(1000, partitions - first), "ReplicationFactor": 1, "Configs": []}])["Topics"][0]
            if made["ErrorCode"]:
                raise SystemExit(f"Kafka made no topic: {made}")


def stop(server):
    """Also if it takes long: it has files open in a folder that is to be removed."""
    try:
        server.stop()
    except RuntimeError as slow:
        print(f"Kafka: {str(slow).splitlines()[0]}")


def theirs(partitions):
    import kafka
    with tempfile.TemporaryDirectory(prefix="moldau-bench-", dir=os.environ.get("TMPDIR", "/var/tmp")) as folder:
        server = kafka.Server(folder).start()
        try:
            create(server.address, partitions)
            deadline = time.monotonic() + 600
            while sum(re.match(r"t\d+-\d+$", n) is not None for n in os.listdir(folder)) < partitions:
                if time.monotonic() > deadline:
                    raise SystemExit("Kafka does not get its partitions done in 600 s")
                time.sleep(0.2)
            time.sleep(5)                           # it goes on for a while
        finally:
            began = time.monotonic()
            stop(server)
        print(f"Kafka, {partitions} partitions: stop {time.monotonic() - began:.1f} s")
        for _ in range(2):
            size = os.path.getsize(server.log)
            began = time.monotonic()
            try:
                server.start()
                serving = time.monotonic() - began
                time.sleep(2)
            finally:
                stop(server)
            with open(server.log, errors="replace") as log:
                log.seek(size)
                loaded = re.findall(r"Loaded (\d+) logs in (\d+)ms", log.read())
            for count, milliseconds in loaded:
                print(f"Kafka, {partitions} partitions: loaded {count} logs in {int(milliseconds) / 1e3:.3f} s; serving {serving:.1f} s after its start")


def main():
    parser = argparse.ArgumentParser(description="opening many partitions after a clean stop")
    parser.add_argument("--partitions", type=int, default=10_000)
    parser.add_argument("--kafka-partitions", type=int, default=2_000, help="Kafka needs minutes for 10,000; 0: without it")
    options = parser.parse_args()
    ours(options.partitions)
    if options.kafka_partitions:
        theirs(options.kafka_partitions)


main()
