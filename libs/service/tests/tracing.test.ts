import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { startTraceCollector, type TraceCollector, until } from '@chart/testkit'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { Log } from '../src/log.ts'
import { openTracing } from '../src/tracing.ts'

let collector: TraceCollector
beforeEach(async () => {
  collector = await startTraceCollector()
})
afterEach(() => collector[Symbol.asyncDispose]())

/** What is said, as `level message`. */
function listeningLog() {
  const said: string[] = []
  const say = (level: string) => (_: object, message: string) => said.push(`${level} ${message}`)
  return { said, log: { info: say('info'), warn: say('warn') } as unknown as Log }
}

const configOf = (ratio: number) => ({ url: `${collector.url}/v1/traces`, ratio })

test('a step that follows is the child of the one that handed it its context, in another process as well', async () => {
  const { log } = listeningLog()
  const first = await openTracing('one', configOf(1), log)
  const second = await openTracing('two', configOf(1), log)
  const append = first.tracer.begin('append', { trades: 3 })!
  const commit = second.tracer.follow('commit', append.traceparent)!
  append.end()
  commit.end({ bars: 2 }, new Error('conflict'))
  await Promise.all([first.close(), second.close()])
  const [parent, child] = ['append', 'commit'].map(name => collector.spans.find(span => span.name === name)!)
  expect(parent).toMatchObject({ service: 'chart-one', parentSpanId: '', attributes: { trades: 3 }, failed: false })
  expect(child).toMatchObject({ service: 'chart-two', attributes: { bars: 2 }, failed: true })
  expect(child).toMatchObject({ traceId: parent!.traceId, parentSpanId: parent!.spanId })
})

test('only the wanted part of all traces is begun; what follows a begun one always goes on', async () => {
  const { tracer, close } = await openTracing('one', configOf(0.1), listeningLog().log)
  const begun = Array.from({ length: 10_000 }, () => tracer.begin('append')).filter(span => span !== undefined)
  // The chance that it is not so is below one in 10^20.
  expect(begun.length).toBeGreaterThan(700)
  expect(begun.length).toBeLessThan(1_300)
  expect(begun.every(span => tracer.follow('commit', span.traceparent) !== undefined)).toBe(true)
  await close()
})

test.each(['', 'nonsense', '00-0-0-01', `01-${'a'.repeat(32)}-${'b'.repeat(16)}-01`])(
  'what is no trace context (%j) is followed by nothing',
  async text => {
    const { tracer, close } = await openTracing('one', configOf(1), listeningLog().log)
    expect(tracer.follow('commit', text)).toBeUndefined()
    expect(tracer.follow('commit', undefined)).toBeUndefined()
    await close()
  },
)

test('a collector that refuses, or is gone, costs one warning; when it is back it is sent what comes then', async () => {
  const { said, log } = listeningLog()
  const { tracer, close } = await openTracing('one', configOf(1), log)
  collector.answerWith(400)
  for (const round of [1, 2, 3]) {
    tracer.begin('append')!.end()
    await until('it was asked', () => collector.requests >= round)
  }
  await until('it is said', () => said.some(line => line.startsWith('warn')))
  collector.answerWith(200)
  tracer.begin('later')!.end()
  await until('it goes on', () => said.includes('info traces are sent again'))
  expect(said).toEqual([
    'info traces are sent',
    'warn traces cannot be sent; they are dropped until they can',
    'info traces are sent again',
  ])
  expect(collector.spans.map(({ name }) => name)).toEqual(['later'])
  await close()
})

test('with nobody there, spans are made as fast as ever, are dropped, and do not hold up the end', async () => {
  const { said, log } = listeningLog()
  const { tracer, close } = await openTracing('one', configOf(1), log)
  await collector[Symbol.asyncDispose]()
  for (let count = 0; count < 20_000; count++) tracer.begin('append')!.end()
  await close()
  expect(said.filter(line => line.startsWith('warn')).length).toBeLessThanOrEqual(1)
  collector = await startTraceCollector()
})

test('a process sends the spans that wait when it stops; without a place to send them it does not even load OpenTelemetry', async () => {
  const modulesOf = async (...args: string[]) => {
    const child = spawn(process.execPath, [
      fileURLToPath(new URL('service-process.ts', import.meta.url)),
      'traced',
      ...args,
    ])
    const exited = once(child, 'exit')
    let said = ''
    child.stdout.on('data', chunk => {
      said += chunk
    })
    await until('it is up', () => said.includes('"up"'))
    child.kill('SIGTERM')
    expect(await exited).toEqual([0, null])
    return JSON.parse(said.split('\n').find(line => line.includes('"loaded"'))!).openTelemetry as number
  }
  expect(await modulesOf()).toBe(0)
  expect(collector.requests).toBe(0)
  expect(await modulesOf(`${collector.url}/v1/traces`)).toBeGreaterThan(0)
  expect(collector.spans).toMatchObject([{ service: 'chart-tested', name: 'work' }])
})
