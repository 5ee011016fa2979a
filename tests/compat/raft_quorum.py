"""Quorums of Apache Kafka's controllers and ours: who votes, follows, leads, comes back after kill -9; the same bytes in every log; what
Kafka's kafka-metadata-quorum says of it."""
import glob
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

import kafka
import log_plays
from checks import Checks

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "interop"))
from broker import free_port  # noqa: E402

CLUSTER = "MkU3OEVBNTcwNTJENDM2Qg"
OUR_DIRECTORY = "PkU3OEVBNTcwNTJENDM2Qw"


def wait_for(what, seconds, look):
    """What look() says once it is true; else TimeoutError."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        found = look()
        if found:
            return found
        time.sleep(0.1)
    raise TimeoutError(f"{what}: not in {seconds} s")


class Node:
    """A controller with its folder; it can be stopped, killed and started again."""

    def __init__(self, folder, node_id, port):
        self.folder, self.id, self.port = os.path.join(folder, str(node_id)), node_id, port
        self.process = None
        os.makedirs(self.folder)

    @property
    def log(self):
        return os.path.join(self.folder, "data", "__cluster_metadata-0")

    def output(self):
        with open(os.path.join(self.folder, "out"), errors="replace") as f:
            return f.read()

    def run(self, command):
        with open(os.path.join(self.folder, "out"), "ab") as out, open(os.path.join(self.folder, "err"), "ab") as err:
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out, stderr=err)

    def stop(self, how=signal.SIGTERM):
        if self.process and self.process.poll() is None:
            self.process.send_signal(how)
            try:
                self.process.wait(60)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
                raise
        self.process = None


class Kafka(Node):
    ours = False

    def __init__(self, folder, node_id, port, quorum, more="", flags=()):
        super().__init__(folder, node_id, port)
        properties = os.path.join(self.folder, "server.properties")
        with open(properties, "w") as f:
            f.write(f"""process.roles=controller
node.id={node_id}
{quorum}
listeners=CONTROLLER://127.0.0.1:{port}
controller.listener.names=CONTROLLER
log.dirs={self.folder}/data
{more}""")
        status, out, err = kafka.tool("kafka.tools.StorageTool", "format", "-t", CLUSTER, "-c", properties, *flags)
        if status:
            raise RuntimeError(out + err)

    def start(self):
        self.run(kafka.server_command(self.folder))

    def faults(self):
        return [line for line in self.output().splitlines() if " FATAL " in line or "Encountered fatal fault" in line]


class Ours(Node):
    ours = True

    def __init__(self, folder, node_id, port, **arguments):
        super().__init__(folder, node_id, port)
        self.arguments = {"id": node_id, "cluster": CLUSTER, "data": os.path.join(self.folder, "data"), "listen": f"127.0.0.1:{port}", **arguments}

    def start(self, **more):
        self.run([log_plays.program("quorum_node", "raft"), *(f"{key}={value}" for key, value in (self.arguments | more).items())])

    def said(self):
        """The last line as (role, {what: value}); nothing yet: None."""
        lines = [line for line in self.output().splitlines() if " epoch=" in line]
        if not lines:
            return None
        role, *fields = lines[-1].split()
        return role, {key: int(value) for key, value in (field.split("=") for field in fields)}

    def is_now(self, role=None, leader=None, beyond=-1):
        found = self.said()
        good = found and (role is None or found[0] == role) and (leader is None or found[1]["leader"] == leader) and found[1]["hw"] > beyond
        return found if good else None


class Quorum:
    def __init__(self, checks):
        self.checks, self.nodes, self.folder = checks, {}, tempfile.mkdtemp(prefix="moldau-quorum-")

    def add(self, node):
        self.nodes[node.id] = node
        return node

    def close(self):
        for node in self.nodes.values():
            try:
                node.stop()
            except subprocess.TimeoutExpired:
                self.checks.check(f"node {node.id} stops when it is told to", False)
        if self.checks.failed or sys.exc_info()[0]:
            print(f"    what they left: {self.folder}")
        else:
            shutil.rmtree(self.folder, ignore_errors=True)

    def tool(self, node_id, *words):
        """kafka-metadata-quorum. Whom it asks tells it of all controllers: Kafka's only of those that have registered, which a replica alone
        does not do."""
        server = f"127.0.0.1:{self.nodes[node_id].port}"
        return kafka.tool("org.apache.kafka.tools.MetadataQuorumCommand", "--bootstrap-controller", server, *words)

    def status(self, node_id):
        _, out, err = self.tool(node_id, "describe", "--status")
        found = dict(re.findall(r"^(\w+):\s+(.*)$", out, re.M))
        return found or {"error": err[-600:]}

    def same_bytes(self, what, *ids, least=200):
        """The logs of these nodes begin with the same bytes, as far as the shortest goes."""
        paths = [os.path.join(self.nodes[node_id].log, "00000000000000000000.log") for node_id in ids]
        wait_for("all have a log", 60, lambda: all(os.path.exists(path) and os.path.getsize(path) >= least for path in paths))
        logs = []
        for path in paths:
            with open(path, "rb") as f:
                logs.append(f.read().rstrip(b"\0"))
        size = min(len(log) for log in logs)
        same = all(log[:size] == logs[0][:size] for log in logs)
        self.checks.check(f"{what}: {size} bytes of the logs of nodes {', '.join(map(str, ids))} are the same", same and size >= least)

    def leader(self, *others):
        """Who leads, as one of ours that runs says, and follows or leads itself."""
        for node in self.nodes.values():
            found = node.ours and node.process and node.said()
            if found and found[0] in ("leader", "follower") and found[1]["leader"] >= 0 and found[1]["leader"] not in others:
                return found[1]["leader"]
        return None

    def moves(self, node, seconds=20):
        """The high watermark rises, as one of ours sees it."""
        before = node.said()[1]["hw"]
        return wait_for(f"node {node.id} sees more committed than {before}", seconds, lambda: node.is_now(beyond=before + 2))


def voters_of(*nodes):
    return ",".join(f"{node_id}@127.0.0.1:{port}" for node_id, port in nodes)


def leads_some_day(quorum, ours, rounds=10):
    """Takes the leader away until one of ours is elected; the node that was taken away last is not started again."""
    for turn in range(rounds):
        now = wait_for("somebody leads", 60, quorum.leader)
        if quorum.nodes[now].ours:
            return now
        gone = quorum.nodes[now]
        gone.stop(signal.SIGKILL if turn % 2 else signal.SIGTERM)
        after = wait_for(f"somebody leads after node {now}", 60, lambda: quorum.leader(now))
        if quorum.nodes[after].ours:
            return after
        gone.start()
        wait_for("the one that was away is followed or follows", 60, lambda: quorum.moves(ours))
        time.sleep(6)       # a Kafka that has just begun is not the next to be elected
    return None


def check_tool(quorum, leader, voters):
    status = quorum.status(leader)
    checks = quorum.checks
    checks.check(f"kafka-metadata-quorum describe --status: node {leader} leads", status.get("LeaderId") == str(leader), [str(status)])
    named = set(map(int, re.findall(r'"id": (\d+)', status.get("CurrentVoters", ""))))
    checks.check("and it names the voters", named == set(voters), [status.get("CurrentVoters", "")])
    _, out, err = quorum.tool(leader, "describe", "--replication")
    rows = [line.split() for line in out.splitlines()[1:] if line.strip()]
    lags = {int(row[0]): (int(row[3]), row[-1]) for row in rows}
    alive = {node.id for node in quorum.nodes.values() if node.process}
    good = all(lags.get(node_id, (99999, ""))[0] < 50 for node_id in alive) and lags.get(leader, ("", ""))[1] == "Leader"
    checks.check("describe --replication: those that run are not behind", good, [out + err[-600:]])


def two_of_theirs(checks):
    """Two controllers of Kafka and one of ours."""
    quorum = Quorum(checks)
    ports = {node_id: free_port() for node_id in (1, 2, 3)}
    voters = voters_of(*ports.items())
    try:
        for node_id in (1, 2):
            quorum.add(Kafka(quorum.folder, node_id, ports[node_id], f"controller.quorum.voters={voters}")).start()
        ours = quorum.add(Ours(quorum.folder, 3, ports[3], voters=voters))
        ours.start(election=30000)      # a controller of Kafka leads first, and writes what a new cluster begins with
        first = wait_for("one of Kafka's leads", 60, lambda: ours.is_now("follower", beyond=10))[1]["leader"]
        checks.check(f"ours votes for node {first} or hears of it, and follows", first in (1, 2))
        quorum.same_bytes("a follower's log", 1, 2, 3)
        check_tool(quorum, first, ports)
        ours.stop(signal.SIGKILL)
        ours.start()
        wait_for("it follows again", 60, lambda: ours.is_now("follower", leader=first))
        quorum.moves(ours)
        quorum.same_bytes("after kill -9 and a restart", 1, 2, 3)
        leader = leads_some_day(quorum, ours)
        if not checks.check("ours is elected when the leader is stopped or killed", leader == 3):
            return
        epoch = quorum.moves(ours)[1]["epoch"]
        alive = next(node.id for node in quorum.nodes.values() if not node.ours and node.process)
        gone = 3 - alive
        check_tool(quorum, 3, ports)
        quorum.same_bytes("ours leads", 3, alive)
        quorum.nodes[gone].start()
        wait_for("the other one of Kafka's is back", 60, lambda: followers_are_near(quorum, 3, (1, 2)))
        check_tool(quorum, 3, ports)
        quorum.same_bytes("ours leads two of Kafka's", 1, 2, 3)
        ours.stop(signal.SIGKILL)
        time.sleep(8)
        ours.start()
        found = wait_for("ours is back after kill -9", 60, lambda: ours.is_now("follower", beyond=10))
        checks.check(f"one of Kafka's leads epoch {found[1]['epoch']} after it", found[1]["epoch"] > epoch and found[1]["leader"] in (1, 2))
        quorum.moves(ours)
        quorum.same_bytes("after all that", 1, 2, 3)
        for node_id in (1, 2):
            faults = quorum.nodes[node_id].faults()
            checks.check(f"Apache Kafka's node {node_id} found no fault", not faults, faults)
    finally:
        quorum.close()


def followers_are_near(quorum, leader, ids):
    _, out, _ = quorum.tool(leader, "describe", "--replication")
    lags = {int(row[0]): int(row[3]) for row in (line.split() for line in out.splitlines()[1:]) if row}
    return all(lags.get(node_id, 99999) < 50 for node_id in ids)


def one_of_theirs(checks):
    """One controller of Kafka and two of ours."""
    quorum = Quorum(checks)
    ports = {node_id: free_port() for node_id in (1, 2, 3)}
    voters = voters_of(*ports.items())
    try:
        quorum.add(Kafka(quorum.folder, 1, ports[1], f"controller.quorum.voters={voters}")).start()
        two = quorum.add(Ours(quorum.folder, 2, ports[2], voters=voters))
        three = quorum.add(Ours(quorum.folder, 3, ports[3], voters=voters))
        two.start(election=30000)
        wait_for("Kafka's leads with one of ours", 60, lambda: two.is_now("follower", leader=1, beyond=10))
        two.stop()
        two.start()
        three.start()
        for node in (two, three):
            wait_for(f"node {node.id} follows", 60, lambda: node.is_now(leader=1, beyond=10))
        check_tool(quorum, 1, ports)
        quorum.nodes[1].stop(signal.SIGKILL)
        leader = wait_for("one of ours leads", 60, lambda: quorum.leader(1))
        checks.check(f"node {leader} leads when Kafka's is killed", leader in (2, 3))
        quorum.moves(quorum.nodes[leader])
        quorum.nodes[1].start()
        wait_for("Kafka's follows", 60, lambda: followers_are_near(quorum, leader, (1,)))
        check_tool(quorum, leader, ports)
        quorum.same_bytes("led by ours", 1, 2, 3)
        quorum.nodes[leader].stop(signal.SIGKILL)
        wait_for("another leads", 60, lambda: quorum.leader(leader))
        quorum.nodes[leader].start()
        quorum.moves(quorum.nodes[leader], 60)
        quorum.same_bytes("after kill -9 of the leader", 1, 2, 3)
        faults = quorum.nodes[1].faults()
        checks.check("Apache Kafka found no fault", not faults, faults)
    finally:
        quorum.close()


SNAPSHOTS = """metadata.log.max.snapshot.interval.ms=4000
metadata.max.retention.ms=3000
"""


def observer(checks):
    """An observer of ours that begins with a snapshot of Kafka's."""
    quorum = Quorum(checks)
    port = free_port()
    try:
        theirs = quorum.add(Kafka(quorum.folder, 1, port, f"controller.quorum.voters=1@127.0.0.1:{port}", SNAPSHOTS))
        theirs.start()
        watcher = Ours(quorum.folder, 100, free_port(), voters=f"1@127.0.0.1:{port}", bootstrap=f"127.0.0.1:{port}")

        def trimmed():
            names = sorted(os.path.basename(path) for path in glob.glob(os.path.join(theirs.log, "*.checkpoint")))
            return theirs.process.poll() is None and names and "deleted" in "".join(os.listdir(theirs.log)) and names
        wait_for("Kafka has removed snapshots, and the log before them", 150, trimmed)
        quorum.add(watcher).start()
        found = wait_for("it follows from a snapshot", 60, lambda: watcher.is_now("follower", leader=1, beyond=10))
        start = found[1]["start"]
        checks.check(f"our observer's log begins at {start}, behind the snapshot that it was given", start > 0)
        mine = glob.glob(os.path.join(watcher.log, f"{start:020}-*.checkpoint"))
        pairs = [(path, os.path.join(theirs.log, os.path.basename(path))) for path in mine]
        same = [open(ours, "rb").read() == open(kafkas, "rb").read() for ours, kafkas in pairs if os.path.exists(kafkas)]
        checks.check("the snapshot has the same bytes as Kafka's", len(mine) == 1 and all(same), mine)
        quorum.moves(watcher)
        watcher.stop(signal.SIGKILL)
        watcher.start()
        wait_for("it follows after kill -9", 60, lambda: watcher.is_now("follower", leader=1, beyond=found[1]["hw"]))
        _, out, _ = quorum.tool(1, "describe", "--replication")
        checks.check("Kafka counts it as an observer", re.search(r"^100\s.*Observer", out, re.M), [out])
    finally:
        quorum.close()


def joins(checks):
    """A dynamic quorum of Kafka's; ours comes as an observer, is made a voter by Kafka's tool, and is removed."""
    quorum = Quorum(checks)
    port, own = free_port(), free_port()
    try:
        bootstrap = f"127.0.0.1:{port}"
        quorum.add(Kafka(quorum.folder, 1, port, f"controller.quorum.bootstrap.servers={bootstrap}", flags=["--standalone"])).start()
        ours = Ours(quorum.folder, 3, own, bootstrap=bootstrap, directory=OUR_DIRECTORY)
        quorum.add(ours).start()
        wait_for("it follows", 60, lambda: ours.is_now("follower", leader=1, beyond=5))
        properties = os.path.join(ours.folder, "server.properties")
        with open(properties, "w") as f:
            f.write(f"process.roles=controller\nnode.id=3\ncontroller.quorum.bootstrap.servers={bootstrap}\n"
                    f"listeners=CONTROLLER://127.0.0.1:{own}\ncontroller.listener.names=CONTROLLER\nlog.dirs={ours.folder}/data\n")
        with open(os.path.join(ours.folder, "data", "meta.properties"), "w") as f:
            f.write(f"version=1\ncluster.id={CLUSTER}\nnode.id=3\ndirectory.id={OUR_DIRECTORY}\n")
        command = "org.apache.kafka.tools.MetadataQuorumCommand"
        status, out, err = kafka.tool(command, "--bootstrap-controller", bootstrap, "--command-config", properties, "add-controller")
        checks.check("kafka-metadata-quorum add-controller makes ours a voter", status == 0, [out + err[-600:]])
        wait_for("it knows that it votes", 30, lambda: ours.said()[1]["voters"] == 2)
        check_tool(quorum, 1, (1, 3))
        quorum.moves(ours)
        status, out, err = kafka.tool(command, "--bootstrap-controller", bootstrap, "remove-controller", "-i", "3", "-d", OUR_DIRECTORY)
        checks.check("kafka-metadata-quorum remove-controller takes it out again", status == 0, [out + err[-600:]])
        wait_for("it knows that it does not vote", 30, lambda: ours.said()[1]["voters"] == 1)
        quorum.moves(ours)
        faults = quorum.nodes[1].faults()
        checks.check("Apache Kafka found no fault", not faults, faults)
    finally:
        quorum.close()


def main(arguments):
    checks = Checks()
    parts = {"two": two_of_theirs, "one": one_of_theirs, "observer": observer, "joins": joins}
    for name in arguments.rest or parts:
        with checks.step(parts[name].__doc__):
            parts[name](checks)
    return checks.result()
