import { expect, test } from 'vitest'
import type { KubeObject } from './kube-object.ts'
import { contractFindings } from './secrets-contract.ts'

const secret = (value: string) =>
  ({ apiVersion: 'v1', kind: 'Secret', metadata: { name: 'edge' }, stringData: { A: value } }) as const
const pod = (reference: object) => ({ kind: 'Pod', reference }) as unknown as KubeObject

test('a Secret of the contract has placeholders, and somebody reads it, as variables or as files', () => {
  expect(contractFindings([secret('REPLACE-ME')], [pod({ name: 'edge' })])).toEqual([])
  expect(contractFindings([secret('REPLACE-ME')], [pod({ secretName: 'edge' })])).toEqual([])
})

test('a value that may be the real one, and a Secret that nobody reads, are found', () => {
  expect(contractFindings([secret('s3cret')], [pod({ name: 'edge' })])).toMatchObject([{ what: 'A has no REPLACE-ME' }])
  expect(contractFindings([secret('REPLACE-ME')], [pod({ name: 'edges' })])).toMatchObject([
    { what: 'is read by nothing' },
  ])
})
