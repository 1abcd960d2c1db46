import { withoutRedisPassword } from '@chart/redis'
import type { ChosenPort } from './chosen-port.ts'
import type { Addresses } from './snapshot.ts'

const usualGrpcPort = 50_051

/** What a user types, or pastes into another program; without the passwords of servers that are not ours. */
export function addressesOf(
  ports: { readonly grpc: ChosenPort; readonly http: ChosenPort },
  urls: { readonly redisUrl: string; readonly databaseUrl: string },
  symbol: string,
): Addresses {
  const { port } = ports.grpc
  const grpc = `127.0.0.1:${port}`
  const notes = [ports.http.note, ports.grpc.note].filter(note => note !== undefined)
  return {
    chart: `http://127.0.0.1:${ports.http.port}`,
    grpc,
    redis: withoutRedisPassword(urls.redisUrl),
    postgres: withoutPassword(urls.databaseUrl),
    watch: `npx chart watch ${symbol}${port === usualGrpcPort ? '' : ` --address ${grpc}`}`,
    ...(notes.length > 0 && { notes }),
  }
}

export function withoutPassword(text: string): string {
  const url = new URL(text)
  if (url.password === '') return text
  url.password = '***'
  return url.href
}
