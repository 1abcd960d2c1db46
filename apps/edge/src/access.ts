import type { BarServer, CallGuard, TlsMaterial } from '@chart/grpc'
import { type Log, readFiles, type WatchedFiles, watchFiles } from '@chart/service'
import type { AccessConfig, TlsFiles } from './access-config.ts'
import { CallAdmission } from './admission.ts'
import { keyRingOf } from './key-ring.ts'

/** What decides who may connect and call, read from its files and again whenever they change. */
export interface Access extends Disposable {
  readonly guard: CallGuard
  readonly tls: TlsMaterial | undefined
  /** From now on the server has new certificates as they come. */
  follow(server: Pick<BarServer, 'updateTls'>): void
  /** Reads the files now. */
  look(): Promise<void>
}

/** @throws Error naming the file that cannot be read or used */
export async function openAccess(config: AccessConfig, log: Log): Promise<Access> {
  for (const warning of config.warnings) log.warn(warning)
  const watched: WatchedFiles[] = []
  const keys = config.apiKeysFile === undefined ? undefined : await watchKeys(config.apiKeysFile, log, watched)
  const { tlsFiles } = config
  const tlsTexts = tlsFiles === undefined ? [] : await readFiles(pathsOf(tlsFiles))
  return {
    guard: new CallAdmission({ ...config, keys }),
    tls: tlsFiles === undefined ? undefined : materialOf(tlsTexts),
    follow(server) {
      if (tlsFiles === undefined) return
      watched.push(
        watchFiles({
          paths: pathsOf(tlsFiles),
          first: tlsTexts,
          onChange(texts) {
            server.updateTls(materialOf(texts))
            log.info('new connections see the new certificate')
          },
          onError: error =>
            log.error({ reason: error.message }, 'the new certificate cannot be used; the former stays'),
        }),
      )
    },
    async look() {
      await Promise.all(watched.map(files => files.look()))
    },
    [Symbol.dispose]() {
      for (const files of watched) files[Symbol.dispose]()
    },
  }
}

async function watchKeys(file: string, log: Log, watched: WatchedFiles[]) {
  const first = await readFiles([file])
  let ring = keyRingIn(file, first[0]!)
  log.info({ keys: ring.size }, 'API keys are asked for')
  watched.push(
    watchFiles({
      paths: [file],
      first,
      onChange([text]) {
        ring = keyRingIn(file, text!)
        log.info({ keys: ring.size }, 'the API keys have changed')
      },
      onError: error => log.error({ reason: error.message }, 'the new API keys cannot be used; the former stay'),
    }),
  )
  return () => ring
}

function keyRingIn(file: string, text: string) {
  try {
    return keyRingOf(text)
  } catch (error) {
    throw new Error(`the API keys in ${file} cannot be used: ${(error as Error).message}`, { cause: error })
  }
}

function pathsOf({ cert, key, clientCa }: TlsFiles): string[] {
  return [cert, key, ...(clientCa === undefined ? [] : [clientCa])]
}

function materialOf([cert, key, clientCa]: readonly string[]): TlsMaterial {
  return { cert: cert!, key: key!, ...(clientCa !== undefined && { clientCa }) }
}
