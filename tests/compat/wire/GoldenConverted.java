// Prints sets of record batches of format 2, and what the 3.9 line makes of them for old consumers (newer releases no longer can):
//   convert NAME MAGIC FIRST_OFFSET HEX
//   result HEX                            (- if nothing is left)
import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import org.apache.kafka.common.compress.Compression;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.internals.RecordHeader;
import org.apache.kafka.common.record.BaseRecords;
import org.apache.kafka.common.record.CompressionType;
import org.apache.kafka.common.record.ControlRecordType;
import org.apache.kafka.common.record.EndTransactionMarker;
import org.apache.kafka.common.record.MemoryRecords;
import org.apache.kafka.common.record.MemoryRecordsBuilder;
import org.apache.kafka.common.record.TimestampType;
import org.apache.kafka.common.utils.Time;

public class GoldenConverted extends Golden {
    private static byte[] build(int magic, CompressionType codec, TimestampType type, long base, long[] offsets) {
        MemoryRecordsBuilder b = new MemoryRecordsBuilder(ByteBuffer.allocate(4096), (byte) magic, Compression.of(codec).build(), type, base,
            type == TimestampType.LOG_APPEND_TIME ? TIME + 5000 : -1, -1, (short) -1, -1, false, false, -1, 1 << 20);
        for (long offset : offsets) {
            Header[] headers = magic == 2 && offset % 2 == 0 ? new Header[] {new RecordHeader("h", bytes("dropped"))} : new Header[0];
            b.appendWithOffset(offset, magic == 0 ? -1 : TIME + offset % 3, offset % 4 == 1 ? null : bytes("key-" + offset),
                offset % 5 == 2 ? null : bytes("value value value value " + offset), headers);
        }
        return copy(b.build());
    }

    private static byte[] copy(MemoryRecords records) {
        byte[] out = new byte[records.sizeInBytes()];
        records.buffer().duplicate().get(out);
        return out;
    }

    private static byte[] join(byte[]... parts) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        for (byte[] p : parts) {
            out.writeBytes(p);
        }
        return out.toByteArray();
    }

    private static void convert(String name, int magic, long first, byte[] set) {
        System.out.println("convert " + name + " " + magic + " " + first + " " + hex(ByteBuffer.wrap(set)));
        try {
            BaseRecords result = MemoryRecords.readableRecords(ByteBuffer.wrap(set)).downConvert((byte) magic, first, Time.SYSTEM).records();
            System.out.println("result " + hex(((MemoryRecords) result).buffer()));
        } catch (Exception e) {
            System.out.println("refused " + e.getClass().getSimpleName());
        }
    }

    public static void main(String[] args) {
        for (int magic = 0; magic < 2; magic++) {
            for (CompressionType codec : CompressionType.values()) {
                for (TimestampType type : new TimestampType[] {TimestampType.CREATE_TIME, TimestampType.LOG_APPEND_TIME}) {
                    byte[] batch = build(2, codec, type, 100, new long[] {100, 101, 102, 103});
                    byte[] gaps = build(2, codec, type, 104, new long[] {106, 107, 111});
                    String name = codec.name + "-" + type;
                    convert(name, magic, 100, batch);
                    convert(name + "-middle", magic, 102, batch);
                    convert(name + "-gaps", magic, 104, gaps);
                    convert(name + "-both", magic, 101, join(batch, gaps));
                }
                if (codec != CompressionType.ZSTD) {
                    convert(codec.name + "-of-1", magic, 7, build(1, codec, TimestampType.CREATE_TIME, 7, new long[] {7, 8, 10}));
                    convert(codec.name + "-of-0", magic, 7, build(0, codec, TimestampType.NO_TIMESTAMP_TYPE, 7, new long[] {7, 8, 10}));
                }
            }
            byte[] marker = copy(MemoryRecords.withEndTransactionMarker(55, TIME, 2, 4711L, (short) 3, new EndTransactionMarker(ControlRecordType.COMMIT, 8)));
            convert("marker", magic, 55, marker);
            convert("before-marker", magic, 50, join(build(2, CompressionType.NONE, TimestampType.CREATE_TIME, 50, new long[] {50}), marker));
            byte[] whole = build(2, CompressionType.NONE, TimestampType.CREATE_TIME, 50, new long[] {50, 51});
            convert("cut", magic, 50, join(whole, java.util.Arrays.copyOf(whole, 70)));
        }
    }
}
