/** Opens the seal of a backup with what the options name, and returns the keys under it. @module */
import { resolve } from 'node:path'
import type { BackupReader } from '../backup/format.ts'
import { ConfigError, type Config } from '../config.ts'
import { keyringOf } from '../crypto/domain-keys.ts'
import { systemRandom } from '../crypto/entropy.ts'
import type { Keyring } from '../crypto/keyring.ts'
import { recoverySeal, sealOf } from '../seals/choose.ts'
import { fileSeal } from '../seals/file.ts'
import { isOfSeal, type Seal } from '../seals/seal.ts'
import { deploymentUnder } from '../server/root-key.ts'
import { openSealed, readSecret } from './secret-input.ts'

/** How to open the seal of a backup. */
export interface SealChoice {
  readonly recovery?: true
  readonly sealKey?: string
}

/** @throws {ConfigError} one line @throws {BackupRefused} */
export async function openKeyring(
  { header }: Pick<BackupReader, 'header'>,
  { recovery, sealKey }: SealChoice,
  config: () => Pick<Config, 'seal'>,
): Promise<Keyring> {
  const role = recovery ? 'recovery' : 'current'
  const sealed = header.seals.find((each) => each.role === role)
  if (sealed === undefined) throw new ConfigError(`the backup has no ${role} seal`)
  const seal = sealBy({ recovery, sealKey }, config)
  if (seal.kind !== sealed.kind) {
    throw new ConfigError(
      `the backup is sealed by ${sealed.kind}, and this is ${seal.kind}: set TRENT_SEAL=` +
        `${sealed.kind}, with what belongs to it, or name the settings of the server in TRENT_CONFIG`,
    )
  }
  const { deploymentId } = header
  const record = Buffer.from(sealed.record, 'base64')
  const domainKeys = header.domainKeys.map(({ version, wrapped }) => ({
    version,
    wrapped: Buffer.from(wrapped, 'base64'),
    createdAt: 0,
  }))
  try {
    const rootKey = await openSealed(seal, record, deploymentId, (shown) => readSecret(shown))
    const opened = deploymentUnder(rootKey, { deploymentId, domainKeys })
    return keyringOf(deploymentId, opened.domainKeys, systemRandom)
  } catch (cause) {
    if (!isOfSeal(cause)) throw cause
    throw new ConfigError(`the seal of the backup does not open: ${cause.message}`, { cause })
  }
}

function sealBy(
  {
    recovery,
    sealKey,
  }: { readonly recovery: true | undefined; readonly sealKey: string | undefined },
  config: () => Pick<Config, 'seal'>,
): Seal {
  if (recovery) return recoverySeal(systemRandom)
  if (sealKey !== undefined) return fileSeal(resolve(sealKey), systemRandom)
  return sealOf(config().seal, systemRandom)
}
