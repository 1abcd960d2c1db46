import { expect, it } from 'vitest'
import { barText } from './bar.testing.ts'
import { noticeOf } from './notice.ts'

const whole = { history: 'here', older: 'none', isFirst: true, bars: [barText(0), barText(1)] } as const

it('a chart with its history says only where it begins, and only there', () => {
  expect(noticeOf(whole, false)).toBeUndefined()
  expect(noticeOf(whole, true)).toBe('First bar')
  expect(noticeOf({ ...whole, isFirst: false }, true)).toBeUndefined()
})

it('a chart says what of its history is missing', () => {
  expect(noticeOf({ ...whole, history: 'unavailable' }, false)).toBe('History unavailable')
  expect(noticeOf({ ...whole, older: 'failed' }, true)).toBe('History unavailable')
  expect(noticeOf({ ...whole, older: 'failed' }, false)).toBeUndefined()
})

it('a chart says that it loads, but not when it has bars to look at', () => {
  expect(noticeOf({ ...whole, history: 'loading', bars: [barText(0)] }, false)).toBe('Loading history …')
  expect(noticeOf({ ...whole, history: 'loading' }, false)).toBeUndefined()
  expect(noticeOf({ ...whole, older: 'loading', isFirst: false }, true)).toBe('Loading older bars …')
  expect(noticeOf({ ...whole, older: 'loading' }, true)).toBe('First bar')
})
