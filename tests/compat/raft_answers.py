"""What a running controller of Apache Kafka answers to the requests of raft/answers.txt; and one metadata log that Apache Kafka and our
replica lead in turn."""
import glob
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
import uuid

import kafka
import log_plays
import messages
import rawclient
from checks import Checks

HERE = os.path.dirname(os.path.abspath(__file__))
CLUSTER = "MkU3OEVBNTcwNTJENDM2Qg"
TOPIC, TOPIC_ID = "__cluster_metadata", uuid.UUID(int=1)
CALLS = {  # kind: API, version
    "vote": ("Vote", 2), "begin": ("BeginQuorumEpoch", 1), "end": ("EndQuorumEpoch", 1), "fetch": ("Fetch", 18),
    "snapshot": ("FetchSnapshot", 1), "add": ("AddRaftVoter", 1), "remove": ("RemoveRaftVoter", 0)}


def sections():
    """[(role, [(line, kind, fields, answer)])]"""
    out = []
    with open(os.path.join(HERE, "raft", "answers.txt")) as f:
        for line in (raw.strip() for raw in f):
            if line.startswith("= "):
                out.append((line[2:].split(":")[0], []))
            elif line and not line.startswith("#"):
                ask, _, answer = line.partition(" -> ")
                kind, *fields = ask.split()
                out[-1][1].append((line, kind, dict(field.split("=", 1) for field in fields), answer.split(" | ")[0]))
    return out


def request(kind, fields):
    cluster = {"": None, "other": "other"}.get(fields.get("cluster"), CLUSTER)

    def number(key, default=0):
        return int(fields.get(key, default))

    def directory(key):
        return uuid.UUID(int=number(key))
    epoch, by = number("epoch"), number("by")
    place, name = {"PartitionIndex": 0}, {"TopicName": TOPIC}
    listeners = [{"Name": "CONTROLLER", "Host": "127.0.0.1", "Port": 1}]
    if kind == "vote":
        place |= {"ReplicaEpoch": epoch, "ReplicaId": by, "ReplicaDirectoryId": directory("dir"), "VoterDirectoryId": directory("vdir"),
                  "LastOffsetEpoch": number("last"), "LastOffset": number("end"), "PreVote": "pre" in fields}
        rest = {"VoterId": number("voter", 1)}
    elif kind == "begin":
        place |= {"VoterDirectoryId": directory("vdir"), "LeaderId": number("leader"), "LeaderEpoch": epoch}
        rest = {"VoterId": number("voter", 1), "LeaderEndpoints": listeners}
    elif kind == "end":
        place |= {"LeaderId": number("leader"), "LeaderEpoch": epoch, "PreferredSuccessors": [], "PreferredCandidates": []}
        rest = {"LeaderEndpoints": listeners}
    elif kind == "fetch":
        place = {"Partition": 0, "CurrentLeaderEpoch": epoch, "FetchOffset": number("end"), "LastFetchedEpoch": number("last"),
                 "LogStartOffset": -1, "PartitionMaxBytes": 0, "ReplicaDirectoryId": directory("dir")}
        name = {"TopicId": TOPIC_ID}
        rest = {"ReplicaState": {"ReplicaId": by, "ReplicaEpoch": -1}, "MaxWaitMs": number("wait"), "MinBytes": 0, "MaxBytes": 1 << 20,
                "SessionId": 0, "SessionEpoch": -1}
    elif kind == "snapshot":
        place = {"Partition": 0, "CurrentLeaderEpoch": epoch, "SnapshotId": {"EndOffset": number("end"), "Epoch": number("last")},
                 "Position": 0, "ReplicaDirectoryId": directory("dir")}
        name, rest = {"Name": TOPIC}, {"ReplicaId": by, "MaxBytes": 1000}
    else:
        voter = {"ClusterId": cluster, "VoterId": number("voter"), "VoterDirectoryId": directory("dir")}
        return voter | ({"TimeoutMs": 1000, "Listeners": listeners} if kind == "add" else {})
    return {"ClusterId": cluster, "Topics": [name | {"Partitions": [place]}]} | rest


def brief(kind, answer):
    topics = answer.get("Topics") or answer.get("Responses")
    if answer["ErrorCode"] or not topics:
        return f"top {answer['ErrorCode']}"
    part = topics[0]["Partitions"][0]
    leader = part.get("CurrentLeader", part)
    out = f"{part['ErrorCode']} {leader['LeaderId']} {leader['LeaderEpoch']}"
    if kind == "vote":
        out += " yes" if part["VoteGranted"] else " no"
    if part.get("DivergingEpoch"):
        out += f" diverging {part['DivergingEpoch']['Epoch']}"
    return out


def prepare(folder, role):
    """Formats a controller that is alone (its voters in the log, if dynamic), or one of two whose other does not exist; its port."""
    sys.path.insert(0, os.path.join(os.path.dirname(HERE), "interop"))
    from broker import free_port
    port, other = free_port(), free_port()
    properties = os.path.join(folder, "server.properties")
    with open(properties, "w") as f:
        f.write(f"""process.roles=controller
node.id=1
{'controller.quorum.bootstrap.servers=' if role == 'dynamic' else 'controller.quorum.voters=1@'}127.0.0.1:{port}{
            f',2@127.0.0.1:{other}' if role == 'voter' else ''}
listeners=CONTROLLER://127.0.0.1:{port}
controller.listener.names=CONTROLLER
log.dirs={folder}/data
""")
        if role == "voter":     # does nothing by itself
            f.write("controller.quorum.election.timeout.ms=600000\ncontroller.quorum.fetch.timeout.ms=600000\n")
    more = ["--standalone"] if role == "dynamic" else []
    status, out, err = kafka.tool("kafka.tools.StorageTool", "format", "-t", CLUSTER, "-c", properties, *more)
    if status:
        raise RuntimeError(out + err)
    return port


def start(folder):
    with open(os.path.join(folder, "kafka.log"), "ab") as log:
        return subprocess.Popen(kafka.server_command(folder), stdin=subprocess.DEVNULL, stdout=log, stderr=log)


def connect(port, protocol, role):
    """When it answers, and leads if it should; its epoch."""
    deadline = time.monotonic() + 90
    while time.monotonic() < deadline:
        try:
            connection = rawclient.Connection(f"127.0.0.1:{port}", protocol)
            answer = connection.call("Fetch", 18, **request("fetch", {"epoch": "0", "by": "2"}))
            error, leader, epoch = (int(word) for word in brief("fetch", answer).split())
            if (error, leader) == ((6, -1) if role == "voter" else (74, 1)):
                return connection, epoch
        except (OSError, rawclient.Closed, rawclient.Silent):
            pass
        time.sleep(0.3)
    raise TimeoutError("Apache Kafka's controller did not serve in 90 s")


def in_turn(checks, folder, port, protocol, epoch, role):
    """Our replica goes on where Kafka stopped, and Kafka where ours did."""
    with open(os.path.join(folder, "data", "meta.properties")) as f:
        directory = re.findall(r"directory\.id=(.*)", f.read()) if role == "dynamic" else []
    log = os.path.join(folder, "data", "__cluster_metadata-0")
    for records in (3, 200):
        done = subprocess.run([log_plays.program("lead_log", "raft"), log, str(records), *directory], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=60)
        said = done.stdout.decode().strip()
        found = re.fullmatch(r"epoch (\d+) began at (\d+) ended at (\d+)", said)
        good = found and int(found[1]) > epoch and int(found[3]) == int(found[2]) + 1 + records
        if not checks.check(f"{role}: our replica leads the log of Apache Kafka, and adds {records}: {said}", good, [f"Kafka's epoch was {epoch}"]):
            return
        _, complaints = kafka.dump(*glob.glob(os.path.join(log, "*.log")), deep=False)
        checks.check("Kafka's dump tool has nothing to say about it", not complaints, complaints)
        process = start(folder)
        try:
            connection, next_epoch = connect(port, protocol, "leader")
            checks.check(f"Apache Kafka leads what ours wrote, in epoch {next_epoch}", next_epoch > int(found[1]))
            answer = connection.call("Fetch", 18, **request("fetch", {"epoch": str(next_epoch), "by": "2", "end": found[3], "last": found[1]}))
            checks.check("and has kept all of it", brief("fetch", answer) == f"0 1 {next_epoch}", [brief("fetch", answer)])
            epoch = next_epoch
        finally:
            process.terminate()
            process.wait()
        with open(os.path.join(folder, "kafka.log"), errors="replace") as f:
            wrong = [line for line in f if " FATAL " in line or "Encountered fatal fault" in line]
        checks.check("Apache Kafka found no fault", not wrong, wrong)


def main(_arguments):
    checks, protocol = Checks(), messages.Protocol(kafka.clients_jar())
    for role, asks in sections():
        folder = tempfile.mkdtemp(prefix="moldau-raft-")
        port = prepare(folder, role)
        process = start(folder)
        try:
            connection, epoch = connect(port, protocol, role)
            for line, kind, fields, expected in asks:
                api, version = CALLS[kind]
                with checks.step(line):
                    said = brief(kind, connection.call(api, version, **request(kind, fields)))
                    checks.check(f"{role}: {line}", said == expected, [f"Apache Kafka says {said}"])
        finally:
            process.terminate()
            process.wait()
        if role == "leader":
            with checks.step("the same log, led in turn"):
                in_turn(checks, folder, port, protocol, epoch, role)
        shutil.rmtree(folder, ignore_errors=True)
    folder = tempfile.mkdtemp(prefix="moldau-raft-")
    with checks.step("a log that says who votes, led in turn"):
        port = prepare(folder, "dynamic")
        process = start(folder)
        try:
            _, epoch = connect(port, protocol, "dynamic")
        finally:
            process.terminate()
            process.wait()
        in_turn(checks, folder, port, protocol, epoch, "dynamic")
    shutil.rmtree(folder, ignore_errors=True)
    return checks.result()
