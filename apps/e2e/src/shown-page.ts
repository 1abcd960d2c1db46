import { expect } from 'vitest'

/** Long enough for the first trade of a symbol, and for a machine that may be busy. */
const EVENT_TIMEOUT_MS = 60_000

/** Data of the first event of each kind. */
export interface Told {
  readonly bar?: unknown
  readonly feed?: readonly { readonly state: string }[]
  readonly history?: { readonly bars: readonly unknown[] }
}

/** The dashboard as a browser on this machine sees it. */
export class ShownPage {
  readonly #url: string

  /** @param url of its root, without a slash at the end */
  constructor(url: string) {
    this.#url = url
  }

  /** The page is there with its policy, and so is each file that it names, from the same host. */
  async checkFiles(): Promise<void> {
    const response = await fetch(`${this.#url}/`)
    expect(response.status).toBe(200)
    expect(response.headers.get('content-type')).toMatch(/^text\/html/)
    const policy = response.headers.get('content-security-policy')
    expect(policy).toContain("default-src 'none'")
    expect(policy).toContain("script-src 'self'")
    const page = await response.text()
    const names = [...page.matchAll(/(?:src|href)="([^"#]+)"/g)].map(([, name]) => name!)
    expect(names.filter(name => name.endsWith('.js'))).toHaveLength(1)
    for (const name of names) {
      const { origin, href } = new URL(name, `${this.#url}/`)
      if (origin === this.#url) expect((await fetch(href)).status, href).toBe(200)
    }
  }

  async symbols(): Promise<readonly unknown[]> {
    return (await this.#json<{ symbols: unknown[] }>('/api/symbols')).symbols
  }

  /** The newest closed bars that open before a moment of the exchange's clock; the dashboard asks the edge for them. */
  async bars(symbol: string, interval: string, before = Date.now()): Promise<readonly unknown[]> {
    const address = `/api/bars?symbol=${symbol}&interval=${interval}&before=${before}&limit=10`
    return (await this.#json<{ bars: unknown[] }>(address)).bars
  }

  /** The live bar, or one that has just closed. */
  async liveBar(symbol: string, interval: string): Promise<unknown> {
    return (await this.events([`${symbol}:${interval}`], ['bar'])).bar
  }

  /** Of each kind, what the first event of a stream tells. */
  async events(series: readonly string[], kinds: readonly (keyof Told)[]): Promise<Told> {
    const signal = AbortSignal.timeout(EVENT_TIMEOUT_MS)
    const response = await fetch(`${this.#url}/api/stream?series=${series}`, { signal })
    expect(response.headers.get('content-type')).toMatch(/^text\/event-stream/)
    const told = new Map<string, unknown>()
    let text = ''
    for await (const chunk of response.body!.pipeThrough(new TextDecoderStream())) {
      const events = (text + chunk).split('\n\n')
      text = events.pop()!
      for (const event of events) {
        const [, kind, data] = /^event: (.*)\ndata: (.*)$/m.exec(event) ?? []
        if (kind !== undefined && !told.has(kind)) told.set(kind, JSON.parse(data!))
      }
      if (kinds.every(kind => told.has(kind))) return Object.fromEntries(told)
    }
    throw new Error(`the stream ended and had told ${[...told.keys()].join()} alone`)
  }

  async #json<T>(address: string): Promise<T> {
    const response = await fetch(this.#url + address)
    expect(response.status, address).toBe(200)
    return (await response.json()) as T
  }
}
