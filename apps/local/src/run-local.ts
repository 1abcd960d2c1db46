import { mkdir } from 'node:fs/promises'
import { join, relative } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { openPostgres } from '@chart/postgres'
import { closeRedis, openRedis, withoutRedisPassword } from '@chart/redis'
import { freePort } from '@chart/servers'
import { addressesOf } from './addresses.ts'
import { type AppContext, migration, serviceProcesses, simulatorProcess } from './app-processes.ts'
import { choosePort } from './chosen-port.ts'
import type { Config } from './config.ts'
import { decideInput, type Input } from './input.ts'
import { guardMarket, liveMarket } from './market-guard.ts'
import { openServers } from './own-servers.ts'
import { startPage } from './page.ts'
import { openRunFile } from './run-file.ts'
import { openScreen } from './screen.ts'
import { openMarket } from './simulated-market.ts'
import { createSnapshotReader } from './snapshot-reader.ts'
import type { StopSignal } from './stop-signal.ts'
import { createSupervisor, type Supervisor } from './supervisor.ts'
import { bannerOf } from './table.ts'

const showEveryMs = 500

/** The whole service on one machine, until it is told to stop. When this returns, no process is left. */
export async function runLocal(config: Config, stop: StopSignal): Promise<void> {
  const say = (line: string) => void process.stdout.write(`${line}\n`)
  const input = await decideInput(config.choice, config.binanceApiUrl)
  const dir = join(config.dataDir, input.mode)
  const shownDir = relative(process.cwd(), dir) || dir
  say(bannerOf(input).text.trim())
  say(`Starting. Data and logs are in ${shownDir}`)

  {
    await mkdir(dir, { recursive: true })
    await using servers = await openServers(
      {
        dir,
        ...(config.redisUrl !== undefined && { redisUrl: config.redisUrl }),
        ...(config.databaseUrl !== undefined && { databaseUrl: config.databaseUrl }),
      },
      say,
    )
    await using supervisor = createSupervisor(join(dir, 'logs'))
    stop.onForce(async () => {
      supervisor.killNow()
      await servers.killNow()
    })
    stop.signal.addEventListener('abort', () => say('Stopping …'), { once: true })

    using redis = closing(await openRedis(servers.redisUrl, 'local'), closeRedis)
    await using postgres = await openPostgres({ url: servers.databaseUrl, applicationName: 'local', poolMax: 2 })
    const exchange = await startExchange(config, input, dir, supervisor, stop.signal)
    await guardMarket(redis.value, exchange.market, withoutRedisPassword(servers.redisUrl))
    const grpc = await choosePort('GRPC_PORT', config.grpcPort, config.isGrpcPortFixed)
    const http = await choosePort('HTTP_PORT', config.httpPort, config.isHttpPortFixed)
    const context: AppContext = {
      root: config.root,
      env: config.env,
      symbols: config.symbols,
      redisUrl: servers.redisUrl,
      databaseUrl: servers.databaseUrl,
      binanceApiUrl: exchange.apiUrl,
      binanceStreamUrl: exchange.streamUrl,
      grpcPort: grpc.port,
      httpPort: http.port,
    }
    if (!stop.signal.aborted) await supervisor.runOnce(migration(context), stop.signal)
    if (!stop.signal.aborted) supervisor.start(...(await serviceProcesses(context)))

    await using page = startPage(context, supervisor, stop.signal)

    const addresses = addressesOf({ grpc, http }, servers, config.symbols[0]!)
    using screen = openScreen(process.stdout, config.env.TERM, addresses)
    using runFile = openRunFile(dir)
    const readStores = createSnapshotReader({ redis: redis.value, postgres, symbols: config.symbols })
    while (!stop.signal.aborted) {
      const processes = [...servers.views(), ...supervisor.views()]
      runFile.write({
        pid: process.pid,
        mode: input.mode,
        dashboard: page.url(),
        grpc: addresses.grpc,
        redisUrl: servers.redisUrl,
        databaseUrl: servers.databaseUrl,
        binanceApiUrl: exchange.apiUrl,
        binanceStreamUrl: exchange.streamUrl,
        processes: processes.map(({ name, pid, state, restarts }) => ({ name, pid, state, restarts })),
      })
      const stored = await readStores()
      if (stop.signal.aborted) break
      const faults = [page.fault(), ...stored.faults].filter(fault => fault !== undefined)
      const shown = { ...addresses, chart: page.text() }
      screen.show({ takenTime: Date.now(), input, addresses: shown, processes, ...stored, faults })
      await sleep(showEveryMs, undefined, { signal: stop.signal }).catch(() => {})
    }
  }
  say(`Stopped. Data are in ${shownDir}; the next start goes on with them`)
}

type Exchange = {
  readonly apiUrl: string
  readonly streamUrl: string
  /** Tells one market's data from another's. */
  readonly market: string
}

async function startExchange(
  config: Config,
  input: Input,
  dir: string,
  supervisor: Supervisor,
  signal: AbortSignal,
): Promise<Exchange> {
  if (input.mode === 'live') {
    return { apiUrl: config.binanceApiUrl, streamUrl: config.binanceStreamUrl, market: liveMarket }
  }
  const market = await openMarket(dir, config)
  const port = await freePort()
  const simulator = simulatorProcess(config, market, port)
  supervisor.start(simulator)
  await supervisor.untilReady(simulator.name, signal)
  return {
    apiUrl: `http://127.0.0.1:${port}`,
    streamUrl: `ws://127.0.0.1:${port}`,
    market: `simulated ${market.seed} ${market.genesisTime}`,
  }
}

function closing<T>(value: T, close: (value: T) => void): Disposable & { readonly value: T } {
  return { value, [Symbol.dispose]: () => close(value) }
}
