import { describe, expect, test } from 'vitest'
import { isLoopback, parseEdgeAddress, textOfHost } from './edge-address.ts'

describe('an address', () => {
  test.each([
    ['127.0.0.1:50051', ['127.0.0.1:50051'], undefined],
    ['edge', ['edge:50051'], undefined],
    ['edge-a:1,edge-b:2', ['edge-a:1', 'edge-b:2'], undefined],
    ['[::1]:7', ['[::1]:7'], undefined],
    ['dns:///edge.chart.svc:50051', ['edge.chart.svc:50051'], undefined],
    ['dns:edge:50051', ['edge:50051'], undefined],
    ['dns://10.0.0.10:53/edge:50051', ['edge:50051'], '10.0.0.10:53'],
    ['ipv4:127.0.0.1:1,127.0.0.2:2', ['127.0.0.1:1', '127.0.0.2:2'], undefined],
  ])('%s names its hosts', (address, hosts, nameServer) => {
    const parsed = parseEdgeAddress(address)
    expect(parsed.hosts.map(textOfHost)).toEqual(hosts)
    expect(parsed.nameServer).toBe(nameServer)
  })

  test.each(['', 'a:b', 'a:1,', 'http://edge:50051/', 'edge:99999', '[edge]:1', 'a b:1', 'https://x', 'unix:/tmp/x'])(
    '"%s" is refused with the wanted form',
    address => {
      expect(() => parseEdgeAddress(address)).toThrow(
        `the address "${address}" cannot be read; it has the form host:port`,
      )
    },
  )

  test.each([
    ['127.0.0.1:1,localhost:2,[::1]:3', true],
    ['127.0.0.1:1,edge:2', false],
    ['127.evil.example:1', false],
    ['dns:///localhost:1', true],
  ])('%s is on this machine alone: %s', (address, loopback) => {
    expect(isLoopback(parseEdgeAddress(address))).toBe(loopback)
  })
})
