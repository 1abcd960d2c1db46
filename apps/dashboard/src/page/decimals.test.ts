import { describe, expect, it } from 'vitest'
import { changeText, decimalsOf, exactText, priceText, shareText, shortVolume } from './decimals.ts'

describe('decimals of a step', () => {
  it.each([
    ['0.01000000', 2],
    ['0.00000001', 8],
    ['1.00000000', 0],
    ['10', 0],
    ['0.00050000', 4],
    ['', undefined],
  ])('%s has %s', (step, decimals) => {
    expect(decimalsOf(step)).toBe(decimals)
  })
})

describe('a price', () => {
  it.each([
    ['67123.45000000', 2, '67123.45'],
    ['67123.00000000', 2, '67123.00'],
    ['0.00001234', 8, '0.00001234'],
    ['0.00001200', 8, '0.00001200'],
    ['5', 2, '5.00'],
    ['67123.00000000', 0, '67123'],
    ['67123.50000000', undefined, '67123.5'],
  ])('%s with %s decimals is %s', (price, decimals, text) => {
    expect(priceText(price, decimals)).toBe(text)
  })

  it('loses no digit, also when it has more decimals than the step', () => {
    expect(priceText('1.23450000', 2)).toBe('1.2345')
  })

  it('is exact where a float is not', () => {
    expect(exactText('90071992547409931.00000001')).toBe('90071992547409931.00000001')
  })
})

describe('a shortened volume', () => {
  it.each([
    ['0.00000000', '0'],
    ['0.00123000', '0.00123'],
    ['0.00000001', '1.00e-8'],
    ['1.00000000', '1.000'],
    ['12.34567000', '12.35'],
    ['999.94', '999.9'],
    ['999.99', '1.000K'],
    ['1234', '1.234K'],
    ['999950', '1.000M'],
    ['1234567.5', '1.235M'],
    ['81234567890.12', '81.23B'],
    ['1234567890123456', '1.235Q'],
    ['1234567890123456789', '1235Q'],
  ])('%s is %s', (text, short) => {
    expect(shortVolume(text)).toBe(short)
  })
})

it('a change has its sign in front, and none when it rounds to nothing', () => {
  expect(changeText('100', '101.5')).toBe('+1.50 %')
  expect(changeText('100', '98.7')).toBe('−1.30 %')
  expect(changeText('100', '100.001')).toBe('0.00 %')
  expect(changeText('0', '1')).toBe('')
})

it('a share of nothing is not told', () => {
  expect(shareText('54', '100')).toBe('54 %')
  expect(shareText('0', '0.00000000')).toBe('')
})
