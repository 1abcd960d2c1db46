import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { DecimalError, EXCHANGE_SCALES, formatDecimal, parseDecimal, powerOfTen, quoteVolumeOf } from './decimal.ts'

const scales = fc.integer({ min: 0, max: 30 })
const values = fc.oneof(
  fc.bigInt({ min: -(10n ** 40n), max: 10n ** 40n }),
  fc.bigInt({ min: -1_000n, max: 10n ** 16n }),
)

describe('text and scaled integer', () => {
  test('formatting and parsing give the same value, at any scale', () => {
    fc.assert(
      fc.property(values, scales, (value, scale) => {
        expect(parseDecimal(formatDecimal(value, scale), scale)).toBe(value)
      }),
    )
  })

  test('parsing and formatting give the same text, for every text that the exchange prints', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: 10n ** 20n }), fc.stringMatching(/^\d{8}$/), (whole, fraction) => {
        expect(formatDecimal(parseDecimal(`${whole}.${fraction}`, 8), 8)).toBe(`${whole}.${fraction}`)
      }),
    )
  })

  test('the fast way and the general way agree, whatever the text', () => {
    // A sign or a zero more takes the general way; both must mean the same as the text without them.
    const digits = fc.stringMatching(/^\d{1,20}\.\d{0,12}$/)
    fc.assert(
      fc.property(digits, scales, (text, scale) => {
        const outcome = (given: string) => {
          try {
            return parseDecimal(given, scale)
          } catch (error) {
            expect(error).toBeInstanceOf(DecimalError)
            return 'refused'
          }
        }
        const general = outcome(`-${text}`)
        expect(outcome(text)).toBe(typeof general === 'bigint' ? -general : general)
        expect(outcome(`${text}0`)).toBe(outcome(text))
      }),
      { numRuns: 1_000 },
    )
  })

  test('digits beyond the scale are accepted only when they are zeros', () => {
    expect(parseDecimal('1.50000000', 2)).toBe(150n)
    expect(() => parseDecimal('1.505', 2)).toThrow('"1.505" has 3 decimals, more than the scale of 2')
  })

  test.each([
    '',
    ' ',
    '.',
    '.5',
    '-',
    '--1',
    '+1',
    '1e5',
    '1,5',
    '1.2.3',
    '12.34567.90',
    '0x10',
    'NaN',
    'Infinity',
    '1_000',
    ' 1',
    '1 ',
    '1.5\n',
    '١.٥',
  ])('"%s" is refused with the text and an example', text => {
    for (const scale of [0, 1, 3, 8]) expect(() => parseDecimal(text, scale)).toThrow(DecimalError)
  })

  test('a long text is cut in the message', () => {
    expect(() => parseDecimal(`${'9'.repeat(1_000)}x`, 8)).toThrow(/^"9{40}" is not a decimal/)
  })

  test('fifteen digits, and more, are exact', () => {
    expect(parseDecimal('9999999.99999999', 8)).toBe(999_999_999_999_999n)
    expect(parseDecimal('90071992.54740993', 8)).toBe(9_007_199_254_740_993n)
    expect(parseDecimal('18446744073709551616.00000001', 8)).toBe(1_844_674_407_370_955_161_600_000_001n)
  })

  test('powers of ten are right inside and outside the kept ones', () => {
    for (const exponent of [0, 1, 18, 39, 40, 60])
      expect(powerOfTen(exponent).toString()).toBe(`1${'0'.repeat(exponent)}`)
  })
})

describe('quote volume', () => {
  test('the product is cut off towards zero at the quote scale, never rounded', () => {
    const amounts = fc.bigInt({ min: 0n, max: 10n ** 22n })
    fc.assert(
      fc.property(amounts, amounts, scales, scales, scales, (price, quantity, p, q, quote) => {
        const cut = quoteVolumeOf(price, quantity, { price: p, quantity: q, quote })
        const exact = price * quantity * 10n ** BigInt(quote)
        const unit = 10n ** BigInt(p + q)
        expect(cut * unit <= exact && exact < (cut + 1n) * unit).toBe(true)
      }),
    )
  })

  test('products at and beside multiples of the unit, and of all sizes that a trade has, are cut off as exactly', () => {
    const beside = fc.integer({ min: -2, max: 2 }).map(BigInt)
    const round = fc.tuple(
      fc.constantFrom(10n ** 4n, 10n ** 8n, 2n ** 32n, 2n ** 26n),
      fc.bigInt({ min: 1n, max: 2n ** 27n }),
      beside,
    )
    const amounts = fc.oneof(
      fc.bigInt({ min: 0n, max: 2n ** 53n + 2n }),
      round.map(([unit, count, step]) => unit * count + step),
      fc.bigInt({ min: 0n, max: 10n ** 9n }),
    )
    fc.assert(
      fc.property(amounts, amounts, (price, quantity) => {
        expect(quoteVolumeOf(price, quantity, EXCHANGE_SCALES)).toBe((price * quantity) / 10n ** 8n)
      }),
      { numRuns: 20_000 },
    )
    // The largest quotients that doubles estimate, and the first ones too large for that.
    for (const quotient of [2n ** 50n - 1n, 2n ** 50n, 2n ** 53n - 1n]) {
      for (const rest of [-1n, 0n, 1n]) {
        const price = quotient * 2n + rest
        expect(quoteVolumeOf(price, 5n * 10n ** 7n, EXCHANGE_SCALES)).toBe((price * 5n * 10n ** 7n) / 10n ** 8n)
      }
    }
  })

  test('the first recorded ETHBTC trade: 0.06436200 × 0.01580000 is 0.00101691|96, and the exchange says 0.00101691', () => {
    const product = quoteVolumeOf(parseDecimal('0.06436200', 8), parseDecimal('0.01580000', 8), EXCHANGE_SCALES)
    expect(formatDecimal(product, 8)).toBe('0.00101691')
  })

  test('a symbol with a coarser quote precision is cut there', () => {
    const scales = { price: 8, quantity: 8, quote: 4 }
    expect(formatDecimal(quoteVolumeOf(parseDecimal('2947.58186400', 8), 10n ** 8n, scales), 4)).toBe('2947.5818')
  })
})
