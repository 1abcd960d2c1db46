import { join } from 'node:path'
import type { TerraformConfig } from './config.ts'
import { runCommand } from './run-command.ts'
import type { StandIn } from './stand-in-provider.ts'
import type { TerraformFolder } from './terraform-folders.ts'

export interface FolderResult {
  readonly outcome: 'passed' | 'failed' | 'skipped'
  /** One line, or all that Terraform said when it failed. */
  readonly text: string
}

/** Each test starts its provider anew; some ten seconds on two cores, more beside other checks. */
const VERB_TIMEOUT_MS = 300_000

/** What Terraform says where no registry, or no mirror's copy, has the provider. Another version or hash than the locked one is a fault. */
const UNREACHABLE =
  /could not connect to|no such host|connection refused|i\/o timeout|deadline exceeded|network is unreachable|was not found in any of the search locations/i

/** Validates a folder and runs its tests, with its provider or with one that stands in for it. */
export async function checkTerraformFolder(
  folder: TerraformFolder,
  config: TerraformConfig,
  standIn: StandIn | undefined,
): Promise<FolderResult> {
  if (folder.provider === 'kubernetes' && standIn !== undefined && config.tools !== undefined) {
    const script = join(config.tools, 'tf-offline.sh')
    const offline = (verb: string) => say(script, [verb, folder.path], standIn.folder, config)
    return verdictOf(await offline('validate'), () => offline('test'))
  }
  const terraform = (...args: string[]) => say('terraform', [...args, '-no-color'], folder.path, config)
  const init = await terraform('init', '-backend=false', '-input=false', ...initFlags(folder, config))
  if (init.status !== 0) {
    // Its lines are broken at 78 letters.
    if (!UNREACHABLE.test(init.text.replace(/\s+/g, ' '))) return { outcome: 'failed', text: init.text }
    return {
      outcome: 'skipped',
      text: `no registry or mirror has the provider ${folder.provider} (TF_PLUGIN_DIR names a mirror)`,
    }
  }
  return verdictOf(await terraform('validate'), () => terraform('test'))
}

interface Said {
  readonly status: number | null
  /** Both streams. */
  readonly text: string
}

async function say(command: string, args: readonly string[], cwd: string, config: TerraformConfig): Promise<Said> {
  const options = { cwd, env: config.terraformEnv, timeoutMs: VERB_TIMEOUT_MS }
  const outcome = await runCommand(command, args, '', options)
  return outcome === undefined
    ? { status: null, text: `there is no ${command}` }
    : { status: outcome.status, text: outcome.stdout + outcome.stderr }
}

function initFlags(folder: TerraformFolder, { pluginDir }: TerraformConfig): string[] {
  return [
    ...(folder.isEnvironment ? ['-lockfile=readonly'] : []),
    ...(pluginDir !== undefined && folder.provider !== 'none' ? [`-plugin-dir=${pluginDir}`] : []),
  ]
}

async function verdictOf(validated: Said, test: () => Promise<Said>): Promise<FolderResult> {
  if (validated.status !== 0) return { outcome: 'failed', text: validated.text }
  const tested = await test()
  const passed = /(\d+) passed, 0 failed/.exec(tested.text)?.[1]
  // A folder whose tests were not found would pass as well.
  if (tested.status !== 0 || passed === undefined || passed === '0') return { outcome: 'failed', text: tested.text }
  return { outcome: 'passed', text: `valid, ${passed} tests passed` }
}
