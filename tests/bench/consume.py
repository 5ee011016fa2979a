# ./dev bench consume: a topic of 1 KiB and of 100 B records in the page cache, read from the beginning through librdkafka,
# against Apache Kafka in the same run.
from lib import versus

SCENARIOS = [("1 KiB", 1024, 1_000_000), ("100 B", 100, 5_000_000)]


def main():
    args = versus.options("consume").parse_args()
    run = versus.Versus("consume from the page cache, 4 partitions, 1 MiB a partition in one answer", args)
    scenarios = [(name, size, run.records(count)) for name, size, count in SCENARIOS if not args.only or args.only in name]

    def read(broker, size, count):
        return versus.measured(broker, "consume", "--topic", f"data-{size}", "--partitions", 4, "--records", count)

    for broker in run.brokers:
        for _, size, count in scenarios:
            versus.measured(broker, "produce", *run.topic(broker, f"data-{size}"), "--records", count, "--size", size)
            for _ in range(3 if broker.name == "kafka" else 1):  # Java compiles while it runs
                read(broker, size, count)

    def one(broker, i):
        for name, size, count in scenarios:
            run.report.add(name, broker.name, **read(broker, size, count))

    run.rounds(one)
    run.show(versus.BYTES, "CPU-s/GB")


main()
