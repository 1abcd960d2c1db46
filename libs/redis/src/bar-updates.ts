import type { Redis } from 'ioredis'
import { closeRedis, openSubscribingRedis } from './connection.ts'
import { updatesChannel } from './keys.ts'

/** Receives the updates of partitions that someone is interested in. */
export interface BarUpdates extends AsyncDisposable {
  /** Begins to receive a partition's updates; resolves when every later one will arrive. */
  subscribe(tag: string): Promise<void>
}

/**
 * Opens a subscriber.
 * @param onUpdate called with the partition's tag and the published bytes
 * @param onReconnect called when the connection was lost and is back: updates were missed
 */
export async function openBarUpdates(options: {
  url: string
  name: string
  onUpdate(tag: string, bytes: Buffer): void
  onReconnect(): void
}): Promise<BarUpdates> {
  const redis = await openSubscribingRedis(options.url, options.name)
  redis.on('smessageBuffer', (channel: Buffer, bytes: Buffer) => {
    options.onUpdate(channel.toString('latin1').slice('updates:'.length), bytes)
  })
  redis.on('ready', () => options.onReconnect())
  const stopPinging = pingSometimes(redis)
  return {
    async subscribe(tag) {
      await redis.ssubscribe(updatesChannel(tag))
    },
    async [Symbol.asyncDispose]() {
      stopPinging()
      closeRedis(redis)
    },
  }
}

/** A subscription that hears nothing cannot tell a quiet market from a dead link, so it asks. */
const PING_EVERY_MS = 5_000
const PING_TIMEOUT_MS = 2_000

function pingSometimes(redis: Redis): () => void {
  const timer = setInterval(async () => {
    if (redis.status !== 'ready') return
    let answered = false
    const late = setTimeout(() => {
      if (!answered) redis.disconnect(true)
    }, PING_TIMEOUT_MS)
    try {
      await redis.ping()
      answered = true
    } catch {
      // The reconnect is under way already.
    } finally {
      clearTimeout(late)
    }
  }, PING_EVERY_MS)
  return () => clearInterval(timer)
}
