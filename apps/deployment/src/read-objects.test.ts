import { expect, test } from 'vitest'
import { readObjects } from './read-objects.ts'

test('documents are read as the API server reads them', () => {
  const text =
    '# made by\napiVersion: v1\nkind: ConfigMap\ndata:\n  AUTH: on\n  mode: 0440\n---\n---\napiVersion: v1\nkind: Secret\n'
  expect(readObjects(text, 'a.yaml')).toEqual([
    { apiVersion: 'v1', kind: 'ConfigMap', data: { AUTH: true, mode: 0o440 } },
    { apiVersion: 'v1', kind: 'Secret' },
  ])
})

test('a key that stands twice is refused with its place', () => {
  const text = 'apiVersion: v1\nkind: ConfigMap\ndata:\n  A: "1"\n  A: "2"\n'
  expect(() => readObjects(text, 'a.yaml')).toThrow(/^a\.yaml: Map keys must be unique at line 5/)
})

test('text that is no object is refused', () => {
  expect(() => readObjects('just text', 'a.yaml')).toThrow('a.yaml: document 1 is not an object')
})
