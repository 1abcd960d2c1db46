import { expect, test } from 'vitest'
import { SharedQuestions, TooManyQuestionsError } from './shared-questions.ts'

/** Questions that are answered when the test says so. */
function questions(options = { askedMax: 2, waitingMax: 1 }) {
  const shared = new SharedQuestions(options)
  const asked: { key: string; answer: PromiseWithResolvers<string> }[] = []
  const ask = (key: string) =>
    shared.ask(key, () => {
      const answer = Promise.withResolvers<string>()
      asked.push({ key, answer })
      return answer.promise
    })
  return { ask, asked, keys: () => asked.map(({ key }) => key) }
}

const turn = () => new Promise(resolve => setImmediate(resolve))

test('who asks the same at the same time shares one question, and its answer or error', async () => {
  const { ask, asked } = questions()
  const both = [ask('a'), ask('a')]
  await turn()
  expect(asked.length).toBe(1)
  asked[0]!.answer.resolve('bars')
  expect(await Promise.all(both)).toEqual(['bars', 'bars'])
  const failing = ask('a')
  await turn()
  asked[1]!.answer.reject(new Error('away'))
  await expect(failing).rejects.toThrow('away')
})

test('who asks while the same question is under way gets an answer that was begun after that', async () => {
  const { ask, asked } = questions()
  const first = ask('a')
  await turn()
  const later = [ask('a'), ask('a')]
  await turn()
  expect(asked.length).toBe(1)
  asked[0]!.answer.reject(new Error('away'))
  await expect(first).rejects.toThrow('away')
  await turn()
  expect(asked.length).toBe(2)
  asked[1]!.answer.resolve('newer')
  expect(await Promise.all(later)).toEqual(['newer', 'newer'])
})

test('so many are asked at a time, so many wait, and one more is refused', async () => {
  const { ask, asked, keys } = questions({ askedMax: 2, waitingMax: 1 })
  const all = ['a', 'b', 'c'].map(ask)
  await turn()
  await expect(ask('d')).rejects.toThrow(TooManyQuestionsError)
  expect(keys()).toEqual(['a', 'b'])
  asked[0]!.answer.resolve('1')
  await all[0]
  await turn()
  expect(keys()).toEqual(['a', 'b', 'c'])
  // Refused questions have taken no turn from others.
  asked[1]!.answer.reject(new Error('away'))
  asked[2]!.answer.resolve('3')
  await Promise.allSettled(all)
  const again = [ask('e'), ask('f')]
  await turn()
  expect(keys()).toEqual(['a', 'b', 'c', 'e', 'f'])
  for (const { answer } of asked) answer.resolve('')
  await Promise.all(again)
})
