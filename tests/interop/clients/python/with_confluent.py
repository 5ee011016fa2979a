"""confluent-kafka (librdkafka) behind the questions of ../README.md. Runs with Debian's 1.7.0 and with the newest of PyPI."""
import threading
import time

import confluent_kafka
from cell import Cannot, CodedError, say, say_record, serve, unpack
from confluent_kafka import Consumer, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, ConfigResource, NewPartitions, NewTopic

FLAGS = {"earliest": 0, "latest": 1}


def config(ask, **more):
    return {"bootstrap.servers": ask["bootstrap"], "log_level": 0, **{k.replace("_", "."): v for k, v in more.items()}}


def code_of(error):
    inner = error.args[0] if error.args else None
    return inner.code() if isinstance(inner, confluent_kafka.KafkaError) else None


class Program:
    def __init__(self):
        self.consumer, self.commands, self.admins = None, [], {}

    def about(self, ask):
        say(client="confluent-kafka", version=f"{getattr(confluent_kafka, '__version__', confluent_kafka.version()[0])} (librdkafka {confluent_kafka.libversion()[0]})")

    # ---- records
    def produce(self, ask):
        limit = {"message.max.bytes": ask["limit"]} if ask.get("limit") else {}
        producer = Producer({**config(ask), **limit, "acks": ask.get("acks", "all"), "compression.type": ask.get("codec", "none"), "linger.ms": 20,
                             "enable.idempotence": bool(ask.get("idempotent")), "message.timeout.ms": int(ask["seconds"] * 1000)})
        wrong, where = [], {}

        def delivered(number):
            def report(error, message):
                if error:
                    wrong.append(error)
                else:
                    where[number] = (message.partition(), message.offset())
            return report
        for number, record in enumerate(ask["records"]):
            more = {"timestamp": record["timestamp"]} if record.get("timestamp") is not None else {}
            if ask.get("partition") is not None:
                more["partition"] = ask["partition"]
            producer.produce(ask["topic"], value=unpack(record["value"]), key=unpack(record["key"]), on_delivery=delivered(number),
                             headers=[(name, unpack(v)) for name, v in record["headers"]], **more)
        producer.flush(ask["seconds"] + 1)
        if wrong:
            raise CodedError(wrong[0].code(), wrong[0].str())
        for number in range(len(ask["records"])):
            partition, offset = where[number]
            say(partition=partition, offset=offset)

    def consume(self, ask):
        consumer = Consumer(config(ask, group_id="unused", enable_auto_commit=False, auto_offset_reset="error", fetch_message_max_bytes=8 << 20,
                                   allow_auto_create_topics=False))
        try:
            consumer.assign([TopicPartition(ask["topic"], ask["partition"], ask["offset"])])
            count, deadline = 0, time.monotonic() + ask["seconds"]
            while count < ask["count"]:
                if time.monotonic() > deadline:
                    raise TimeoutError(f"{count} of {ask['count']} records came")
                message = consumer.poll(0.2)
                if message is None:
                    continue
                if message.error():
                    reset = confluent_kafka.KafkaError._AUTO_OFFSET_RESET       # librdkafka's own word when there is no reset
                    raise CodedError(1 if message.error().code() == reset else message.error().code(), message.error().str())
                count += 1
                say_record(message.partition(), message.offset(), message.timestamp()[1], message.key(), message.value(), message.headers())
        finally:
            consumer.close()

    def list_offsets(self, ask):
        consumer = Consumer(config(ask, group_id="unused"))
        try:
            at = ask["at"]
            if at in FLAGS:
                say(offset=consumer.get_watermark_offsets(TopicPartition(ask["topic"], ask["partition"]), ask["seconds"])[FLAGS[at]])
            else:
                say(offset=consumer.offsets_for_times([TopicPartition(ask["topic"], ask["partition"], at)], ask["seconds"])[0].offset)
        finally:
            consumer.close()

    # ---- groups
    def member(self, ask):
        more = {"group.instance.id": ask["instance"]} if ask.get("instance") else {}
        if ask.get("protocol") == "consumer":
            if confluent_kafka.libversion()[1] < 0x020c0000:
                raise Cannot("the consumer protocol came with librdkafka 2.12")
            more["group.protocol"] = "consumer"
        else:
            more["session.timeout.ms"] = 10000
        self.consumer = Consumer({**config(ask, group_id=ask["group"], auto_offset_reset=ask.get("reset", "earliest"), enable_auto_commit=False,
                                           fetch_wait_max_ms=100), "topic.metadata.refresh.interval.ms": 2000, **more})
        self.left = threading.Event()
        self.consumer.subscribe([ask["topic"]])
        self.thread = threading.Thread(target=self._poll)
        self.thread.start()

    def _poll(self):
        owned = None
        while not self.left.is_set():
            message = self.consumer.poll(0.1)
            now = sorted(p.partition for p in self.consumer.assignment())
            if now != owned:
                owned = now
                say(event="assigned", partitions=owned)
            while self.commands:
                try:
                    self.commands.pop()()
                finally:
                    self.done.set()
            if message is not None and not message.error():
                say_record(message.partition(), message.offset(), message.timestamp()[1], message.key(), message.value(), message.headers(),
                           event="record")
            elif message is not None and message.error():
                say(event="error", text=message.error().str())
        self.consumer.close()

    def commit(self, ask):
        self.done = threading.Event()
        self.problem = None

        def act():
            try:
                self.consumer.commit(asynchronous=False)
            except Exception as error:
                self.problem = error
        self.commands.append(act)
        self.done.wait(ask["seconds"])
        if self.problem:
            raise self.problem

    def leave(self, ask):
        self.left.set()
        self.thread.join(ask["seconds"])

    def commit_offsets(self, ask):
        consumer = Consumer(config(ask, group_id=ask["group"], enable_auto_commit=False))
        try:
            done = consumer.commit(offsets=[TopicPartition(ask["topic"], int(p), o) for p, o in ask["offsets"].items()], asynchronous=False)
            for partition in done:
                if partition.error:
                    raise CodedError(partition.error.code(), partition.error.str())
        finally:
            consumer.close()

    def committed(self, ask):
        consumer = Consumer(config(ask, group_id=ask["group"], enable_auto_commit=False))
        try:
            for found in consumer.committed([TopicPartition(ask["topic"], p) for p in ask["partitions"]], ask["seconds"]):
                say(partition=found.partition, offset=found.offset if found.offset >= 0 else None)
        finally:
            consumer.close()

    # ---- administration
    def admin(self, ask):
        """One that lives: a future of one that is gone fails."""
        if ask["bootstrap"] not in self.admins:
            self.admins[ask["bootstrap"]] = AdminClient(config(ask))
        return self.admins[ask["bootstrap"]]

    @staticmethod
    def _each(futures, seconds):
        return [future.result(seconds) for future in futures.values()]

    def create_topic(self, ask):
        topic = NewTopic(ask["topic"], ask["partitions"], 1, config=ask.get("configs") or {})
        self._each(self.admin(ask).create_topics([topic], operation_timeout=ask["seconds"]), ask["seconds"])

    def delete_topic(self, ask):
        self._each(self.admin(ask).delete_topics([ask["topic"]], operation_timeout=ask["seconds"]), ask["seconds"])

    def create_partitions(self, ask):
        self._each(self.admin(ask).create_partitions([NewPartitions(ask["topic"], ask["total"])]), ask["seconds"])

    def list_topics(self, ask):
        say(topics=sorted(self.admin(ask).list_topics(timeout=ask["seconds"]).topics))

    def describe_topic(self, ask):
        found = self.admin(ask).list_topics(timeout=ask["seconds"]).topics.get(ask["topic"])
        if found is None:
            raise CodedError(3, "the list of topics has no such one")
        say(partitions=len(found.partitions))

    def describe_config(self, ask):
        found = self._each(self.admin(ask).describe_configs([ConfigResource("topic", ask["topic"])]), ask["seconds"])[0]
        say(value=found[ask["key"]].value)

    def alter_config(self, ask):
        resource = ConfigResource("topic", ask["topic"], set_config={ask["key"]: ask["value"]})
        self._each(self.admin(ask).alter_configs([resource]), ask["seconds"])

    def delete_records(self, ask):
        admin = self.admin(ask)
        if not hasattr(admin, "delete_records"):
            raise Cannot("no delete_records in this version")
        self._each(admin.delete_records([TopicPartition(ask["topic"], ask["partition"], ask["before"])]), ask["seconds"])

    def list_groups(self, ask):
        admin = self.admin(ask)
        if hasattr(admin, "list_consumer_groups"):
            say(groups=[g.group_id for g in admin.list_consumer_groups().result(ask["seconds"]).valid])
        else:
            say(groups=[g.id for g in admin.list_groups(timeout=ask["seconds"])])

    def describe_group(self, ask):
        admin = self.admin(ask)
        if hasattr(admin, "describe_consumer_groups"):
            found = admin.describe_consumer_groups([ask["group"]])[ask["group"]].result(ask["seconds"])
            say(state=found.state.name.title().replace("_", ""), members=len(found.members))
        else:
            found = admin.list_groups(ask["group"], timeout=ask["seconds"])[0]
            say(state=found.state, members=len(found.members))

    def delete_group(self, ask):
        admin = self.admin(ask)
        if not hasattr(admin, "delete_consumer_groups"):
            raise Cannot("no delete_consumer_groups in this version")
        self._each(admin.delete_consumer_groups([ask["group"]]), ask["seconds"])


if __name__ == "__main__":
    serve(Program(), code_of)
