import { withoutRedisPassword } from '@chart/redis'
import type { GrpcPort } from './grpc-port.ts'
import type { Addresses } from './snapshot.ts'

const usualGrpcPort = 50_051

/** What a user types, or pastes into another program; without the passwords of servers that are not ours. */
export function addressesOf(
  { port, note }: GrpcPort,
  urls: { readonly redisUrl: string; readonly databaseUrl: string },
  symbol: string,
): Addresses {
  const grpc = `127.0.0.1:${port}`
  return {
    grpc,
    redis: withoutRedisPassword(urls.redisUrl),
    postgres: withoutPassword(urls.databaseUrl),
    watch: `npx chart watch ${symbol}${port === usualGrpcPort ? '' : ` --address ${grpc}`}`,
    ...(note !== undefined && { note }),
  }
}

export function withoutPassword(text: string): string {
  const url = new URL(text)
  if (url.password === '') return text
  url.password = '***'
  return url.href
}
