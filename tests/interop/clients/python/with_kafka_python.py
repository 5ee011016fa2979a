"""kafka-python behind the questions of ../README.md. Runs with Debian's 2.0.2 and with the newest of PyPI."""
import logging
import re
import threading
import time

import kafka
import kafka.errors
from cell import Cannot, CodedError, say, say_record, serve, unpack
from kafka import KafkaConsumer, KafkaProducer, OffsetAndMetadata, TopicPartition
from kafka.admin import ConfigResource, ConfigResourceType, KafkaAdminClient, NewPartitions, NewTopic

OLD = kafka.__version__.startswith("2.0.")
logging.getLogger("kafka").setLevel(logging.CRITICAL)


def code_of(error):
    code = getattr(error, "errno", None)
    return code if isinstance(code, int) else None


def check(said):
    """The newest version answers some errors as text: the name of its class, or with the number in it."""
    if said in (None, "OK"):
        return
    number = re.search(r"\[Error (\d+)\]", str(said))
    named = getattr(kafka.errors, str(said), None)
    raise CodedError(int(number[1]) if number else getattr(named, "errno", None), str(said))


class Program:
    def __init__(self):
        self.admins, self.commands = {}, []

    def about(self, ask):
        say(client="kafka-python", version=kafka.__version__)

    # ---- records
    def produce(self, ask):
        if OLD and ask.get("idempotent"):
            raise Cannot("no idempotent producer in 2.0.2")
        codec = ask.get("codec", "none")
        more = {"enable_idempotence": bool(ask.get("idempotent"))} if not OLD else {}
        if ask.get("limit"):
            more["max_request_size"] = ask["limit"]
        acks = ask.get("acks", "all")
        producer = KafkaProducer(bootstrap_servers=ask["bootstrap"], acks="all" if acks == "all" else int(acks), linger_ms=20,
                                 compression_type=None if codec == "none" else codec, max_block_ms=int(ask["seconds"] * 1000), retries=3, **more)
        try:
            futures = [producer.send(ask["topic"], value=unpack(r["value"]), key=unpack(r["key"]), partition=ask.get("partition"),
                                     timestamp_ms=r.get("timestamp"), headers=[(name, unpack(v)) for name, v in r["headers"]])
                       for r in ask["records"]]
            producer.flush(ask["seconds"])
            for future in futures:
                found = future.get(ask["seconds"])
                say(partition=found.partition, offset=found.offset)
        finally:
            producer.close(5)

    def _consumer(self, ask, **more):
        return KafkaConsumer(bootstrap_servers=ask["bootstrap"], enable_auto_commit=False, **{"group_id": None, **more})

    def consume(self, ask):
        consumer = self._consumer(ask, auto_offset_reset="none", max_partition_fetch_bytes=8 << 20)
        try:
            where = TopicPartition(ask["topic"], ask["partition"])
            consumer.assign([where])
            consumer.seek(where, ask["offset"])
            count, deadline = 0, time.monotonic() + ask["seconds"]
            while count < ask["count"]:
                if time.monotonic() > deadline:
                    raise TimeoutError(f"{count} of {ask['count']} records came")
                for records in consumer.poll(timeout_ms=200).values():
                    for r in records[:ask["count"] - count]:
                        count += 1
                        say_record(r.partition, r.offset, r.timestamp, r.key, r.value, r.headers)
        finally:
            consumer.close()

    def list_offsets(self, ask):
        consumer = self._consumer(ask)
        try:
            where = TopicPartition(ask["topic"], ask["partition"])
            if ask["at"] == "earliest":
                say(offset=consumer.beginning_offsets([where])[where])
            elif ask["at"] == "latest":
                say(offset=consumer.end_offsets([where])[where])
            else:
                found = consumer.offsets_for_times({where: ask["at"]})[where]
                say(offset=found.offset if found else -1)
        finally:
            consumer.close()

    # ---- groups
    def member(self, ask):
        if ask.get("instance") and OLD:
            raise Cannot("no static members in 2.0.2")
        if ask.get("protocol") == "consumer":
            raise Cannot("classic groups only")
        self.consumer = self._consumer(ask, group_id=ask["group"], auto_offset_reset=ask.get("reset", "earliest"), session_timeout_ms=10000,
                                       heartbeat_interval_ms=500, fetch_max_wait_ms=100, metadata_max_age_ms=2000,
                                       **({"group_instance_id": ask["instance"]} if ask.get("instance") else {}))
        self.consumer.subscribe([ask["topic"]])
        self.left = threading.Event()
        self.thread = threading.Thread(target=self._poll)
        self.thread.start()

    def _poll(self):
        owned = None
        while not self.left.is_set():
            try:
                batches = self.consumer.poll(timeout_ms=1000)
            except Exception as error:
                say(event="error", text=f"{type(error).__name__}: {error}")
                batches = {}
            now = sorted(p.partition for p in self.consumer.assignment())
            if now != owned:
                owned = now
                say(event="assigned", partitions=owned)
            for records in batches.values():
                for r in records:
                    say_record(r.partition, r.offset, r.timestamp, r.key, r.value, r.headers, event="record")
            while self.commands:
                self.commands.pop()()
        self.consumer.close()

    def commit(self, ask):
        done, problems = threading.Event(), []

        def act():
            try:
                self.consumer.commit()
            except Exception as error:
                problems.append(error)
            done.set()
        self.commands.append(act)
        if not done.wait(ask["seconds"]):
            raise TimeoutError("no commit in time")
        if problems:
            raise problems[0]

    def leave(self, ask):
        self.left.set()
        self.thread.join(ask["seconds"])

    def commit_offsets(self, ask):
        consumer = self._consumer(ask, group_id=ask["group"])
        try:
            consumer.assign([TopicPartition(ask["topic"], int(p)) for p in ask["offsets"]])
            more = () if OLD else (-1,)
            consumer.commit({TopicPartition(ask["topic"], int(p)): OffsetAndMetadata(o, "", *more) for p, o in ask["offsets"].items()})
        finally:
            consumer.close()

    def committed(self, ask):
        consumer = self._consumer(ask, group_id=ask["group"])
        try:
            for p in ask["partitions"]:
                say(partition=p, offset=consumer.committed(TopicPartition(ask["topic"], p)))
        finally:
            consumer.close()

    # ---- administration
    def admin(self, ask):
        if ask["bootstrap"] not in self.admins:
            self.admins[ask["bootstrap"]] = KafkaAdminClient(bootstrap_servers=ask["bootstrap"])
        return self.admins[ask["bootstrap"]]

    def create_topic(self, ask):
        self.admin(ask).create_topics([NewTopic(ask["topic"], ask["partitions"], 1, topic_configs=ask.get("configs") or {})])

    def delete_topic(self, ask):
        self.admin(ask).delete_topics([ask["topic"]])

    def create_partitions(self, ask):
        self.admin(ask).create_partitions({ask["topic"]: NewPartitions(ask["total"])})

    def list_topics(self, ask):
        say(topics=sorted(self.admin(ask).list_topics()))

    def describe_topic(self, ask):
        found = self.admin(ask).describe_topics([ask["topic"]])[0]
        if found.get("error_code"):
            raise CodedError(found["error_code"], str(found))
        say(partitions=len(found["partitions"]))

    def describe_config(self, ask):
        found = self.admin(ask).describe_configs([ConfigResource(ConfigResourceType.TOPIC, ask["topic"])])
        if OLD:
            say(value={entry[0]: entry[1] for entry in found[0].resources[0][4]}[ask["key"]])
            return
        say(value=found["topic"][ask["topic"]].get(ask["key"], {}).get("value"))

    def alter_config(self, ask):
        done = self.admin(ask).alter_configs([ConfigResource(ConfigResourceType.TOPIC, ask["topic"], configs={ask["key"]: ask["value"]})])
        if not OLD:
            check(done["topic"][ask["topic"]])
        elif done.resources[0][0]:
            raise CodedError(done.resources[0][0], str(done.resources[0][1]))

    def delete_records(self, ask):
        if not hasattr(KafkaAdminClient, "delete_records"):
            raise Cannot("no delete_records in this version")
        self.admin(ask).delete_records({TopicPartition(ask["topic"], ask["partition"]): ask["before"]})

    def list_groups(self, ask):
        found = self.admin(ask).list_consumer_groups() if OLD else self.admin(ask).list_groups()
        say(groups=[g[0] if isinstance(g, tuple) else g["group_id"] for g in found])

    def describe_group(self, ask):
        if OLD:
            found = self.admin(ask).describe_consumer_groups([ask["group"]])[0]
            say(state=found.state, members=len(found.members))
            return
        found = self.admin(ask).describe_groups([ask["group"]])[ask["group"]]
        if found["error"]:
            raise CodedError(getattr(found["error"], "errno", None), str(found["error"]))
        say(state=found["group_state"], members=len(found["members"]))

    def delete_group(self, ask):
        if not OLD:
            check(self.admin(ask).delete_groups([ask["group"]])[ask["group"]])
            return
        for _, error in self.admin(ask).delete_consumer_groups([ask["group"]]):
            if error.errno:
                raise CodedError(error.errno, str(error))


if __name__ == "__main__":
    serve(Program(), code_of)
