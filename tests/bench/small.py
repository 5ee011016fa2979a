# ./dev bench small: one 100 B record in a request, 64 requests under way on one connection, acks=all, against Apache Kafka in
# the same run. What a request costs, rather than what its bytes cost.
from lib import versus

RECORDS = 100_000


def main():
    args = versus.options("one record a request").parse_args()
    run = versus.Versus("one 100 B record a request, 64 in flight, 1 connection, acks=all", args)
    count = run.records(RECORDS)

    def load(broker, topic):
        return run.load(broker, topic, "--records", count, "--size", 100, "--in-flight", 64, "--linger-ms", 0, gib=0)

    for broker in run.brokers:
        for i in range(2 if broker.name == "kafka" else 1):
            load(broker, f"warm-{i}")

    run.rounds(lambda broker, i: run.report.add("100 B", broker.name, **load(broker, f"round-{i}")))
    run.show(versus.RECORDS, "CPU us/record")


main()
