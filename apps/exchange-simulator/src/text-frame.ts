/**
 * WebSocket text frames, as a server sends them (RFC 6455 §5.2: FIN and opcode 1, no mask), all of one event in one buffer.
 * Made here rather than by `ws`, so that an event is serialized once for all its subscribers and a burst is one write:
 * 50,000 calls of `WebSocket.send` a second would fill most of a core.
 */
export function textFrames(payloads: readonly string[]): Buffer {
  const lengths = payloads.map(payload => Buffer.byteLength(payload))
  const total = lengths.reduce((sum, length) => sum + headerBytes(length) + length, 0)
  const buffer = Buffer.allocUnsafe(total)
  let at = 0
  for (const [index, payload] of payloads.entries()) {
    const length = lengths[index]!
    at = writeHeader(buffer, at, length)
    at += buffer.write(payload, at, length)
  }
  return buffer
}

function headerBytes(length: number): number {
  if (length < 126) return 2
  return length < 65_536 ? 4 : 10
}

function writeHeader(buffer: Buffer, at: number, length: number): number {
  buffer[at] = 0x81
  if (length < 126) {
    buffer[at + 1] = length
    return at + 2
  }
  if (length < 65_536) {
    buffer[at + 1] = 126
    return buffer.writeUInt16BE(length, at + 2)
  }
  buffer[at + 1] = 127
  return buffer.writeBigUInt64BE(BigInt(length), at + 2)
}
