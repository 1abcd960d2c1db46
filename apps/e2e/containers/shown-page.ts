import { expect } from 'vitest'

/** Long enough for the first trade of a symbol, and for a machine that may be busy. */
const EVENT_TIMEOUT_MS = 60_000

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

  /** The newest closed bars, which the dashboard asks the edge for. */
  async bars(symbol: string, interval: string): Promise<readonly unknown[]> {
    const address = `/api/bars?symbol=${symbol}&interval=${interval}&before=${Date.now()}&limit=10`
    return (await this.#json<{ bars: unknown[] }>(address)).bars
  }

  /** The first event `bar` of a stream. */
  async liveBar(symbol: string, interval: string): Promise<unknown> {
    const signal = AbortSignal.timeout(EVENT_TIMEOUT_MS)
    const response = await fetch(`${this.#url}/api/stream?series=${symbol}:${interval}`, { signal })
    expect(response.headers.get('content-type')).toMatch(/^text\/event-stream/)
    let text = ''
    for await (const chunk of response.body!.pipeThrough(new TextDecoderStream())) {
      text += chunk
      const data = /^event: bar\n(?:id: .*\n)?data: (.*)\n(?:id: .*\n)?\n/m.exec(text)?.[1]
      if (data !== undefined) return JSON.parse(data)
    }
    throw new Error(`the stream ended without a bar: ${text.slice(-500)}`)
  }

  async #json<T>(address: string): Promise<T> {
    const response = await fetch(this.#url + address)
    expect(response.status, address).toBe(200)
    return (await response.json()) as T
  }
}
