import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { RequestGate } from './request-gate.ts'

/** A gate whose clock is vitest's: a test moves it. */
function gateOf(weightMaxPerMinute: number) {
  return new RequestGate({ weightMaxPerMinute, now: () => Date.now() })
}

beforeEach(() => {
  vi.useFakeTimers({ now: 0 })
})
afterEach(() => {
  vi.useRealTimers()
})

describe('the request gate', () => {
  it('lets callers in as the weight allows, in the order they came', async () => {
    const gate = gateOf(50)
    const entered: string[] = []
    const enter = (name: string, weight: number) =>
      gate.enter(weight, undefined).then(() => {
        entered.push(`${name} ${Date.now()}`)
        gate.leave()
      })
    enter('a', 25)
    enter('b', 25)
    enter('heavy', 40)
    enter('light, but later', 2)
    await vi.advanceTimersByTimeAsync(61_999)
    expect(entered).toEqual(['a 0', 'b 0'])
    await vi.advanceTimersByTimeAsync(1)
    expect(entered.slice(2)).toEqual(['heavy 62000', 'light, but later 62000'])
  })

  it('lets nobody in while it is stopped; a shorter stop does not shorten a longer one', async () => {
    const gate = gateOf(50)
    gate.stopFor(10_000)
    gate.stopFor(1_000)
    let enteredAt: number | undefined
    gate.enter(1, undefined).then(() => {
      enteredAt = Date.now()
    })
    await vi.advanceTimersByTimeAsync(9_999)
    expect(enteredAt).toBeUndefined()
    await vi.advanceTimersByTimeAsync(1)
    expect(enteredAt).toBe(10_000)
  })

  it('counts what others at our address have used', async () => {
    const gate = gateOf(100)
    await gate.enter(25, undefined)
    gate.leave()
    gate.correct(90)
    let entered = false
    gate.enter(25, undefined).then(() => {
      entered = true
    })
    await vi.advanceTimersByTimeAsync(61_999)
    expect(entered).toBe(false)
    await vi.advanceTimersByTimeAsync(1)
    expect(entered).toBe(true)
  })

  it('has at most ten requests under way', async () => {
    const gate = gateOf(1_000)
    let entered = 0
    for (let index = 0; index < 12; index++) {
      gate.enter(1, undefined).then(() => {
        entered++
      })
    }
    await vi.advanceTimersByTimeAsync(0)
    expect(entered).toBe(10)
    gate.leave()
    await vi.advanceTimersByTimeAsync(0)
    expect(entered).toBe(11)
  })

  it('forgets a caller who gives up, and lets the next one in', async () => {
    const gate = gateOf(50)
    await gate.enter(50, undefined)
    gate.leave()
    const stop = new AbortController()
    const heavy = gate.enter(50, stop.signal)
    await vi.advanceTimersByTimeAsync(61_000)
    stop.abort(new Error('no longer wanted'))
    await expect(heavy).rejects.toThrow('no longer wanted')
    const next = gate.enter(50, undefined)
    await vi.advanceTimersByTimeAsync(1_000)
    await next
    await expect(gate.enter(1, AbortSignal.abort(new Error('late')))).rejects.toThrow('late')
  })

  it('refuses when too many wait, as something that passes', async () => {
    const gate = gateOf(1)
    gate.stopFor(1_000)
    const waiting = Array.from({ length: 5_000 }, () => gate.enter(1, undefined))
    await expect(gate.enter(1, undefined)).rejects.toMatchObject({ name: 'RestError', retryable: true })
    expect(waiting).toHaveLength(5_000)
  })
})
