/** What `npm test` needs beside npm's packages: a redis-server, and a browser and promtool where they can be had. Called by the bootstrap before the tests. */
import { ensureRedisInstalled, installChromium, installPromtool, ServerStartError } from '@chart/servers'

const say = (line: string) => console.log(line)
try {
  await ensureRedisInstalled(say)
  await installChromium(say)
  await installPromtool(say)
} catch (error) {
  if (!(error instanceof ServerStartError)) throw error
  console.error(error.message)
  process.exitCode = 1
}
