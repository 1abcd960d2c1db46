import { describe, expect, it } from 'vitest'
import { commandOf } from './key-bindings.ts'

const press = (key: string, held = {}) => commandOf({ key, ctrlKey: false, metaKey: false, altKey: false, ...held })

describe('keys', () => {
  it.each([
    ['1', { does: 'interval', index: 0 }],
    ['7', { does: 'interval', index: 6 }],
    ['ArrowRight', { does: 'chart', by: 1 }],
    ['ArrowUp', { does: 'symbol', by: -1 }],
    ['/', { does: 'search' }],
    ['?', { does: 'help' }],
    ['+', { does: 'zoom', by: 1 }],
    ['=', { does: 'zoom', by: 1 }],
    ['-', { does: 'zoom', by: -1 }],
    ['End', { does: 'newest' }],
    ['X', { does: 'remove' }],
  ])('%s', (key, command) => {
    expect(press(key)).toEqual(command)
  })

  it('that mean nothing here are the browser’s', () => {
    for (const key of ['0', 'q', 'Tab', 'Enter', 'F5', 'constructor']) expect(press(key)).toBeUndefined()
  })

  it('with Ctrl, Alt or Meta are the browser’s', () => {
    for (const held of ['ctrlKey', 'altKey', 'metaKey']) expect(press('1', { [held]: true })).toBeUndefined()
  })
})
