/** The text of one masked client frame of up to 64 KiB at the start of `bytes`, or undefined while it is not all there. */
export function clientTextOf(bytes: Buffer): string | undefined {
  if (bytes.length < 2) return undefined
  const short = bytes[1]! & 0x7f
  const maskAt = short === 126 ? 4 : 2
  if (bytes.length < maskAt) return undefined
  const length = short === 126 ? bytes.readUInt16BE(2) : short
  const start = maskAt + 4
  if (bytes.length < start + length) return undefined
  const payload = Buffer.from(bytes.subarray(start, start + length))
  for (let index = 0; index < length; index++) payload[index]! ^= bytes[maskAt + (index % 4)]!
  return payload.toString()
}
