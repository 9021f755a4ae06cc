/**
 * Applies the grants of a document, which are identified by name. Grants cannot be changed, so a different
 * grant replaces the one with the same name.
 * @module
 */
import { granteeOf, requestDigest, type GrantRecord } from '../../../model/grant.ts'
import type { KeyRecord } from '../../../model/key.ts'
import { findGrantPrincipal, type GrantPrincipal } from '../../kms/grant-principals.ts'
import {
  checkGrant,
  normalizedConstraints,
  requireGrantable,
  requireGrantQuota,
} from '../../kms/grant-rules.ts'
import type { Applying } from './applying.ts'
import type { GrantEntry } from './document.ts'
import { type DocumentPath, placed } from './document-path.ts'

interface At {
  readonly place: DocumentPath
  /** The ARN of the key. */
  readonly arn: string
  readonly isNew: boolean
}

export async function applyGrants(
  applying: Applying,
  key: KeyRecord,
  entries: readonly GrantEntry[],
  { place, arn, isNew }: At,
): Promise<void> {
  if (entries.length === 0 && !applying.prune) return
  const { transaction, note, prune } = applying
  const present = isNew ? [] : await grantsOf(applying, key)
  const kept = new Set<string>()
  for (const [index, entry] of entries.entries()) {
    const wanted = await requestedBy(applying, key, entry, [...place, index])
    const digest = requestDigest(wanted)
    const namesakes = present.filter(({ name }) => name === entry.name)
    const same = namesakes.find((grant) => requestDigest(grant) === digest)
    for (const other of namesakes) if (other !== same) await transaction.deleteGrant(other)
    for (const { grantId } of namesakes) kept.add(grantId)
    if (same === undefined) await insertGrant(applying, key, wanted, [...place, index])
    if (same !== undefined && namesakes.length === 1) continue
    const change = namesakes.length === 0 ? 'create' : 'update'
    note({ change, type: 'grant', name: `${arn} ${entry.name}` })
  }
  for (const grant of prune ? present : []) {
    if (kept.has(grant.grantId)) continue
    await transaction.deleteGrant(grant)
    note({ change: 'delete', type: 'grant', name: `${arn} ${grant.name ?? grant.grantId}` })
  }
}

type Requested = Omit<GrantRecord, 'grantId' | 'createdAt' | 'rowVersion'>

async function insertGrant(
  { transaction, dependencies, now }: Applying,
  key: KeyRecord,
  wanted: Requested,
  place: DocumentPath,
): Promise<void> {
  const { resources } = dependencies.quotas
  await placed(place, () => requireGrantQuota(transaction, key, granteeOf(wanted), resources))
  const grantId = Buffer.from(dependencies.random.bytes(32)).toString('hex')
  await transaction.insertGrant({ ...wanted, grantId, createdAt: now })
}

async function requestedBy(
  applying: Applying,
  key: KeyRecord,
  entry: GrantEntry,
  place: DocumentPath,
): Promise<Requested> {
  const { name, granteeServicePrincipal, retiringServicePrincipal } = entry
  const operations = [...new Set(entry.operations)]
  const constraints = normalizedConstraints(constraintsOf(entry.constraints))
  const asked = {
    ...(entry.granteePrincipal && { GranteePrincipal: entry.granteePrincipal }),
    ...(granteeServicePrincipal && { GranteeServicePrincipal: granteeServicePrincipal }),
    ...(entry.retiringPrincipal && { RetiringPrincipal: entry.retiringPrincipal }),
    ...(retiringServicePrincipal && { RetiringServicePrincipal: retiringServicePrincipal }),
    ...(constraints && { Constraints: constraints }),
    Operations: operations,
  }
  await placed(place, () => {
    checkGrant(asked)
    requireGrantable(key, operations, constraints)
  })
  const grantee = await principalOf(applying, key, entry.granteePrincipal, [
    ...place,
    'granteePrincipal',
  ])
  const retiring = await principalOf(applying, key, entry.retiringPrincipal, [
    ...place,
    'retiringPrincipal',
  ])
  const { accountId, region, keyId } = key
  return {
    accountId,
    region,
    keyId,
    name,
    ...(grantee && { granteePrincipal: grantee.arn, granteeId: grantee.uniqueId }),
    ...(granteeServicePrincipal && { granteeServicePrincipal }),
    ...(retiring && { retiringPrincipal: retiring.arn, retiringId: retiring.uniqueId }),
    ...(retiringServicePrincipal && { retiringServicePrincipal }),
    issuingAccountId: accountId,
    operations,
    ...(constraints && { constraints }),
  }
}

function constraintsOf(given: GrantEntry['constraints']): GrantRecord['constraints'] {
  if (given === undefined) return undefined
  const { encryptionContextEquals, encryptionContextSubset, sourceArn } = given
  return {
    ...(encryptionContextEquals && { EncryptionContextEquals: { ...encryptionContextEquals } }),
    ...(encryptionContextSubset && { EncryptionContextSubset: { ...encryptionContextSubset } }),
    ...(sourceArn !== undefined && { SourceArn: sourceArn }),
  }
}

/** Finds a principal by ARN, or by `user/name` or `role/name` in the key's account. */
async function principalOf(
  { checks, partition }: Applying,
  { accountId }: KeyRecord,
  text: string | undefined,
  place: DocumentPath,
): Promise<GrantPrincipal | undefined> {
  if (text === undefined) return undefined
  const own = text.startsWith('user/') || text.startsWith('role/')
  const arn = own ? `arn:${partition}:iam::${accountId}:${text}` : text
  const refused = 'an ARN, `user/name` or `role/name` is needed'
  return placed(place, () => findGrantPrincipal(arn, partition, checks.principals, refused))
}

const pageRows = 1000

async function grantsOf(
  { transaction }: Applying,
  key: KeyRecord,
): Promise<readonly GrantRecord[]> {
  const all: GrantRecord[] = []
  for (let after: string | undefined; ; after = all.at(-1)?.grantId) {
    const page = await transaction.listGrants(key, { limit: pageRows, ...(after && { after }) })
    all.push(...page)
    if (page.length < pageRows) return all
  }
}
