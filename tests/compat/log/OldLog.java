// OldLog FILE: writes a segment as brokers before Kafka 0.11 did, by the record classes of the 3.9 line: message formats 0 and 1, with and
// without compression. Prints the next offset, and then "record OFFSET TIMESTAMP KEY VALUE" of each as those classes read it back.
import java.io.File;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Random;
import org.apache.kafka.common.compress.Compression;
import org.apache.kafka.common.record.CompressionType;
import org.apache.kafka.common.record.FileRecords;
import org.apache.kafka.common.record.MemoryRecords;
import org.apache.kafka.common.record.MemoryRecordsBuilder;
import org.apache.kafka.common.record.Record;
import org.apache.kafka.common.record.RecordBatch;
import org.apache.kafka.common.record.TimestampType;

public class OldLog {
    private static final long TIME = 1_700_000_000_000L;
    private static final int SETS = 120;
    private static final Random RANDOM = new Random(7);

    private static ByteBuffer set(byte magic, CompressionType codec, long offset, int count, long time) {
        TimestampType type = magic == 0 ? TimestampType.NO_TIMESTAMP_TYPE
            : RANDOM.nextInt(5) == 0 ? TimestampType.LOG_APPEND_TIME : TimestampType.CREATE_TIME;
        MemoryRecordsBuilder builder = MemoryRecords.builder(ByteBuffer.allocate(1 << 16), magic, Compression.of(codec).build(), type, offset,
            type == TimestampType.LOG_APPEND_TIME ? time : RecordBatch.NO_TIMESTAMP);
        for (int i = 0; i < count; i++) {
            String value = (offset + i) + "." + "abcdefghij".repeat(RANDOM.nextInt(12));
            builder.append(magic == 0 ? RecordBatch.NO_TIMESTAMP : time - RANDOM.nextInt(40), ("key-" + RANDOM.nextInt(60)).getBytes(StandardCharsets.UTF_8),
                value.getBytes(StandardCharsets.UTF_8));
        }
        return builder.build().buffer();
    }

    private static String text(ByteBuffer bytes) {
        return StandardCharsets.UTF_8.decode(bytes).toString();
    }

    public static void main(String[] args) throws Exception {
        CompressionType[] codecs = {CompressionType.NONE, CompressionType.GZIP, CompressionType.SNAPPY, CompressionType.LZ4};
        long offset = 0;
        try (FileChannel out = FileChannel.open(Path.of(args[0]), StandardOpenOption.CREATE, StandardOpenOption.WRITE)) {
            for (int i = 0; i < SETS; i++) {
                int count = 1 + RANDOM.nextInt(12);
                byte magic = (byte) (i < SETS / 3 ? 0 : 1);
                out.write(set(magic, codecs[RANDOM.nextInt(codecs.length)], offset, count, TIME + i * 20));
                offset += count;
            }
        }
        System.out.println("end " + offset);
        try (FileRecords records = FileRecords.open(new File(args[0]))) {
            for (Record r : records.records()) {
                System.out.println("record " + r.offset() + " " + r.timestamp() + " " + text(r.key()) + " " + text(r.value()));
            }
        }
    }
}
