import type { World } from './world.ts'

/** Arguments that are random by nature and may not decide anything: tokens, nonces, and payloads with the writer's token in them. */
const RANDOM_ARGS: Record<string, number> = { appendEntry: 3, commitBars: 9, claimPartition: 99, renewPartition: 99 }

/** A hash of everything that happened in a run: every event with its moment and owner, every script with what it wrote. */
export class History {
  #hash = 0x811c9dc5
  readonly #world: World

  constructor(world: World) {
    this.#world = world
    world.time.onEvent = ({ time, order, owner }) => {
      this.#addNumber(time * 1_000)
      this.#addNumber(order)
      this.#addText(owner?.name ?? '')
    }
    world.redis.onRan(({ command, keys, args, reply }) => {
      this.#addText(`${command} ${keys.join(' ')}`)
      for (const arg of args.slice(RANDOM_ARGS[command] ?? 99)) this.#addText(String(arg))
      if (Array.isArray(reply)) this.#addText(String(reply[0]))
    })
  }

  digest(): string {
    for (const row of this.#world.postgres.rows.values()) this.#addText(JSON.stringify(row))
    return (this.#hash >>> 0).toString(16).padStart(8, '0')
  }

  #addNumber(value: number): void {
    this.#hash = Math.imul(this.#hash ^ (value % 2 ** 32), 0x01000193)
  }

  #addText(text: string): void {
    for (let index = 0; index < text.length; index++) {
      this.#hash = Math.imul(this.#hash ^ text.charCodeAt(index), 0x01000193)
    }
  }
}
