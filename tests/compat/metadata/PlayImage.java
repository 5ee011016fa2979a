// Plays a script of play_image on Apache Kafka's own image of the metadata: after each step the records of its snapshot, then "apply".
import java.io.BufferedReader;
import java.io.FileReader;
import java.nio.ByteBuffer;
import java.util.HexFormat;
import org.apache.kafka.common.protocol.ByteBufferAccessor;
import org.apache.kafka.common.protocol.ObjectSerializationCache;
import org.apache.kafka.image.MetadataDelta;
import org.apache.kafka.image.MetadataImage;
import org.apache.kafka.image.MetadataProvenance;
import org.apache.kafka.image.writer.ImageWriterOptions;
import org.apache.kafka.image.writer.RecordListWriter;
import org.apache.kafka.metadata.MetadataRecordSerde;
import org.apache.kafka.server.common.ApiMessageAndVersion;

public class PlayImage {
    private static final HexFormat HEX = HexFormat.of();
    private static MetadataImage image = MetadataImage.EMPTY;

    public static void main(String[] arguments) throws Exception {
        MetadataDelta delta = fresh();
        try (BufferedReader in = new BufferedReader(new FileReader(arguments[0]))) {
            for (String line = in.readLine(); line != null; line = in.readLine()) {
                if (line.equals("apply")) {
                    image = delta.apply(MetadataProvenance.EMPTY);
                    print();
                    delta = fresh();
                    continue;
                }
                byte[] bytes = HEX.parseHex(line);
                ApiMessageAndVersion record =
                    MetadataRecordSerde.INSTANCE.read(new ByteBufferAccessor(ByteBuffer.wrap(bytes)), bytes.length);
                try {
                    delta.replay(record.message());
                } catch (RuntimeException refused) {
                    throw new RuntimeException(line + ": " + record, refused);
                }
            }
        }
    }

    private static MetadataDelta fresh() {
        return new MetadataDelta.Builder().setImage(image).build();
    }

    private static void print() {
        RecordListWriter writer = new RecordListWriter();
        image.write(writer, new ImageWriterOptions.Builder(image).build());
        for (ApiMessageAndVersion record : writer.records()) {
            ObjectSerializationCache cache = new ObjectSerializationCache();
            ByteBuffer buffer = ByteBuffer.allocate(MetadataRecordSerde.INSTANCE.recordSize(record, cache));
            MetadataRecordSerde.INSTANCE.write(record, cache, new ByteBufferAccessor(buffer));
            System.out.println(HEX.formatHex(buffer.array()));
        }
        System.out.println("apply");
    }
}
