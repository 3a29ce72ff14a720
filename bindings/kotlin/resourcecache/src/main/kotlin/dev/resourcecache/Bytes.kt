package dev.resourcecache

import java.nio.ByteBuffer

/** A buffer outside the heap, which the native library reads without a copy. It grows, and is kept. */
internal class Bytes {
    private var buffer: ByteBuffer = ByteBuffer.allocateDirect(1024)

    /** These bytes, until the next call of this. */
    fun of(bytes: ByteArray): ByteBuffer {
        if (buffer.capacity() < bytes.size) {
            // A little more, so that a list that grows does not cost a new buffer each time.
            buffer = ByteBuffer.allocateDirect(bytes.size + bytes.size / 4)
        }
        val whole = buffer.duplicate()
        whole.put(bytes)
        whole.flip()
        return whole
    }
}
