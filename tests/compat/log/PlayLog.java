// PlayLog SCRIPT DIR: plays a script of tell_log on Apache Kafka's own log (4.3), as play_log does on ours, and prints the same lines.
// The clock stands where the script puts it.
import java.io.File;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Delayed;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.record.internal.FileRecords;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.common.utils.Time;
import org.apache.kafka.server.common.RequestLocal;
import org.apache.kafka.server.util.Scheduler;
import org.apache.kafka.storage.internals.log.AppendOrigin;
import org.apache.kafka.storage.internals.log.Cleaner;
import org.apache.kafka.storage.internals.log.CleanerStats;
import org.apache.kafka.storage.internals.log.LogAppendInfo;
import org.apache.kafka.storage.internals.log.LogConfig;
import org.apache.kafka.storage.internals.log.LogDirFailureChannel;
import org.apache.kafka.storage.internals.log.LogToClean;
import org.apache.kafka.storage.internals.log.ProducerStateManagerConfig;
import org.apache.kafka.storage.internals.log.SkimpyOffsetMap;
import org.apache.kafka.storage.internals.log.UnifiedLog;
import org.apache.kafka.storage.internals.log.VerificationGuard;
import org.apache.kafka.storage.internals.utils.Throttler;
import org.apache.kafka.storage.log.metrics.BrokerTopicStats;

public class PlayLog {
    private static final int DAY = 24 * 3600 * 1000;

    /** Stands still until it is told. */
    private static class Clock implements Time {
        long millis = 1_700_000_000_000L;

        public long milliseconds() {
            return millis;
        }

        public long nanoseconds() {
            return millis * 1_000_000;
        }

        public void sleep(long ms) {
            millis += ms;
        }

        public void waitObject(Object object, Supplier<Boolean> condition, long deadline) {
            throw new UnsupportedOperationException();
        }
    }

    /** Nobody waits for it. */
    private static class FutureTask extends java.util.concurrent.FutureTask<Object> implements ScheduledFuture<Object> {
        FutureTask(Runnable task) {
            super(task, null);
        }

        public long getDelay(TimeUnit unit) {
            return 0;
        }

        public int compareTo(Delayed other) {
            return 0;
        }
    }

    /** Tasks wait until they are run between two commands, delays do not count. */
    private static class Later implements Scheduler {
        final ArrayDeque<Runnable> tasks = new ArrayDeque<>();

        public void startup() {
        }

        public void shutdown() {
        }

        public void resizeThreadPool(int size) {
        }

        public ScheduledFuture<?> schedule(String name, Runnable task, long delay, long period) {
            if (period < 0) {
                tasks.add(task);
            }
            return new FutureTask(task);
        }

        void runAll() {
            while (!tasks.isEmpty()) {
                tasks.remove().run();
            }
        }
    }

    private final Clock clock = new Clock();
    private final Later later = new Later();
    private final Path folder;
    private UnifiedLog log;
    private long firstDirty = 0;

    PlayLog(Path folder) {
        this.folder = folder;
    }

    private void open(String name, int segmentBytes) throws Exception {
        Map<String, String> config = new HashMap<>();
        config.put("cleanup.policy", "compact");
        config.put("internal.segment.bytes", Integer.toString(segmentBytes));
        config.put("segment.index.bytes", Integer.toString(10 << 20));
        config.put("delete.retention.ms", "4000");
        File partition = folder.resolve(name).toFile();
        Files.createDirectories(partition.toPath());
        log = UnifiedLog.create(partition, new LogConfig(config), 0, 0, later, new BrokerTopicStats(), clock, DAY,
            new ProducerStateManagerConfig(DAY, false), DAY, new LogDirFailureChannel(1), false, Optional.empty());
        log.updateHighWatermark(log.logEndOffset());
        System.out.println("open " + log.logStartOffset() + " " + log.logEndOffset());
    }

    private void append(String origin, int epoch, byte[] batch) throws Exception {
        long end = log.logEndOffset();
        try {
            LogAppendInfo at = log.appendAsLeader(MemoryRecords.readableRecords(ByteBuffer.wrap(batch)), epoch,
                origin.equals("client") ? AppendOrigin.CLIENT : AppendOrigin.COORDINATOR, RequestLocal.noCaching(),
                VerificationGuard.SENTINEL, (short) 0);
            System.out.println("append " + at.firstOffset() + " " + at.lastOffset() + (log.logEndOffset() == end ? " again" : ""));
            log.updateHighWatermark(log.logEndOffset());
        } catch (Exception refused) {
            Errors name = Errors.forException(refused);
            System.out.println("append " + (name == Errors.UNKNOWN_SERVER_ERROR ? refused : name));
        }
    }

    private void clean() throws Exception {
        long limit = Math.min(log.lastStableOffset(), log.activeSegment().baseOffset());
        LogToClean range = new LogToClean(log, firstDirty, limit, false);
        if (range.cleanableBytes() == 0) {
            System.out.println("clean false " + (firstDirty == 0 ? -1 : firstDirty));
            return;
        }
        Cleaner cleaner = new Cleaner(0, new SkimpyOffsetMap(1 << 20), 1 << 20, 1 << 20, 0.9,
            new Throttler(Double.MAX_VALUE, 300, "cleaner", "bytes", clock), clock, partition -> { });
        Map.Entry<Long, CleanerStats> done = cleaner.clean(range);
        firstDirty = done.getKey();
        System.out.println("clean true " + firstDirty);
    }

    private void findTime(long time) throws Exception {
        Optional<FileRecords.TimestampAndOffset> at = log.fetchOffsetByTimestamp(time, Optional.empty()).timestampAndOffsetOpt();
        System.out.println(at.map(a -> "time " + a.offset + " " + a.timestamp).orElse("time none"));
    }

    private void carryOut(String[] words) throws Exception {
        switch (words[0]) {
            case "log" -> open(words[1], Integer.parseInt(words[2]));
            case "at" -> clock.millis = Math.max(clock.millis, Long.parseLong(words[1]));
            case "append" -> append(words[1], Integer.parseInt(words[2]), HexFormat.of().parseHex(words[3]));
            case "clean" -> clean();
            case "time" -> findTime(Long.parseLong(words[1]));
            case "latest" -> findTime(-3);
            case "close" -> log.close();
            default -> throw new IllegalArgumentException(words[0]);
        }
        later.runAll();
    }

    public static void main(String[] args) throws Exception {
        PlayLog player = new PlayLog(Path.of(args[1]));
        for (String line : Files.readAllLines(Path.of(args[0]))) {
            player.carryOut(line.split(" "));
        }
    }
}
