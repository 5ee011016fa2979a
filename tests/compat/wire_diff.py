"""Sends the same requests to Apache Kafka and to Moldau and compares the decoded answers field by field."""
import os
import re
import tempfile
import time

import kafka
import messages
import rawclient
import wire_admin_cases
import wire_cases
import wire_cluster_cases
import wire_config_cases
import wire_consumer_cases
import wire_data_cases
import wire_group_cases
from wire_may_differ import MAY_DIFFER
from wire_session import Session

CASES = {**wire_cases.ALL, **wire_data_cases.ALL, **wire_config_cases.ALL, **wire_cluster_cases.ALL, **wire_admin_cases.ALL, **wire_group_cases.ALL,
         **wire_consumer_cases.ALL}

HIDDEN = ("GetTelemetrySubscriptions",)     # answered though it is not advertised


def prepare(s):
    s.make_topic("known")
    s.make_topic("col_lision")
    # Kafka fetches its first block of producer ids when the first one is asked for, and answers COORDINATOR_LOAD_IN_PROGRESS until it has it.
    rawclient.wait_until(lambda: s.call("InitProducerId", 4, TransactionalId=None, TransactionTimeoutMs=60_000)["ErrorCode"] == 0, 20, "producer ids")
    wire_cases.fill_offsets(s)
    wire_data_cases.fill_fetch(s)


def run_side(name, address, protocol, run, versions, only=None):
    """All cases against one broker."""
    session = Session(name, address, protocol, run)
    prepare(session)
    if not only:
        wire_cases.refused_versions(session)
    for api, case in CASES.items():
        for version in versions[api]:
            if not only or api in only:
                session.version = version
                case(session, version)
    return session


def common_versions(addresses, protocol):
    """Per API the versions that every broker advertises and that Kafka accepts."""
    out = {}
    for address in addresses:
        session = Session("", address, protocol, "")
        for api in CASES:
            served = set(session.versions(api)) & set(protocol.request(api).versions)
            if api in HIDDEN:
                served = set(protocol.request(api).versions)
            out[api] = out[api] & served if api in out else served
        session.drop()
    return {api: sorted(versions) for api, versions in out.items()}


def new_run():
    return f"wire{int(time.time() * 1000) % 10**9}"




# --- the comparison

def advertised(answer):
    """ApiVersions with legacy serving on: lower minimums are ours to offer, and what is not built yet is not offered. The rest is Kafka's."""
    return {entry["ApiKey"]: (entry["MinVersion"], entry["MaxVersion"]) for entry in answer["ApiKeys"]}


def compare_api_keys(theirs, ours):
    """Ours with every range that we may offer replaced by Kafka's, so that only what we may not remains a difference."""
    kafka_ranges, our_ranges = advertised(theirs), advertised(ours)
    fine = {key: kafka_ranges[key] for key, (low, high) in our_ranges.items()
            if key in kafka_ranges and low <= kafka_ranges[key][0] and high == kafka_ranges[key][1]}
    wrong = {key: our_ranges[key] for key in our_ranges if key not in fine}
    missing = sorted(set(kafka_ranges) - set(our_ranges))
    return {**theirs, "ApiKeys": "Kafka's"}, {**ours, "ApiKeys": wrong or "Kafka's"}, missing


def differences(theirs, ours, path=""):
    """The places where two answers differ, as lines."""
    if isinstance(theirs, dict) and isinstance(ours, dict):
        return [line for key in {**theirs, **ours} for line in differences(theirs.get(key, "no such field"), ours.get(key, "no such field"), f"{path}.{key}")]
    if isinstance(theirs, list) and isinstance(ours, list) and len(theirs) != len(ours):
        return [f"{path.lstrip('.')}: Kafka has {len(theirs)}, ours {len(ours)}"]
    if isinstance(theirs, list) and isinstance(ours, list):
        return [line for i, (a, b) in enumerate(zip(theirs, ours)) for line in differences(a, b, f"{path}[{i}]")]
    if theirs == ours:
        return []
    return [f"{path.lstrip('.') or 'answer'}: Kafka {short(theirs)}, ours {short(ours)}"]


def short(value, limit=300):
    text = repr(value)
    return text if len(text) <= limit else f"{text[:limit]}… ({len(text)} characters)"


class Tally:
    def __init__(self):
        self.answers = self.equal = self.allowed = 0
        self.labels = {}         # label -> {differences as text -> versions}
        self.used = {}           # entries of MAY_DIFFER -> how often
        self.missing = set()     # APIs that Kafka has and we do not yet

    def add(self, label, version, theirs, ours):
        self.answers += 1
        found = self.labels.setdefault(label, {})
        if label == "ApiVersions" and isinstance(ours, dict):
            theirs, ours, missing = compare_api_keys(theirs, ours)
            self.missing.update(missing)
        every = differences(theirs, ours)
        lines = [line for line in every if not self.may_differ(label, line)]
        self.equal += not lines
        self.allowed += bool(every and not lines)
        if lines:
            found.setdefault("\n".join(lines), []).append(version)

    def may_differ(self, label, line):
        for entry in MAY_DIFFER:
            if re.fullmatch(entry[0], label) and re.match(entry[1], line):
                self.used[entry] = self.used.get(entry, 0) + 1
                return True
        return False

    def print(self):
        for label, found in self.labels.items():
            for text, versions in found.items():
                print(f"FAIL  {label}  v{', '.join(map(str, versions))}")
                for line in text.splitlines()[:12]:
                    print(f"        {line}")
        for entry, count in self.used.items():
            print(f"      differs as it may, {count} times: {entry[2]}")
        if self.missing:
            print(f"      API keys that Kafka offers and ours does not yet: {', '.join(map(str, sorted(self.missing)))}")
        passed = sum(not found for found in self.labels.values())
        print(f"{self.equal} of {self.answers} answers equal" + (f" ({self.allowed} of them but for what may differ)" if self.allowed else "")
              + f"; {passed} of {len(self.labels)} cases equal in every version")
        return passed, len(self.labels) - passed


def compare(kafka_address, our_address, only):
    protocol = messages.Protocol(kafka.clients_jar())
    versions, run, tally = common_versions([kafka_address, our_address], protocol), new_run(), Tally()
    # Produce is advertised from 0 by Kafka for the sake of old librdkafkas, and accepted from 3.
    print("versions: " + ", ".join(f"{api} {low[0]}–{low[-1]}" for api, low in versions.items() if low))
    theirs = run_side("Kafka", kafka_address, protocol, run, versions, only)
    ours = run_side("Moldau", our_address, protocol, run, versions, only)
    for (label, version), answer in theirs.answers.items():
        tally.add(label, version, answer, ours.answers.get((label, version), "never asked: an earlier answer went another way"))
    return tally.print()


def main(arguments):
    from broker import Broker
    with tempfile.TemporaryDirectory(prefix="moldau-compat-") as folder:
        # Two data directories each, so that there is where to move a replica to.
        broker = None if arguments.against else Broker(more_dirs=[os.path.join(folder, "moldau-second")])
        server = None if arguments.kafka else kafka.Server(os.path.join(folder, "kafka"), more_dirs=[os.path.join(folder, "kafka-second")]).start()
        try:
            address = arguments.against or broker.start().address
            return compare(arguments.kafka or server.address, address, arguments.rest if arguments.command == "wire-diff" else [])
        except Exception as error:
            import traceback
            print(f"FAIL  the comparison did not finish: {error}\n{traceback.format_exc()}{broker.output() if broker else ''}")
            return 0, 1
        finally:
            if server:
                server.stop()
            if broker:
                broker.remove()
