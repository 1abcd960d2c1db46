import { setTimeout as sleep } from 'node:timers/promises'
import type { Redis } from 'ioredis'
import { createClient, SOCKET_TIMEOUT_MS } from './client.ts'
import { closeRedis, untilReady } from './connection.ts'
import { updatesChannel } from './keys.ts'
import { redisAddressOf } from './redis-address.ts'

/** Receives the updates of partitions that someone is interested in. */
export interface BarUpdates extends AsyncDisposable {
  /** Begins to receive a partition's updates; resolves when every later one will arrive. */
  subscribe(tag: string): Promise<void>
}

export interface BarUpdatesOptions {
  readonly url: string
  readonly name: string
  /** Called with the partition's tag and the published bytes. */
  onUpdate(tag: string, bytes: Buffer): void
  /** Called when a connection was lost and is back and subscribed: updates of these partitions may have been missed. */
  onReconnect(tags: ReadonlySet<string>): void
}

/** A subscription that hears nothing cannot tell a quiet market from a dead link, so it asks. */
const PING_EVERY_MS = 5_000
/** A subscription that was refused, as while a slot moves, is tried again after this long. */
const RETRY_MS = 100

/**
 * Opens a subscriber. Shard channels are published by the node that has their slot. So on a cluster each partition has a
 * connection of its own, to the master of its slot, and a failover or a slot that moves concerns its partitions alone; elsewhere
 * one connection serves all.
 */
export async function openBarUpdates(options: BarUpdatesOptions): Promise<BarUpdates> {
  const { url } = options
  const isCluster = redisAddressOf(url).kind === 'cluster'
  const lines = new Map<string, SubscribedLine>()
  const lineOf = (tag: string) => {
    const key = isCluster ? tag : ''
    const line = lines.get(key) ?? new SubscribedLine(options, updatesChannel(tag))
    lines.set(key, line)
    return line
  }
  const close = async () => {
    for (const line of lines.values()) line.close()
  }
  // So that a Redis that is not there is told at once.
  if (!isCluster) await lineOf('').open(url)
  return { subscribe: tag => lineOf(tag).subscribe(tag), [Symbol.asyncDispose]: close }
}

/** One connection and the channels that it is to be subscribed to, after every reconnect as well. */
class SubscribedLine {
  readonly #options: BarUpdatesOptions
  readonly #redis: Redis
  readonly #tags = new Set<string>()
  /** Those whose subscription was confirmed once, so that losing the connection means missing updates. */
  readonly #confirmed = new Set<string>()
  readonly #pings: NodeJS.Timeout
  #isClosed = false

  constructor(options: BarUpdatesOptions, key: string) {
    this.#options = options
    this.#redis = createClient(options.url, key, {
      connectionName: options.name,
      lazyConnect: true,
      maxRetriesPerRequest: null,
      // Done here, so that a refused renewal is seen.
      autoResubscribe: false,
      // Also for the answers to PING: a half-open connection is given up.
      socketTimeout: SOCKET_TIMEOUT_MS,
    })
    this.#redis.on('error', () => undefined)
    this.#redis.on('ready', () => this.#resubscribe())
    // The slot has gone to another node, and with it the subscription.
    this.#redis.on('moved', () => this.#redis.disconnect(true))
    this.#redis.on('smessageBuffer', (channel: Buffer, bytes: Buffer) => {
      options.onUpdate(channel.toString('latin1').slice('updates:'.length), bytes)
    })
    this.#pings = setInterval(() => {
      if (this.#redis.status === 'ready') this.#redis.ping().catch(() => undefined)
    }, PING_EVERY_MS)
  }

  open(url: string): Promise<void> {
    return untilReady(this.#redis, url)
  }

  async subscribe(tag: string): Promise<void> {
    this.#tags.add(tag)
    while (!this.#isClosed) {
      try {
        await this.#redis.ssubscribe(updatesChannel(tag))
        this.#confirmed.add(tag)
        return
      } catch (error) {
        if (this.#isClosed) throw error
        await sleep(RETRY_MS)
      }
    }
  }

  async #resubscribe(): Promise<void> {
    const missed = new Set(this.#confirmed)
    try {
      for (const tag of this.#tags) await this.#redis.ssubscribe(updatesChannel(tag))
      // Only now: what is read after this, and every later update, is without a hole.
      if (missed.size > 0) this.#options.onReconnect(missed)
    } catch {
      if (!this.#isClosed && this.#redis.status === 'ready') this.#redis.disconnect(true)
    }
  }

  close(): void {
    this.#isClosed = true
    clearInterval(this.#pings)
    closeRedis(this.#redis)
  }
}
