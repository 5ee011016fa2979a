# What the benchmarks against Apache Kafka share: brokers, the client, the machine, the report.
