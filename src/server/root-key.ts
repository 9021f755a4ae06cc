/** Makes the deployment's root key under a seal, and opens its domain keys with it. @module */
import { createSecretKey, type KeyObject } from 'node:crypto'
import { createDomainKey, openDomainKeys, type OpenDomainKey } from '../crypto/domain-keys.ts'
import { NotAuthentic } from '../crypto/keyring.ts'
import type { OpenDeployment } from '../crypto/open-deployment.ts'
import type { Clock, Random } from '../model/clock.ts'
import { openAlone, rootKeyBytes, SealRefused, type Seal, type Wanted } from '../seals/seal.ts'
import type { Database } from '../store/database.ts'
import {
  createDeployment,
  readDeployment,
  type DeploymentRecord,
} from '../store/tables/deployment.ts'

export interface RootKeyDependencies {
  readonly database: Database
  readonly seal: Seal
  readonly clock: Clock
  readonly random: Random
}

/** A deployment that was just made. Only a seal that asks for nothing opens it at once. */
export interface MadeDeployment {
  readonly record: DeploymentRecord
  /** The texts of the shares, if the seal has any. */
  readonly shares?: readonly string[]
}

/**
 * Makes the root key and the first domain key, and stores them in one transaction.
 * @param replaces the id of a deployment that was never opened
 */
export async function makeDeployment(
  { database, seal, clock, random }: RootKeyDependencies,
  wanted?: Wanted,
  replaces?: string,
): Promise<MadeDeployment> {
  const deploymentId = random.uuid()
  const createdAt = clock.now()
  const plaintextKey = random.bytes(rootKeyBytes)
  try {
    const rootKey = createSecretKey(plaintextKey)
    const { record: sealedRootKey, shares } = await seal.seal(plaintextKey, deploymentId, wanted)
    const record = {
      deploymentId,
      createdAt,
      seal: { kind: seal.kind, generation: 1, sealedRootKey },
      domainKeys: [
        { version: 1, wrapped: createDomainKey(rootKey, deploymentId, 1, random), createdAt },
      ],
    }
    await createDeployment(database, record, replaces)
    return { record, ...(shares && { shares }) }
  } finally {
    plaintextKey.fill(0)
  }
}

/** The deployment, which is made if nobody has. Two nodes that start at one moment make one deployment. */
export function deploymentOrNew(dependencies: RootKeyDependencies): Promise<DeploymentRecord> {
  const { database } = dependencies
  return database.alone(
    async () => (await readDeployment(database)) ?? (await makeDeployment(dependencies)).record,
  )
}

/** @throws {SealRefused} unless this root key opens every domain key */
export function deploymentUnder(
  rootKey: KeyObject,
  { deploymentId, domainKeys }: Pick<DeploymentRecord, 'deploymentId' | 'domainKeys'>,
): OpenDeployment {
  try {
    return { deploymentId, domainKeys: openDomainKeys(rootKey, deploymentId, domainKeys) }
  } catch (cause) {
    if (!(cause instanceof NotAuthentic)) throw cause
    const message =
      'the root key is open, and a domain key of this deployment was changed: ' +
      'put the database back from a backup'
    throw new SealRefused(message, { cause })
  }
}

/** Whether each of these domain keys is among the others, with the same version. */
export function areAmong(
  domainKeys: readonly OpenDomainKey[],
  others: readonly OpenDomainKey[],
): boolean {
  return domainKeys.every(({ version, key }) =>
    others.some((each) => each.version === version && each.key.equals(key)),
  )
}

/**
 * INVARIANT (no stranger's root key): a server that runs takes a new root key only together with the domain
 * keys that it knows. Whoever may use the seal and write to the database, but never held the former root
 * key, cannot wrap these.
 * @throws {SealRefused}
 */
export function requireKnown(
  opened: readonly OpenDomainKey[],
  known: readonly OpenDomainKey[],
): void {
  const oldest = Math.min(...opened.map(({ version }) => version))
  const shared = known.filter(({ version }) => version >= oldest)
  if (shared.length > 0 && areAmong(shared, opened)) return
  throw new SealRefused('the new root key does not come with the domain keys of this deployment')
}

/**
 * Opens a deployment with a seal that asks for nothing, or makes it. The root key is not kept.
 * @throws {SealRefused}
 * @throws {SealUnavailable}
 */
export async function openDeployment(dependencies: RootKeyDependencies): Promise<OpenDeployment> {
  const { seal } = dependencies
  const record = await deploymentOrNew(dependencies)
  const { deploymentId } = record
  return deploymentUnder(await openAlone(seal, record.seal.sealedRootKey, deploymentId), record)
}

/** @throws {SealRefused} unless the settings name the seal in the database */
export function requireKind({ kind }: Seal, stored: string): void {
  if (kind === stored) return
  throw new SealRefused(
    `the root key is sealed by ${stored}, and TRENT_SEAL is ${kind}: set TRENT_SEAL to the ${stored} ` +
      'that seals it, and move it with `trent rekey`',
  )
}
