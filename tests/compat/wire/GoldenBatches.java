// Prints record batches that Kafka's own producer classes build, with what those classes read back from them:
//   batch NAME HEX
//   header BASE_OFFSET LENGTH LEADER_EPOCH CRC ATTRIBUTES LAST_OFFSET_DELTA BASE_TIMESTAMP MAX_TIMESTAMP
//          PRODUCER_ID PRODUCER_EPOCH BASE_SEQUENCE LAST_SEQUENCE COUNT          (on one line)
//   record OFFSET TIMESTAMP KEY VALUE HEADER=VALUE...                            (hex; ~ is null, - is empty)
// Records of compressed batches are not printed.
import java.nio.ByteBuffer;
import java.util.Random;
import org.apache.kafka.common.compress.Compression;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.internals.RecordHeader;
import org.apache.kafka.common.record.internal.CompressionType;
import org.apache.kafka.common.record.internal.ControlRecordType;
import org.apache.kafka.common.record.internal.EndTransactionMarker;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.common.record.internal.MemoryRecordsBuilder;
import org.apache.kafka.common.record.internal.MutableRecordBatch;
import org.apache.kafka.common.record.internal.Record;
import org.apache.kafka.common.record.TimestampType;

public class GoldenBatches extends Golden {
    private static final Random RANDOM = new Random(42);

    private static MemoryRecordsBuilder builder(CompressionType codec, TimestampType type, long baseOffset, long producerId,
                                                short epoch, int sequence, boolean transactional, boolean control,
                                                int leaderEpoch) {
        return new MemoryRecordsBuilder(ByteBuffer.allocate(4096), (byte) 2, Compression.of(codec).build(), type, baseOffset,
            type == TimestampType.LOG_APPEND_TIME ? TIME + 5000 : -1, producerId, epoch, sequence, transactional, control,
            leaderEpoch, 1 << 20);
    }

    private static MemoryRecordsBuilder plain(CompressionType codec, TimestampType type, long baseOffset) {
        return builder(codec, type, baseOffset, -1, (short) -1, -1, false, false, -1);
    }

    private static void print(String name, MemoryRecordsBuilder builder) {
        print(name, builder.build());
    }

    private static void print(String name, MemoryRecords records) {
        MutableRecordBatch batch = records.batches().iterator().next();
        batch.ensureValid();
        ByteBuffer b = records.buffer();
        System.out.println("batch " + name + " " + hex(b));
        System.out.println("header " + batch.baseOffset() + " " + (batch.sizeInBytes() - 12) + " " + batch.partitionLeaderEpoch()
            + " " + batch.checksum() + " " + b.getShort(21) + " " + (batch.lastOffset() - batch.baseOffset()) + " "
            + b.getLong(27) + " " + batch.maxTimestamp() + " " + batch.producerId() + " " + batch.producerEpoch() + " "
            + batch.baseSequence() + " " + batch.lastSequence() + " " + batch.countOrNull());
        if (batch.isCompressed()) {
            return;
        }
        for (Record r : batch) {
            StringBuilder line = new StringBuilder("record " + r.offset() + " " + r.timestamp() + " " + hex(r.key()) + " " + hex(r.value()));
            for (Header h : r.headers()) {
                line.append(" ").append(hex(ByteBuffer.wrap(bytes(h.key())))).append("=")
                    .append(hex(h.value() == null ? null : ByteBuffer.wrap(h.value())));
            }
            System.out.println(line);
        }
    }

    public static void main(String[] args) {
        MemoryRecordsBuilder b = plain(CompressionType.NONE, TimestampType.CREATE_TIME, 0);
        b.append(TIME, bytes("Alice"), bytes("Made a payment of $200 to Bob"),
            new Header[] {new RecordHeader("source", bytes("web")), new RecordHeader("", null), new RecordHeader("größe", bytes(""))});
        print("one", b);

        b = plain(CompressionType.NONE, TimestampType.CREATE_TIME, 1L << 40);
        b.append(TIME, null, bytes("no key"));
        b.append(TIME - 70_000, bytes("key"), null);
        b.append(TIME + 3, bytes(""), bytes(""));
        for (int i = 0; i < 70; i++) {
            byte[] value = new byte[RANDOM.nextInt(40)];
            RANDOM.nextBytes(value);
            b.append(TIME + i, bytes("k" + i), value);
        }
        print("many", b);

        b = plain(CompressionType.NONE, TimestampType.LOG_APPEND_TIME, 7);
        b.append(TIME, bytes("k"), bytes("stamped by the broker"));
        b.append(TIME + 1, bytes("k"), bytes("both"));
        print("log_append_time", b);

        b = builder(CompressionType.NONE, TimestampType.CREATE_TIME, 100, 4711, (short) 3, 12, true, false, 9);
        b.append(TIME, bytes("t"), bytes("transactional"));
        b.append(TIME, bytes("t"), bytes("second"));
        print("transactional", b);

        b = builder(CompressionType.NONE, TimestampType.CREATE_TIME, 100, 1, (short) 0, Integer.MAX_VALUE - 1, false, false, 0);
        for (int i = 0; i < 4; i++) {
            b.append(TIME, bytes("s"), bytes("sequence wraps"));
        }
        print("sequence_wraps", b);

        print("commit_marker", MemoryRecords.withEndTransactionMarker(55, TIME, 2, 4711L, (short) 3,
            new EndTransactionMarker(ControlRecordType.COMMIT, 8)));

        b = plain(CompressionType.NONE, TimestampType.CREATE_TIME, 50);
        b.appendWithOffset(50, TIME, bytes("a"), bytes("kept"));
        b.appendWithOffset(53, TIME, bytes("b"), bytes("after a gap"));
        b.appendWithOffset(59, TIME, bytes("c"), bytes("after another"));
        print("compacted", b);

        for (CompressionType codec : new CompressionType[] {CompressionType.GZIP, CompressionType.SNAPPY, CompressionType.LZ4,
                                                            CompressionType.ZSTD}) {
            b = plain(codec, TimestampType.CREATE_TIME, 3);
            for (int i = 0; i < 10; i++) {
                b.append(TIME + i, bytes("key"), bytes("the same value again and again"));
            }
            print(codec.name, b);
        }

        // What the broker does to a batch that producers stamped.
        b = plain(CompressionType.NONE, TimestampType.CREATE_TIME, 0);
        b.append(TIME, bytes("k"), bytes("v"));
        b.append(TIME + 9, bytes("k"), bytes("w"));
        MemoryRecords records = b.build();
        print("before_append", records);
        MutableRecordBatch batch = records.batches().iterator().next();
        batch.setLastOffset(1001);
        batch.setPartitionLeaderEpoch(17);
        batch.setMaxTimestamp(TimestampType.LOG_APPEND_TIME, TIME + 12345);
        print("after_append", records);
    }
}
