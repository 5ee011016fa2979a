// Prints what producers send, of every message format and codec and damaged in many ways, with what Kafka's own validator says to it:
//   case NAME CODEC COMPACTED TIMESTAMPS BEFORE AFTER HEX   (codec the topic is configured with; what a partition of a request carries)
//   error NAME_OF_ERROR MESSAGE                              (- if it says nothing; records are listed only with a message)
//   fault INDEX MESSAGE                                      (of one record, in order)
//   stored MAGIC ATTRIBUTES MAX_TIMESTAMP PRODUCER_ID EPOCH SEQUENCE COUNT IN_PLACE
//   record OFFSET TIMESTAMP KEY VALUE HEADER=VALUE...        (hex; ~ is null, - is empty)
// A case ends with error and faults, or with stored and its records.
import java.io.ByteArrayOutputStream;
import java.io.DataOutputStream;
import java.io.InputStream;
import java.io.OutputStream;
import java.lang.reflect.Proxy;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.function.Consumer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.compress.Compression;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.internals.RecordHeader;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.record.TimestampType;
import org.apache.kafka.common.record.internal.CompressionType;
import org.apache.kafka.common.record.internal.LegacyRecord;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.common.record.internal.MemoryRecordsBuilder;
import org.apache.kafka.common.record.internal.MutableRecordBatch;
import org.apache.kafka.common.record.internal.Record;
import org.apache.kafka.common.requests.ProduceResponse;
import org.apache.kafka.common.utils.BufferSupplier;
import org.apache.kafka.common.utils.ByteBufferOutputStream;
import org.apache.kafka.common.utils.ByteUtils;
import org.apache.kafka.common.utils.Crc32C;
import org.apache.kafka.common.utils.PrimitiveRef;
import org.apache.kafka.common.utils.Time;
import org.apache.kafka.storage.internals.log.AppendOrigin;
import org.apache.kafka.storage.internals.log.LogValidator;
import org.apache.kafka.storage.internals.log.RecordValidationException;

public class GoldenVerdicts extends Golden {
    private static final long NOW = 1_700_000_000_000L;
    private static final long FOREVER = Long.MAX_VALUE;
    private static final long HOUR = 3_600_000L;
    private static final Random RANDOM = new Random(7);

    private static byte[] copy(ByteBuffer buffer) {
        byte[] out = new byte[buffer.remaining()];
        buffer.duplicate().get(out);
        return out;
    }

    // ---- What the validator says -------------------------------------------------------------------------------------------

    private record Config(String codec, boolean compacted, TimestampType type, long before, long after) {
        static final Config USUAL = new Config("producer", false, TimestampType.CREATE_TIME, FOREVER, HOUR);

        Config with(String newCodec) {
            return new Config(newCodec, compacted, type, before, after);
        }

        public String toString() {
            return codec + " " + compacted + " " + type + " " + before + " " + after;
        }
    }

    @SuppressWarnings("unchecked")
    private static <T> T constant(Class<T> type, Object value) {
        return (T) Proxy.newProxyInstance(type.getClassLoader(), new Class<?>[] {type}, (p, m, a) -> value);
    }

    // That of the last message that has one, as the log finds it.
    private static CompressionType codecOf(MemoryRecords records) {
        CompressionType found = CompressionType.NONE;
        for (MutableRecordBatch batch : records.batches()) {
            if (batch.compressionType() != CompressionType.NONE) {
                found = batch.compressionType();
            }
        }
        return found;
    }

    private static void verdict(String name, Config config, byte[] in) {
        System.out.println("case " + name + " " + config + " " + hex(in));
        try {
            MemoryRecords records = MemoryRecords.readableRecords(ByteBuffer.wrap(in.clone()));
            for (MutableRecordBatch batch : records.batches()) {
                batch.ensureValid();
            }
            CompressionType source = codecOf(records);
            Compression target = config.codec.equals("producer") ? Compression.of(source).build() : Compression.of(config.codec).build();
            LogValidator validator = new LogValidator(records, new TopicPartition("t", 0), constant(Time.class, NOW), source, target,
                config.compacted, (byte) 2, config.type, config.before, config.after, 0, AppendOrigin.CLIENT);
            LogValidator.ValidationResult result = validator.validateMessagesAndAssignOffsets(PrimitiveRef.ofLong(0),
                constant(LogValidator.MetricsRecorder.class, null), BufferSupplier.NO_CACHING);
            print(result);
        } catch (RecordValidationException e) {
            System.out.println("error " + Errors.forException(e.invalidException()) + " " + e.invalidException().getMessage());
            for (ProduceResponse.RecordError one : e.recordErrors()) {
                System.out.println("fault " + one.batchIndex + " " + one.message);
            }
        } catch (Throwable e) {
            System.out.println("error " + Errors.forException(e) + " -");
        }
    }

    private static void print(LogValidator.ValidationResult result) {
        for (MutableRecordBatch batch : result.validatedRecords().batches()) {
            batch.ensureValid();
            byte[] all = copy(result.validatedRecords().buffer());
            System.out.println("stored " + batch.magic() + " " + ByteBuffer.wrap(all).getShort(21) + " " + batch.maxTimestamp() + " "
                + batch.producerId() + " " + batch.producerEpoch() + " " + batch.baseSequence() + " " + batch.countOrNull() + " "
                + !result.messageSizeMaybeChanged());
            for (Record r : batch) {
                StringBuilder line = new StringBuilder("record " + r.offset() + " " + r.timestamp() + " " + hex(r.key()) + " " + hex(r.value()));
                for (Header h : r.headers()) {
                    line.append(" ").append(hex(bytes(h.key()))).append("=").append(hex(h.value()));
                }
                System.out.println(line);
            }
        }
    }

    // ---- What producers send -----------------------------------------------------------------------------------------------

    private record Item(long timestamp, String key, String value, Header... headers) { }

    private static final List<Item> ITEMS = List.of(
        new Item(NOW - 5, "a", "first value"),
        new Item(NOW + 7, "b", "second value, and a longer one, longer, longer, longer", new RecordHeader("h", bytes("x"))),
        new Item(NOW, "c", null),
        new Item(NOW + 1, "", ""));

    private static byte[] build(int magic, CompressionType codec, TimestampType type, List<Item> items, long producerId, int epoch,
                                int sequence, boolean transactional) {
        MemoryRecordsBuilder b = new MemoryRecordsBuilder(ByteBuffer.allocate(4096), (byte) magic, Compression.of(codec).build(), type, 0,
            type == TimestampType.LOG_APPEND_TIME ? NOW : -1, producerId, (short) epoch, sequence, transactional, false, -1, 1 << 20);
        for (Item i : items) {
            b.append(magic == 0 ? -1 : i.timestamp, bytes(i.key), bytes(i.value), magic == 2 ? i.headers : new Header[0]);
        }
        return copy(b.build().buffer());
    }

    private static byte[] build(int magic, CompressionType codec, List<Item> items) {
        return build(magic, codec, magic == 0 ? TimestampType.NO_TIMESTAMP_TYPE : TimestampType.CREATE_TIME, items, -1, -1, -1, false);
    }

    private static byte[] join(byte[]... parts) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        for (byte[] p : parts) {
            out.writeBytes(p);
        }
        return out.toByteArray();
    }

    private static byte[] compress(CompressionType codec, int magic, byte[] plain) throws Exception {
        ByteBufferOutputStream out = new ByteBufferOutputStream(plain.length + 512);
        try (OutputStream stream = Compression.of(codec).build().wrapForOutput(out, (byte) magic)) {
            stream.write(plain);
        }
        out.buffer().flip();
        return copy(out.buffer());
    }

    // Length and checksum of one batch of format 2, put in order.
    private static byte[] seal(byte[] batch) {
        ByteBuffer b = ByteBuffer.wrap(batch);
        b.putInt(8, batch.length - 12);
        b.putInt(17, (int) Crc32C.compute(batch, 21, batch.length - 21));
        return batch;
    }

    private static byte[] changed(byte[] batch, Consumer<ByteBuffer> change) {
        byte[] out = batch.clone();
        change.accept(ByteBuffer.wrap(out));
        return seal(out);
    }

    // The records of `plain`, an uncompressed batch of format 2, changed and then packed.
    private static byte[] packed(CompressionType codec, byte[] plain, byte[] records) throws Exception {
        byte[] block = codec == CompressionType.NONE ? records : compress(codec, 2, records);
        byte[] out = join(Arrays.copyOf(plain, 61), block);
        ByteBuffer.wrap(out).putShort(21, (short) (ByteBuffer.wrap(plain).getShort(21) & ~7 | codec.id));
        return seal(out);
    }

    // One message of format 0 or 1 with its offset, as the plain classes write it.
    private static byte[] message(int magic, long offset, long timestamp, byte[] key, byte[] value, CompressionType codec, TimestampType type) throws Exception {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        DataOutputStream data = new DataOutputStream(out);
        data.writeLong(offset);
        data.writeInt(LegacyRecord.recordSize((byte) magic, key == null ? 0 : key.length, value == null ? 0 : value.length));
        LegacyRecord.write(data, (byte) magic, timestamp, key, value, codec, type);
        return out.toByteArray();
    }

    private static byte[] message(int magic, long offset, String key, String value) throws Exception {
        return message(magic, offset, magic == 0 ? -1 : NOW + offset, bytes(key), bytes(value), CompressionType.NONE, magic == 0 ? TimestampType.NO_TIMESTAMP_TYPE : TimestampType.CREATE_TIME);
    }

    private static byte[] wrapper(int magic, long offset, CompressionType codec, byte[] block) throws Exception {
        return message(magic, offset, magic == 0 ? -1 : NOW, null, block, codec, magic == 0 ? TimestampType.NO_TIMESTAMP_TYPE : TimestampType.CREATE_TIME);
    }

    // ---- Cases -------------------------------------------------------------------------------------------------------------

    private static final CompressionType[] CODECS = CompressionType.values();

    private static boolean possible(int magic, CompressionType codec) {
        return magic == 2 || codec != CompressionType.ZSTD;
    }

    private static void whole() {
        List<Config> configs = List.of(Config.USUAL,
            new Config("producer", true, TimestampType.CREATE_TIME, FOREVER, HOUR),
            new Config("producer", false, TimestampType.LOG_APPEND_TIME, FOREVER, HOUR),
            new Config("producer", false, TimestampType.CREATE_TIME, FOREVER, 3),
            new Config("producer", false, TimestampType.CREATE_TIME, 3, HOUR),
            new Config("producer", false, TimestampType.LOG_APPEND_TIME, 3, 3));
        List<Item> noKey = List.of(ITEMS.get(0), new Item(NOW, null, "no key"), new Item(NOW + 50, null, "no key either"));
        for (int magic = 0; magic <= 2; magic++) {
            for (CompressionType codec : CODECS) {
                if (!possible(magic, codec)) {
                    continue;
                }
                String name = "v" + magic + "-" + codec.name;
                for (Config config : configs) {
                    verdict(name + "-whole", config, build(magic, codec, ITEMS));
                    verdict(name + "-no-key", config, build(magic, codec, noKey));
                    verdict(name + "-one", config, build(magic, codec, ITEMS.subList(1, 2)));
                }
                if (magic > 0) {
                    verdict(name + "-stamped", Config.USUAL, build(magic, codec, TimestampType.LOG_APPEND_TIME, ITEMS, -1, -1, -1, false));
                    verdict(name + "-no-time", Config.USUAL, build(magic, codec, List.of(new Item(-1, "k", "v"), new Item(-1, "l", "w"))));
                }
                for (CompressionType target : CODECS) {
                    verdict(name + "-whole", Config.USUAL.with(target == CompressionType.NONE ? "none" : target.name), build(magic, codec, ITEMS));
                }
            }
        }
    }

    private static void headers() {
        byte[] plain = build(2, CompressionType.NONE, ITEMS);
        for (CompressionType codec : new CompressionType[] {CompressionType.NONE, CompressionType.LZ4}) {
            byte[] b = build(2, codec, ITEMS);
            String name = "v2-" + codec.name + "-";
            for (int delta : new int[] {-1, 0, 2, 4, Integer.MAX_VALUE, Integer.MIN_VALUE}) {
                verdict(name + "last-delta", Config.USUAL, changed(b, x -> x.putInt(23, delta)));
            }
            for (int count : new int[] {-1, 0, 1, 3, 5, Integer.MAX_VALUE}) {
                verdict(name + "count", Config.USUAL, changed(b, x -> x.putInt(57, count)));
                verdict(name + "count-and-delta", Config.USUAL, changed(b, x -> x.putInt(57, count).putInt(23, count - 1)));
            }
            verdict(name + "control", Config.USUAL, changed(b, x -> x.putShort(21, (short) (x.getShort(21) | 32))));
            for (int codecBits = 5; codecBits < 8; codecBits++) {
                int bits = codecBits;
                verdict(name + "codec", Config.USUAL, changed(b, x -> x.putShort(21, (short) bits)));
            }
            verdict(name + "wrong-codec", Config.USUAL, changed(b, x -> x.putShort(21, (short) 1)));
            for (int sequence : new int[] {-1, 0, Integer.MAX_VALUE}) {
                for (int flags : new int[] {0, 16}) {
                    verdict(name + "producer", Config.USUAL, changed(b, x -> x.putLong(43, 9).putShort(51, (short) 1).putInt(53, sequence).putShort(21, (short) (x.getShort(21) | flags))));
                }
            }
            verdict(name + "transactional", Config.USUAL, build(2, codec, TimestampType.CREATE_TIME, ITEMS, 77, 2, 5, true));
            verdict(name + "transactional", Config.USUAL.with("gzip"), build(2, codec, TimestampType.CREATE_TIME, ITEMS, 77, 2, 5, true));
            verdict(name + "max-timestamp", Config.USUAL, changed(b, x -> x.putLong(35, NOW + 999)));
            verdict(name + "max-timestamp", Config.USUAL, changed(b, x -> x.putLong(35, NOW + 2 * HOUR)));
            verdict(name + "base-timestamp", Config.USUAL, changed(b, x -> x.putLong(27, NOW + 2 * HOUR)));
            verdict(name + "delete-horizon", Config.USUAL, changed(b, x -> x.putShort(21, (short) (x.getShort(21) | 64))));
            verdict(name + "unused-bits", Config.USUAL, changed(b, x -> x.putShort(21, (short) (x.getShort(21) | 0x7f80))));
            verdict(name + "no-records", Config.USUAL, seal(Arrays.copyOf(plain, 61)));
        }
    }

    // Each byte of the records is changed somehow, and the records are cut, padded, out of order.
    private static void records() throws Exception {
        byte[] plain = build(2, CompressionType.NONE, ITEMS);
        byte[] records = Arrays.copyOfRange(plain, 61, plain.length);
        for (CompressionType codec : CODECS) {
            String name = "v2-" + codec.name + "-";
            int rounds = codec == CompressionType.NONE || codec == CompressionType.LZ4 ? 120 : 12;
            for (int i = 0; i < rounds; i++) {
                byte[] damaged = records.clone();
                damaged[RANDOM.nextInt(damaged.length)] ^= (byte) (1 << RANDOM.nextInt(8));
                verdict(name + "flip", Config.USUAL, packed(codec, plain, damaged));
            }
            for (int n = 0; n < records.length; n += codec == CompressionType.NONE || codec == CompressionType.LZ4 ? 5 : 40) {
                verdict(name + "cut", Config.USUAL, packed(codec, plain, Arrays.copyOf(records, n)));
            }
            verdict(name + "padded", Config.USUAL, packed(codec, plain, join(records, new byte[] {0})));
            verdict(name + "padded", Config.USUAL, packed(codec, plain, join(records, records)));
            for (int[] deltas : new int[][] {{1, 2, 3, 4}, {0, 1, 2, 9}, {3, 2, 1, 0}, {0, 0, 0, 0}, {-1, 0, 1, 2}}) {
                byte[] moved = records.clone();
                ByteBuffer b = ByteBuffer.wrap(moved);
                for (int delta : deltas) {
                    int length = ByteUtils.readVarint(b);
                    int end = b.position() + length;
                    b.get();
                    ByteUtils.readVarlong(b);
                    b.put((byte) (delta << 1 ^ delta >> 31));
                    b.position(end);
                }
                verdict(name + "deltas", Config.USUAL, packed(codec, plain, moved));
            }
        }
    }

    private static void blocks() throws Exception {
        byte[] plain = build(2, CompressionType.NONE, ITEMS);
        byte[] records = Arrays.copyOfRange(plain, 61, plain.length);
        for (CompressionType codec : CODECS) {
            if (codec == CompressionType.NONE) {
                continue;
            }
            byte[] good = packed(codec, plain, records);
            String name = "v2-" + codec.name + "-block-";
            for (int n = 61; n < good.length; n += 3) {
                verdict(name + "cut", Config.USUAL, seal(Arrays.copyOf(good, n)));
            }
            verdict(name + "padded", Config.USUAL, seal(join(good, new byte[] {1, 2, 3, 4, 5, 6, 7, 8, 9})));
            verdict(name + "padded", Config.USUAL, seal(join(good, new byte[] {0})));
            byte[] second = compress(codec, 2, records);
            verdict(name + "twice", Config.USUAL, seal(join(good, second)));
            byte[] half = compress(codec, 2, Arrays.copyOf(records, 30));
            byte[] rest = compress(codec, 2, Arrays.copyOfRange(records, 30, records.length));
            byte[] parts = join(Arrays.copyOf(good, 61), half, rest);
            verdict(name + "parts", Config.USUAL, seal(parts));
            byte[] empty = compress(codec, 2, new byte[0]);
            verdict(name + "empty", Config.USUAL, seal(join(Arrays.copyOf(good, 61), empty)));
            for (int i = 0; i < 60; i++) {
                byte[] damaged = good.clone();
                damaged[61 + RANDOM.nextInt(good.length - 61)] ^= (byte) (1 << RANDOM.nextInt(8));
                verdict(name + "flip", Config.USUAL, seal(damaged));
            }
        }
    }

    // Formats 0 and 1: what wraps what, and what is wrong with it.
    private static void legacy() throws Exception {
        for (int magic = 0; magic < 2; magic++) {
            byte[] one = message(magic, 0, "k", "v");
            byte[] two = message(magic, 1, "l", "w");
            byte[] three = message(magic, 2, "m", null);
            String name = "v" + magic + "-";
            verdict(name + "several", Config.USUAL, join(one, two, three));
            verdict(name + "offsets", Config.USUAL, join(message(magic, 5, "k", "v"), message(magic, 3, "l", "w")));
            verdict(name + "cut", Config.USUAL, Arrays.copyOf(join(one, two), one.length + 20));
            byte[] badCrc = one.clone();
            badCrc[badCrc.length - 1] ^= 1;
            byte[] other = message(1 - magic, 0, "k", "v");
            verdict(name + "mixed", Config.USUAL, join(one, other));
            for (CompressionType codec : new CompressionType[] {CompressionType.GZIP, CompressionType.SNAPPY, CompressionType.LZ4}) {
                String wrapped = name + codec.name + "-";
                byte[] inner = join(one, two, three);
                byte[] block = compress(codec, magic, inner);
                verdict(wrapped + "good", Config.USUAL, wrapper(magic, 2, codec, block));
                verdict(wrapped + "outer-0", Config.USUAL, wrapper(magic, 0, codec, block));
                verdict(wrapped + "outer-9", Config.USUAL, wrapper(magic, 9, codec, block));
                verdict(wrapped + "inner-crc", Config.USUAL, wrapper(magic, 1, codec, compress(codec, magic, join(badCrc, two))));
                verdict(wrapped + "inner-cut", Config.USUAL, wrapper(magic, 1, codec, compress(codec, magic, Arrays.copyOf(inner, inner.length - 3))));
                verdict(wrapped + "inner-cut", Config.USUAL, wrapper(magic, 1, codec, compress(codec, magic, Arrays.copyOf(inner, one.length + 7))));
                verdict(wrapped + "inner-cut", Config.USUAL, wrapper(magic, 1, codec, compress(codec, magic, Arrays.copyOf(inner, 20))));
                verdict(wrapped + "inner-length", Config.USUAL, wrapper(magic, 1, codec, compress(codec, magic, join(one, new byte[] {0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 3, 1, 2, 3}))));
                verdict(wrapped + "inner-magic", Config.USUAL, wrapper(magic, 1, codec, compress(codec, magic, join(one, other))));
                verdict(wrapped + "inner-offsets", Config.USUAL, wrapper(magic, 7, codec, compress(codec, magic, join(message(magic, 4, "k", "v"), message(magic, 6, "l", "w")))));
                verdict(wrapped + "nested-twice", Config.USUAL, wrapper(magic, 2, codec, compress(codec, magic, wrapper(magic, 2, codec, block))));
                verdict(wrapped + "no-value", Config.USUAL, wrapper(magic, 2, codec, null));
                verdict(wrapped + "nothing", Config.USUAL, wrapper(magic, 2, codec, compress(codec, magic, new byte[0])));
                verdict(wrapped + "two-wrappers", Config.USUAL, join(wrapper(magic, 2, codec, block), wrapper(magic, 5, codec, block)));
                verdict(wrapped + "plain-behind", Config.USUAL, join(wrapper(magic, 2, codec, block), one));
                verdict(wrapped + "plain-before", Config.USUAL, join(one, wrapper(magic, 2, codec, block)));
                verdict(wrapped + "block-cut", Config.USUAL, wrapper(magic, 2, codec, Arrays.copyOf(block, block.length - 2)));
                verdict(wrapped + "block-cut", Config.USUAL, wrapper(magic, 2, codec, Arrays.copyOf(block, block.length / 2)));
                verdict(wrapped + "other-lz4-sum", Config.USUAL, wrapper(magic, 2, codec, compress(codec, 1 - magic, inner)));
                verdict(wrapped + "inner-v2", Config.USUAL, wrapper(magic, 2, codec, compress(codec, magic, build(2, CompressionType.NONE, ITEMS))));
                if (magic == 1) {
                    TimestampType stamped = TimestampType.LOG_APPEND_TIME;
                    verdict(wrapped + "wrapper-stamped", Config.USUAL, message(1, 2, NOW + 99, null, block, codec, stamped));
                    verdict(wrapped + "wrapper-future", Config.USUAL, message(1, 2, NOW + 2 * HOUR, null, block, codec, TimestampType.CREATE_TIME));
                    verdict(wrapped + "wrapper-key", Config.USUAL, message(1, 2, NOW, bytes("key"), block, codec, TimestampType.CREATE_TIME));
                }
            }
            for (int i = 0; i < 60; i++) {
                byte[] damaged = join(one, two);
                int at = RANDOM.nextInt(4) == 0 ? RANDOM.nextInt(one.length) : 16 + RANDOM.nextInt(one.length - 16);
                damaged[at] ^= (byte) (1 << RANDOM.nextInt(8));
                if (at >= 16 && damaged[16] < 2) {
                    java.util.zip.CRC32 crc = new java.util.zip.CRC32();
                    crc.update(damaged, 16, one.length - 16);
                    ByteBuffer.wrap(damaged).putInt(12, (int) crc.getValue());
                }
                verdict(name + "flip", Config.USUAL, damaged);
            }
        }
    }

    public static void main(String[] args) throws Exception {
        whole();
        headers();
        records();
        blocks();
        legacy();
    }
}
