/** What `npm test` needs beside npm's packages: a redis-server, and a browser if there can be one. Called by the bootstrap before the tests. */
import { ensureRedisInstalled, installChromium, ServerStartError } from '@chart/servers'

const say = (line: string) => console.log(line)
try {
  await ensureRedisInstalled(say)
  await installChromium(say)
} catch (error) {
  if (!(error instanceof ServerStartError)) throw error
  console.error(error.message)
  process.exitCode = 1
}
