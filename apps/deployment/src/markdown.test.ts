import { expect, test } from 'vitest'
import { linksIn, sectionsOf } from './markdown.ts'

test('sections have their heading, its anchor and their text; a comment in a code block is none', () => {
  const text = '# One\na\n```sh\n# not one\n```\n## From A to B, or `c`\nb\n### Empty\n'
  expect(sectionsOf(text)).toEqual([
    { heading: 'One', level: 1, anchor: 'one', text: expect.stringMatching(/^a\n/) },
    { heading: 'From A to B, or `c`', level: 2, anchor: 'from-a-to-b-or-c', text: 'b\n' },
    { heading: 'Empty', level: 3, anchor: 'empty', text: '' },
  ])
})

test('links', () => {
  expect(linksIn('see [a](#b), [c](../d.md#e) and (f)')).toEqual(['#b', '../d.md#e'])
})
