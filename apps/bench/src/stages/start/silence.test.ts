import { expect, test } from 'vitest'
import { type Step, silenceOf, untilFirstStep } from './silence.ts'

/** Answers one after the other; the last one for ever. */
function scripted(steps: readonly Step[]) {
  let asked = 0
  const stepOf = async () => steps[Math.min(asked++, steps.length - 1)]!
  return { stepOf, asked: () => asked }
}

test('it ends with the first step of another: neither steps of the one before nor a claim are enough', async () => {
  const script = scripted([
    { at: '1', by: 'one' },
    { at: '2', by: 'one' },
    { at: '2', by: 'two' },
    { at: '3', by: 'two' },
  ])
  let disturbedAfter = 0
  const ms = await silenceOf(['{p00}'], script.stepOf, () => {
    disturbedAfter = script.asked()
  })
  expect(disturbedAfter).toBe(1)
  expect(script.asked()).toBe(4)
  expect(ms).toBeGreaterThan(0)
})

test('it waits for every partition', async () => {
  const quick = scripted([
    { at: '1', by: 'one' },
    { at: '2', by: 'two' },
  ])
  const slow = scripted([...Array.from({ length: 10 }, () => ({ at: '1', by: 'one' })), { at: '2', by: 'two' }])
  await silenceOf(
    ['{p00}', '{p01}'],
    tag => (tag === '{p00}' ? quick.stepOf() : slow.stepOf()),
    () => undefined,
  )
  expect(slow.asked()).toBe(11)
})

test('a first step is one of any partition', async () => {
  const never = scripted([{ at: null, by: null }])
  const once = scripted([
    { at: null, by: 'one' },
    { at: '1', by: 'one' },
  ])
  await untilFirstStep(['{p00}', '{p01}'], tag => (tag === '{p00}' ? never.stepOf() : once.stepOf()))
  expect(once.asked()).toBe(2)
})
