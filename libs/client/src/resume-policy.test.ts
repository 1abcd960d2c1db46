import { describe, expect, test } from 'vitest'
import { type CallEnding, canResume, ResumePause } from './resume-policy.ts'

const ending = (over: Partial<CallEnding> = {}): CallEnding => ({
  code: 'UNAVAILABLE',
  details: '',
  hadMessages: false,
  inGoodOrder: false,
  ...over,
})

describe('after a call that ended', () => {
  test.each(['OK', 'UNAVAILABLE', 'DEADLINE_EXCEEDED', 'CANCELLED', 'INTERNAL', 'UNKNOWN'] as const)(
    '%s is no reason to give up',
    code => {
      expect(canResume(ending({ code }), false)).toBe(true)
    },
  )

  test.each(['INVALID_ARGUMENT', 'NOT_FOUND', 'UNAUTHENTICATED', 'PERMISSION_DENIED', 'UNIMPLEMENTED'] as const)(
    '%s is, also in a stream that ran',
    code => {
      expect(canResume(ending({ code, hadMessages: true }), true)).toBe(false)
    },
  )

  test('a limit is one for a stream that never ran, slowness is none', () => {
    const code = 'RESOURCE_EXHAUSTED'
    expect(canResume(ending({ code }), false)).toBe(false)
    expect(canResume(ending({ code, hadMessages: true }), true)).toBe(true)
    expect(canResume(ending({ code }), true), 'the call before is still counted').toBe(true)
  })

  test('the pause is drawn below a bound that doubles from 250 ms to 10 s, and begins anew when something came', () => {
    const pause = new ResumePause(() => 1)
    const bounds = Array.from({ length: 8 }, () => pause.after(ending()))
    expect(bounds).toEqual([250, 500, 1_000, 2_000, 4_000, 8_000, 10_000, 10_000])
    expect(pause.after(ending({ hadMessages: true }))).toBe(250)
    expect(pause.after(ending())).toBe(500)
    expect(new ResumePause(() => 0).after(ending())).toBe(0)
  })

  test('in good order the next call follows almost at once; not when it brought nothing', () => {
    const pause = new ResumePause(() => 1)
    expect(pause.after(ending({ inGoodOrder: true, hadMessages: true }))).toBe(100)
    expect(pause.after(ending({ inGoodOrder: true, hadMessages: true }))).toBe(100)
    expect(pause.after(ending({ inGoodOrder: true }))).toBe(500)
  })
})
