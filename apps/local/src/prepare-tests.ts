/** What `npm test` needs beside npm's packages: a redis-server. Called by the bootstrap before the tests. */
import { ensureRedisInstalled, ServerStartError } from '@chart/servers'

try {
  await ensureRedisInstalled(line => console.log(line))
} catch (error) {
  if (!(error instanceof ServerStartError)) throw error
  console.error(error.message)
  process.exitCode = 1
}
