"""Where Moldau's answers may differ from Kafka's, each with its reason; what is only not built yet says what it waits for. What differs
between any two brokers (ids, ports, times, throttling, the order of hash maps) is hidden in wire_session instead.
"""

# (the case's label, as a pattern for all of it; the start of the difference's line, as a pattern; why)
MAY_DIFFER = (
    (r"DescribeConfigs: the broker.*", r"Results\[0\]\.Configs\[\d+\]\.ReadOnly: Kafka False, ours True",
     "what cannot be changed while the broker runs is said to be read-only"),
    (r"ApiVersions", r"FinalizedFeatures: Kafka has 6, ours 7",
     "kraft.version is listed where the quorum may change: ours is formatted so, the Kafka of this comparison has fixed voters"),
    (r"ListConfigResources: (all|brokers)", r"ConfigResources",
     "loggers have no settings yet, and are not listed"),
    (r"Metadata: unknown topic, auto-create", r"Topics\[0\]",
     "a topic that is asked for is there at once: no client has to ask a second time"),
    (r"Fetch: (partition limit (100|200)|request limit 200, two partitions)", r"Responses\[0\]\.Partitions\[0\]\.Records",
     "the last batch is not sent in part: no client can use a part"),
    (r"Produce: codec [57]", r"Responses\[0\]\.PartitionResponses\[0\]\.LogStartOffset",
     "of a codec that does not exist Kafka does not tell the log's start in versions 5 and 6, and does from 7 on"),
    (r"(Produce|DeleteRecords|OffsetCommit): no partitions", r"",
     "a topic without partitions is answered as asked, Kafka leaves it out"),
    (r"Metadata: (null name and .*|name and id|known id and unknown id|an id and another topic's name)", r"",
     "requests that mix ids and names, or hold neither, are answered one by one"),
    (r"ConsumerGroupHeartbeat: expression: bad: a closing parenthesis", r"ErrorMessage",
     "Kafka's expressions know no word for a parenthesis too many"),
)
