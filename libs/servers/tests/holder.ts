/** A parent for `die-with-parent.test.ts`: starts what it is told, says so in one line, and waits to be killed. */
import { spawnBound, startPostgres, startRedis } from '../src/index.ts'

const [dir] = process.argv.slice(2)
const redis = await startRedis({ dir: `${dir}/redis`, appendOnly: true })
const postgres = await startPostgres({ dir: `${dir}/postgres`, fsync: false })
// Deaf to the polite signal: needs the SIGKILL that follows.
const deaf = spawnBound('sh', ['-c', 'trap "" TERM; while :; do sleep 0.1; done'], { stdio: 'ignore' })
console.log(JSON.stringify({ redis: redis.pid, postgres: postgres.pid, deaf: deaf.pid }))
setInterval(() => {}, 60_000)
