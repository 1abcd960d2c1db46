import { describe, expect, it } from 'vitest'
import { CHARTS_MAX, nextTheme, pageAddressOf, searchOf } from './page-address.ts'

describe('the address', () => {
  it('is read as it was written', () => {
    const address = {
      charts: [
        { symbol: 'BTCUSDT', interval: '1m' },
        { symbol: '1000SATSUSDT', interval: '5m' },
      ],
      theme: 'dark',
    } as const
    expect(searchOf(address)).toBe('?charts=BTCUSDT:1m,1000SATSUSDT:5m&theme=dark')
    expect(pageAddressOf(searchOf(address))).toEqual(address)
  })

  it('is empty where nothing was chosen', () => {
    expect(searchOf({ charts: [], theme: undefined })).toBe('')
    expect(pageAddressOf('')).toEqual({ charts: [], theme: undefined })
  })

  it('may be typed by hand', () => {
    expect(pageAddressOf('?charts=btcusdt, ethusdt:4h&theme=pink')).toEqual({
      charts: [
        { symbol: 'BTCUSDT', interval: '1m' },
        { symbol: 'ETHUSDT', interval: '4h' },
      ],
      theme: undefined,
    })
  })

  it('loses what no series can be called', () => {
    expect(pageAddressOf('?charts=<b>:1m,BTCUSDT:1m:2,BTCUSDT:hour,:,ETHUSDT:1m').charts).toEqual([
      { symbol: 'ETHUSDT', interval: '1m' },
    ])
  })

  it('has no more charts than a page may have', () => {
    expect(pageAddressOf(`?charts=${Array(40).fill('BTCUSDT:1m').join()}`).charts).toHaveLength(CHARTS_MAX)
  })
})

it('the theme button changes what is seen, and comes back to the system’s', () => {
  expect(nextTheme(undefined, 'dark')).toBe('light')
  expect(nextTheme('light', 'dark')).toBe('dark')
  expect(nextTheme('dark', 'dark')).toBeUndefined()
  expect(nextTheme(undefined, 'light')).toBe('dark')
})
