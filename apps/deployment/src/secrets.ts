import { randomBytes } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { type ApiKey, hashOfSecret, newApiKey, textOfApiKey } from '@chart/grpc'
import { stringify } from 'yaml'
import { ofKind } from './kube-object.ts'
import { makeLocalSecrets } from './local-secrets.ts'
import { PLACES } from './places.ts'
import { readObjects } from './read-objects.ts'
import { renderedFileOf } from './rendered-file.ts'
import { readSecretsContract } from './secrets-contract.ts'

/** `npm run -s secrets:local | kubectl apply -f -`: new Secrets for the local overlay, and the namespace that they are in. */

/** 192 bits: nobody types them. */
const PASSWORD_BYTES = 24

const objects = readObjects(await readFile(renderedFileOf('local', PLACES), 'utf8'), 'k8s/rendered/local.yaml')
const key = newApiKey('local')
// Shown to nobody: the dashboard finds it in its Secret.
const dashboardKey = newApiKey('dashboard')
const entryOf = ({ id, secret }: ApiKey, scopes: readonly string[]) => ({ id, sha256: hashOfSecret(secret), scopes })
const secrets = makeLocalSecrets({
  contract: await readSecretsContract(PLACES),
  objects,
  redisUsers: await readFile(PLACES.redisUsers, 'utf8'),
  apiKeys: [entryOf(key, ['live', 'history']), entryOf(dashboardKey, ['history'])],
  dashboardKey: textOfApiKey(dashboardKey),
  newPassword: () => randomBytes(PASSWORD_BYTES).toString('base64url'),
})
process.stdout.write(
  [...ofKind(objects, 'Namespace'), ...secrets]
    .map(object => stringify(object, { version: '1.1', lineWidth: 0 }))
    .join('---\n'),
)
process.stderr.write(`the API key of this cluster, which is shown this once:\n${textOfApiKey(key)}\n`)
