"""Kafka's own consumers of both protocols in one group, coming and going, against our broker: groups/LiveGroups.java; and what
kafka-consumer-groups says of a group of the consumer protocol."""
import os
import subprocess
import tempfile

import kafka
from checks import Checks

HERE = os.path.dirname(os.path.abspath(__file__))
COMMAND = "org.apache.kafka.tools.consumer.group.ConsumerGroupCommand"


def live(checks, address, work):
    kafka.need("javac", "default-jdk-headless")
    jars = f"{kafka.jars()}/*"
    subprocess.run(["javac", "-cp", jars, "-d", work, os.path.join(HERE, "groups", "LiveGroups.java")], check=True)
    done = subprocess.run(["java", "-Xmx256m", "-XX:+UseSerialGC", kafka.LOG, "-cp", f"{work}:{jars}", "LiveGroups", address],
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=600)
    lines = done.stdout.decode(errors="replace").splitlines()
    told = [line for line in lines if line.startswith(("PASS ", "FAIL "))]
    for line in told:
        checks.check(line[5:], line.startswith("PASS "))
    checks.check("the program came to its end", done.returncode == 0 and told, lines[-5:])


def command(checks, address):
    """The groups that the program has left behind."""
    status, out, err = kafka.tool(COMMAND, "--bootstrap-server", address, "--list", "--type")
    checks.check("kafka-consumer-groups lists them as consumer groups", status == 0 and "Consumer" in out, (out + err).splitlines()[-5:])
    group = next((line.split()[0] for line in out.splitlines() if line.startswith("live") and "regex" not in line), "none")
    for what in ("--offsets", "--state", "--members"):
        status, out, err = kafka.tool(COMMAND, "--bootstrap-server", address, "--describe", "--group", group, what)
        checks.check(f"kafka-consumer-groups --describe {what}", status == 0 and "Error" not in out + err, (out + err).splitlines()[-5:])


def main(arguments):
    from broker import Broker
    checks = Checks()
    broker = None if arguments.against else Broker()
    with tempfile.TemporaryDirectory(prefix="moldau-groups-") as work:
        try:
            address = arguments.against or broker.start().address
            live(checks, address, work)
            command(checks, address)
        finally:
            if broker:
                broker.remove()
    return checks.result()
