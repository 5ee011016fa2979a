# ./dev bench produce: records of 1 KiB and 100 B, acks=all, through librdkafka, against Apache Kafka in the same run.
# "moldau" acknowledges what is on stable storage; "moldau async" what is in the page cache, as Kafka does: that pair is
# like for like. client alone: librdkafka against its own broker in the same process, the most that this client can do.
from lib import versus

SCENARIOS = [("1 KiB", 1024, 500_000), ("100 B", 100, 2_000_000)]
WARM_UP = 2  # loads before the first round: Java compiles while it runs


def main():
    args = versus.options("produce").parse_args()
    run = versus.Versus("produce, acks=all, 4 partitions, linger 5 ms, not compressed", args)
    scenarios = [(name, size, run.records(count)) for name, size, count in SCENARIOS if not args.only or args.only in name]

    def load(broker, topic, size, count):
        return run.load(broker, topic, "--records", count, "--size", size)

    for broker in run.brokers:
        for i in range(WARM_UP if broker.name == "kafka" else 1):
            for _, size, count in scenarios:
                load(broker, f"warm-{i}-{size}", size, count)
    for name, size, count in scenarios:
        alone = versus.client("produce", "--mock", 1, "--partitions", 4, "--records", count, "--size", size)
        gb = alone["bytes"] / 1e9
        run.report.add(name, "client alone", **{"records/s": alone["records"] / alone["seconds"],
                       "MB/s": alone["bytes"] / 1e6 / alone["seconds"], "client CPU-s/GB": alone["cpu"] / gb})

    def one(broker, i):
        for name, size, count in scenarios:
            run.report.add(name, broker.name, **load(broker, f"round-{i}-{size}", size, count))

    run.rounds(one)
    run.show(versus.BYTES, "CPU-s/GB")


main()
