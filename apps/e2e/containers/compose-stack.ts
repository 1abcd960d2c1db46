import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { docker } from './docker.ts'

/** A container as `docker inspect` shows it, as far as tests ask. */
export interface Container {
  readonly service: string
  readonly name: string
  readonly running: boolean
  readonly health: string
  readonly exitCode: number
  readonly killed: boolean
  /** Whether the first process is one that passes signals on, however early they come. */
  readonly hasInit: boolean
  /** When it was started last. */
  readonly startedAt: string
}

interface Inspected {
  readonly Name: string
  readonly Config: { readonly Labels: Readonly<Record<string, string>> }
  readonly HostConfig: { readonly Init: boolean | null }
  readonly State: {
    readonly Running: boolean
    readonly ExitCode: number
    readonly OOMKilled: boolean
    readonly StartedAt: string
    readonly Health?: { readonly Status: string }
  }
}

/**
 * The compose files of the project under a name of their own, so that two runs do not meet, and with ports of the exchange and of
 * PostgreSQL that the test asks. Ends with its containers, networks and volumes.
 */
export class ComposeStack implements AsyncDisposable {
  readonly #folder = mkdtempSync(join(tmpdir(), 'chart-compose-'))
  readonly #files: readonly string[]
  readonly #project = `chart-test-${process.pid}-${Date.now()}`
  /** Variables of the compose files. A port of 0 is a free one. */
  readonly env: Record<string, string> = { GRPC_PORT: '0', HTTP_PORT: '0' }

  /** `exchange`: further variables of the simulator, such as SPEED. */
  constructor(exchange: Readonly<Record<string, string>>) {
    const override = join(this.#folder, 'ports.json')
    const services = {
      exchange: { environment: exchange, ports: ['127.0.0.1::9000'] },
      postgres: { ports: ['127.0.0.1::5432'] },
      // Bars taken over from the exchange have no trade ids: what is compared with the oracle is made of trades.
      auditor: { environment: { IMPORT_BARS: '0' } },
    }
    writeFileSync(override, JSON.stringify({ services }))
    this.#files = ['compose.yaml', 'compose.simulated.yaml', override]
  }

  compose(...args: readonly string[]): Promise<string> {
    const files = this.#files.flatMap(file => ['--file', file])
    return docker(['compose', '--project-name', this.#project, ...files, ...args], this.env)
  }

  /** `127.0.0.1:PORT` of a service's port on this machine. */
  async address(service: string, port: number): Promise<string> {
    return (await this.compose('port', service, String(port))).trim()
  }

  /** All containers of the stack, those that have ended too. */
  async containers(): Promise<Container[]> {
    const ids = (await this.compose('ps', '--all', '--quiet')).trim().split('\n')
    const inspected = JSON.parse(await docker(['inspect', ...ids])) as Inspected[]
    return inspected.map(({ Name, Config, HostConfig, State }) => ({
      service: Config.Labels['com.docker.compose.service'] ?? '',
      name: Name.slice(1),
      running: State.Running,
      health: State.Health?.Status ?? 'none',
      exitCode: State.ExitCode,
      killed: State.OOMKilled,
      hasInit: HostConfig.Init === true,
      startedAt: State.StartedAt,
    }))
  }

  /** Of each app, the time from the start of its container to its health endpoints, which are opened last but for the work itself. */
  async startTimes(): Promise<{ name: string; readyMs: number }[]> {
    const times = (await this.containers()).map(async ({ name, startedAt }) => {
      const line = (await docker(['logs', name])).split('\n').find(one => one.includes('"health endpoints listening"'))
      return {
        name,
        readyMs: line === undefined ? Number.NaN : Date.parse(JSON.parse(line).time) - Date.parse(startedAt),
      }
    })
    return (await Promise.all(times)).filter(({ readyMs }) => !Number.isNaN(readyMs))
  }

  async [Symbol.asyncDispose]() {
    await this.compose('down', '--volumes', '--timeout', '30')
    rmSync(this.#folder, { recursive: true, force: true })
  }
}
