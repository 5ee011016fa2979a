// What the programs that write golden files have in common.
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;

abstract class Golden {
    static final long TIME = 1_700_000_000_000L;

    /** ~ is null, - is empty. */
    static String hex(ByteBuffer bytes) {
        if (bytes == null) {
            return "~";
        }
        StringBuilder out = new StringBuilder();
        for (ByteBuffer b = bytes.duplicate(); b.hasRemaining(); ) {
            out.append(String.format("%02x", b.get()));
        }
        return out.length() == 0 ? "-" : out.toString();
    }

    static String hex(byte[] bytes) {
        return bytes == null ? "~" : hex(ByteBuffer.wrap(bytes));
    }

    static byte[] bytes(String text) {
        return text == null ? null : text.getBytes(StandardCharsets.UTF_8);
    }
}
