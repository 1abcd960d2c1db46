import { checkKubernetes } from './check-kubernetes.ts'
import { readKubernetesConfig } from './config.ts'
import { PLACES } from './places.ts'

/** `npm run check:k8s`: status 0 when nothing was found. */
const count = await checkKubernetes(PLACES, readKubernetesConfig(), line => process.stdout.write(`${line}\n`))
if (count > 0) process.exitCode = 1
