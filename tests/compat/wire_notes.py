"""Asks a running Kafka everything that the comparison asks and prints docs/reference-behaviour.md from its answers."""
import sys
import tempfile

import kafka
import messages
import wire_cases
import wire_diff
import wire_table

HEAD = """# What Apache Kafka 4.3.1 answers

Recorded from a running single node by `tests/compat/run wire-notes > docs/reference-behaviour.md`; `tests/compat/run wire-diff` sends the same requests to Moldau and compares.
In the answers: fields that hold their schema's default are left out (error codes never), so are broker list, cluster id and controller id; `RUN-x` is
topic x of this run, `Topic` its name or (in the versions that use ids) its id; `T+n` is n ms after the timestamp the records were sent with. Versions are
put together when they differ only by fields the older ones do not have.

Seen beside the table:

- A version above or below what the broker accepts closes the connection, except ApiVersions (answered in v0 with error 35 and only its own range).
- acks=0: no answer; an error (bad CRC, unknown partition) closes the connection.
- DeleteTopics shuffles its answers, Produce and Metadata give theirs in the order of a hash map: no order to rely on. Fetch keeps the order asked for.
- Metadata that auto-creates answers UNKNOWN_TOPIC_OR_PARTITION (3) the first time, whatever happens next, and says the same for a name that cannot be
  created because it collides. For the moment between the topic's creation and its opening Produce, Fetch and ListOffsets may answer NOT_LEADER_OR_FOLLOWER (6).
- The topic name in Fetch and Produce is looked up, never validated: a bad name is error 3, not 17.
- Fetch limits: the first partition with records gives at least one whole batch whatever the limits say; every later cut is at the byte, in the middle of a batch.
- A fetch with an error partition, or one with nothing to fetch, never waits.

"""


def features(session):
    answer = session.answers["ApiVersions", 4]
    out = ["## ApiVersions v4\n", "Key: range. " + ", ".join(f"{a['ApiKey']}: {a['MinVersion']}–{a['MaxVersion']}" for a in answer["ApiKeys"]) + ".\n"]
    for version in (3, 4):
        supported = session.answers["ApiVersions", version]["SupportedFeatures"]
        out.append(f"Supported features in v{version}: " + ", ".join(f"{x['Name']} {x['MinVersion']}–{x['MaxVersion']}" for x in supported) + ".\n")
    out.append("Finalized (v3 and v4): " + ", ".join(f"{x['Name']} {x['MinVersionLevel']}–{x['MaxVersionLevel']}" for x in answer["FinalizedFeatures"])
               + "; the epoch is the metadata log's last offset. A feature with minimum 0 is left out of v3.\n")
    return "\n".join(out)


def config_table(configs):
    lines = ["## Configs in the answer of CreateTopics v5+ for a topic with none of its own\n", "| name | value | source | read only | sensitive |", "|---|---|---|---|---|"]
    return "\n".join(lines + [f"| {c['Name']} | {c['Value']} | {c['ConfigSource']} | {c['ReadOnly']} | {c['IsSensitive']} |" for c in configs]) + "\n"


def main(address):
    protocol = messages.Protocol(kafka.clients_jar())
    with tempfile.TemporaryDirectory(prefix="moldau-compat-") as folder:
        server = None if address else kafka.Server(folder).start()
        try:
            address = address or server.address
            side = wire_diff.run_side("Kafka", address, protocol, wire_diff.new_run(), wire_diff.common_versions([address], protocol))
            configs = wire_cases.notes_only(side)
        finally:
            if server:
                server.stop()
    sys.stdout.write(HEAD + features(side) + "\n" + config_table(configs) + "\n## Request by request\n\n" + wire_table.table(side))
