/**
 * An async generator whose `return` ends it at once. That of a plain one waits for the `next` that is under way, which in a quiet market
 * may be long.
 * @param parents each of these signals ends the stream too
 * @param open is given a signal that aborts when the stream ends, however it does
 */
export function ownedStream<Value>(
  parents: readonly (AbortSignal | undefined)[],
  open: (signal: AbortSignal) => AsyncGenerator<Value, void, undefined>,
): AsyncGenerator<Value, void, undefined> {
  const stop = new AbortController()
  const abort = () => stop.abort()
  // Not AbortSignal.any: a signal of a whole process would keep a reference for every stream there ever was.
  for (const parent of parents) {
    if (parent?.aborted === true) abort()
    parent?.addEventListener('abort', abort, { once: true })
  }
  const values = open(stop.signal)
  const end = () => {
    for (const parent of parents) parent?.removeEventListener('abort', abort)
    stop.abort()
  }
  const stream: AsyncGenerator<Value, void, undefined> = {
    async next() {
      try {
        const result = await values.next()
        if (result.done === true) end()
        return result
      } catch (error) {
        end()
        throw error
      }
    },
    async return() {
      end()
      return values.return()
    },
    async throw(error) {
      end()
      return values.throw(error)
    },
    [Symbol.asyncIterator]: () => stream,
    async [Symbol.asyncDispose]() {
      await stream.return()
    },
  }
  return stream
}
