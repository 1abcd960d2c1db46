import { describe, expect, it } from 'vitest'
import { EventQueue } from './event-queue.ts'

function source() {
  const calls: string[] = []
  return { calls, pause: () => calls.push('pause'), resume: () => calls.push('resume') }
}

describe('an event queue', () => {
  it('gives everything since the last time, in order, and waits when there is nothing', async () => {
    const queue = new EventQueue<number>(10)
    const { signal } = new AbortController()
    queue.push(1)
    queue.push(2)
    expect(await queue.takeAll(signal)).toEqual([1, 2])
    const waiting = queue.takeAll(signal)
    queue.push(3)
    queue.push(4)
    expect(await waiting).toEqual([3, 4])
  })

  it('pauses its sources at the bound, also one that comes later, and resumes all once taken', async () => {
    const queue = new EventQueue<number>(2)
    const [first, second, gone] = [source(), source(), source()]
    queue.attach(first)
    queue.attach(gone)
    queue.detach(gone)
    queue.push(1)
    expect(first.calls).toEqual([])
    queue.push(2)
    queue.attach(second)
    // What a source had read already is still taken.
    queue.push(3)
    expect([first.calls, second.calls, gone.calls]).toEqual([['pause'], ['pause'], []])
    expect(await queue.takeAll(new AbortController().signal)).toEqual([1, 2, 3])
    expect([first.calls, second.calls]).toEqual([
      ['pause', 'resume'],
      ['pause', 'resume'],
    ])
  })

  it('stops waiting when aborted, and gives nothing afterwards', async () => {
    const queue = new EventQueue<number>(2)
    const stop = new AbortController()
    const waiting = queue.takeAll(stop.signal)
    stop.abort()
    expect(await waiting).toBeUndefined()
    queue.push(1)
    expect(await queue.takeAll(stop.signal)).toBeUndefined()
  })
})
