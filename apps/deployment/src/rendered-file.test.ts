import { expect, test } from 'vitest'
import { staleFindings } from './rendered-file.ts'

const map = (name: string, value: string) =>
  `apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: ${name}\ndata:\n  A: "${value}"\n`
const committed = `# made by\n${map('a', '1')}---\n${map('b', '2')}`

test('what is committed is fresh when it has the same objects, in whatever layout', () => {
  expect(staleFindings('local', committed, committed)).toEqual([])
  expect(staleFindings('local', committed, `${map('b', '2')}---\n${map('a', '1')}`)).toEqual([])
})

test('what is not fresh is named with the first lines that differ and what to run', () => {
  const [finding] = staleFindings('local', committed, committed.replace('"2"', '"3"'))
  expect(finding?.object).toBe('k8s/rendered/local.yaml')
  expect(finding?.what).toContain('line 14:\n    -   A: "2"\n')
  expect(finding?.what).toContain('    +   A: "3"')
  expect(finding?.remedy).toContain('npm run render')
  expect(staleFindings('local', committed, map('a', '1'))).toHaveLength(1)
})

test('a rendering that was never made is named', () => {
  expect(staleFindings('local', undefined, committed)).toMatchObject([{ what: 'is not there' }])
})
