/** Checks that the seal of the settings opens the root key. @module */
import { existsSync } from 'node:fs'
import { dirname } from 'node:path'
import type { Config } from '../../config.ts'
import { systemRandom } from '../../crypto/entropy.ts'
import { sealOf } from '../../seals/choose.ts'
import { openAlone } from '../../seals/seal.ts'
import type { SealStatus } from '../../operations/contract/seal-controls.ts'
import { deploymentUnder, requireKind } from '../../server/root-key.ts'
import type { Stored } from './database.ts'
import { ok, skipped, type Outcome } from './finding.ts'
import type { Running } from './running.ts'

/** @throws {SealRefused} @throws {SealUnavailable} */
export async function sealOutcomes(
  config: Config,
  running: Running,
  stored: Stored | undefined,
): Promise<readonly Outcome[]> {
  const setting = config.seal
  if (running.kind === 'unknown') return [skipped('the server may have its root key open')]
  if (running.kind === 'serving') {
    const { kind, doesNotOpen } = running.status.seal
    const found = `the root key is open, sealed by ${kind}`
    if (kind === setting.kind) return [doesNotOpen === undefined ? ok(found) : lost(doesNotOpen)]
    const todo = `set TRENT_SEAL to the ${kind} that seals it before the next start`
    return [{ state: 'failed', found: `${found}, and TRENT_SEAL is ${setting.kind}`, todo }]
  }
  if (running.kind === 'sealed') return [sealed(running.status)]
  if (stored === undefined) return [beforeTheFirstStart(config)]
  const { deployment } = stored
  const seal = sealOf(setting, systemRandom)
  requireKind(seal, deployment.seal.kind)
  if (seal.asks !== 'nothing') {
    return [ok(`${seal.kind}: people open it after a start, by \`trent unseal\``)]
  }
  if (seal.kind === 'pkcs11' || seal.kind === 'tpm2') {
    return [skipped(`${seal.kind}: only a start tries it, because a wrong secret counts there`)]
  }
  const rootKey = await openAlone(seal, deployment.seal.sealedRootKey, deployment.deploymentId)
  deploymentUnder(rootKey, deployment)
  return [ok(`${seal.kind}: it opens the root key, which opens every domain key`)]
}

function lost({ reason, since }: NonNullable<SealStatus['doesNotOpen']>): Outcome {
  const found = `the root key is open, and its seal does not open any more, since ${since}: ${reason}`
  const todo = 'do not restart the server before it does: docs/operations/runbook.md'
  return { state: 'failed', found, todo }
}

function sealed({ seal }: Extract<Running, { readonly kind: 'sealed' }>['status']): Outcome {
  if (seal === undefined) {
    return { state: 'failed', found: 'the server is starting', todo: 'run this again' }
  }
  const found = `the root key is not open${seal.reason === undefined ? '' : `: ${seal.reason}`}`
  if (!seal.initialized) return { state: 'failed', found, todo: 'run `trent init`' }
  const todo =
    seal.asks === 'nothing'
      ? 'correct what is said, and restart: docs/operations/seals.md'
      : 'give the shares or the passphrase by `trent unseal`'
  return { state: 'failed', found, todo }
}

function beforeTheFirstStart({ seal: setting, dataDirectory }: Config): Outcome {
  if (setting.kind !== 'file') return skipped(`${setting.kind}: there is no root key yet`)
  const { path } = setting
  if (existsSync(path)) return ok(`file: ${path} is there; the first start uses it`)
  const directory = dirname(path)
  if (existsSync(directory) || directory === dataDirectory) {
    return ok(`file: the first start makes ${path}`)
  }
  const found = `file: the directory of ${path} does not exist`
  return {
    state: 'failed',
    found,
    todo: `make ${directory}, with mode 700 and of the server's user`,
  }
}
