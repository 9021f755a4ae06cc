/**
 * Takes away again, in a restored store, what changes after the backup took away. What a change names may be
 * newer than the backup: then there is nothing to take away, and the outcome says so.
 * @module
 */
import { emptyMaterials, settleKey, takeMaterialAway } from '../lifecycle/imported-materials.ts'
import { keptFromDeletion, switched, transitionEnded } from '../lifecycle/key-switches.ts'
import { releasePrimary } from '../lifecycle/related-keys.ts'
import { settleWaiting } from '../lifecycle/waiting-material.ts'
import { parseArn } from '../model/arn.ts'
import { isReplica, type KeyRecord } from '../model/key.ts'
import type { MaterialStateRecord } from '../model/key-material.ts'
import { notDyingStates } from '../model/key-state.ts'
import type { Transaction } from '../store/store.ts'
import type { LoggedChange } from './logged-changes.ts'
import { takeIdentityAway, type Outcome, type TakeAway } from './take-away-identities.ts'

const dayMs = 24 * 60 * 60 * 1000
const defaultWindowDays = 30

/** By the name of the event. */
export const takeAway: Readonly<Record<string, TakeAway>> = {
  ...takeIdentityAway,
  DisableKey: ofKey(disable),
  // What a cancelled deletion left disabled. A key without its material was not.
  DisableKeptKey: ofKey(async (transaction, key) => {
    const outcome = await disable(transaction, key)
    return outcome === 'left' ? 'absent' : outcome
  }),
  CancelKeyDeletion: ofKey(async (transaction, key) => {
    if (notDyingStates.includes(key.state)) return 'absent'
    await transaction.updateKey(key, await keptFromDeletion(transaction, key))
    return 'taken'
  }),
  ScheduleKeyDeletion: ofKey(async (transaction, key, change) => {
    const { keyState, deletionDate } = change.response
    const windowDays = Number(change.details['pendingWindowInDays'] ?? defaultWindowDays)
    const waits = keyState === 'PendingReplicaDeletion'
    const from = Date.parse(change.time)
    const told = Date.parse(String(deletionDate))
    await transaction.updateKey(key, {
      state: waits ? 'PendingReplicaDeletion' : 'PendingDeletion',
      deletionDate: waits ? undefined : Number.isNaN(told) ? from + windowDays * dayMs : told,
      pendingWindowDays: windowDays,
      transitionStartedAt: undefined,
      connectedState: undefined,
    })
    return 'taken'
  }),
  DeleteKey: ofKey(async (transaction, key, _change, now) => {
    await emptyMaterials(transaction, key)
    await transaction.deleteKey(key, now)
    await settleWaiting(transaction, key)
    if (isReplica(key)) await releasePrimary(transaction, key, now)
    return 'taken'
  }),
  DeleteImportedKeyMaterial: ofKey(takeMaterial),
  DeleteExpiredKeyMaterial: ofKey(takeMaterial),
  ImportKeyMaterial: ofKey(expireWith),
  RevokeGrant: ofKey(takeGrant),
  RetireGrant: ofKey(takeGrant),
  async DeleteAlias(transaction, { accountId, region, details }) {
    const name = String(details['aliasName'])
    const alias = await transaction.findAlias({ accountId, region, name })
    if (alias === undefined) return 'absent'
    await transaction.deleteAlias(alias)
    return 'taken'
  },
  async DeleteAccessKey(transaction, change) {
    const key = await transaction.findAccessKey(String(change.details['accessKeyId']))
    if (key?.accountId !== change.accountId) return 'absent'
    await transaction.deleteAccessKey(key)
    return 'taken'
  },
  async UpdateAccessKey(transaction, change) {
    const key = await transaction.findAccessKey(String(change.details['accessKeyId']))
    if (key?.accountId !== change.accountId || key.status === 'Inactive') return 'absent'
    await transaction.updateAccessKey(key, { status: 'Inactive' })
    return 'taken'
  },
  async ResetRoot(transaction, { details, accountId }) {
    // The new one is lost: `trent break-glass reset-root` makes another.
    const of = typeof details['accountId'] === 'string' ? details['accountId'] : accountId
    const keys = await transaction.listAccessKeysOf(of)
    for (const key of keys) await transaction.deleteAccessKey(key)
    return keys.length > 0 ? 'taken' : 'absent'
  },
  async DeregisterService(transaction, { details }) {
    const { name, region } = details
    const services = await transaction.listServices()
    const service = services.find((each) => each.name === name && each.region === region)
    if (service === undefined) return 'absent'
    await transaction.deleteService(service)
    return 'taken'
  },
  // What it gave is lost. It may also have narrowed what a key is exported for.
  async ExportXksKey(transaction, { details }) {
    const ref = { proxyId: String(details['proxyId']), keyId: String(details['keyId']) }
    const key = await transaction.findExportedKey(ref)
    if (key === undefined) return 'absent'
    const since = details['usages']
    const usages = key.usages.filter((each) => Array.isArray(since) && since.includes(each))
    if (usages.length === key.usages.length) return 'absent'
    await transaction.updateExportedKey(key, { usages })
    return 'taken'
  },
  async RevokeXksProxy(transaction, { details }) {
    const { accessKeyId, keyId } = details
    const proxy = await transaction.findServedProxy({ proxyId: String(details['proxyId']) })
    if (proxy === undefined) return 'absent'
    const isWhole = accessKeyId === undefined && keyId === undefined
    const credentials = (await transaction.listProxyCredentials(proxy)).filter(
      (each) => isWhole || each.accessKeyId === accessKeyId,
    )
    for (const each of credentials) await transaction.deleteProxyCredential(each)
    const keys = (await transaction.listExportedKeys(proxy)).filter(
      (each) => isWhole || each.keyId === keyId,
    )
    for (const each of keys) await transaction.deleteExportedKey(each)
    if (isWhole) await transaction.deleteServedProxy(proxy)
    return isWhole || credentials.length + keys.length > 0 ? 'taken' : 'absent'
  },
}

function ofKey(
  act: (
    transaction: Transaction,
    key: KeyRecord,
    change: LoggedChange,
    now: number,
  ) => Promise<Outcome>,
): TakeAway {
  return async (transaction, change, now) => {
    const arn = change.arns.map(parseArn).find((each) => each?.resource.startsWith('key/'))
    if (arn === undefined) return 'absent'
    const { accountId, region } = arn
    const keyId = arn.resource.slice('key/'.length)
    const key = await transaction.findKey({ accountId, region, keyId })
    return key === undefined ? 'absent' : act(transaction, key, change, now)
  }
}

/** A key that lacks its material cannot be disabled, and its next import enables it. */
async function disable(transaction: Transaction, key: KeyRecord): Promise<Outcome> {
  // The backup may have the key in a passing state, at the end of which a job would enable it.
  const ended = transitionEnded(key)
  const { state, connectedState } = { ...key, ...ended }
  if (state === 'PendingImport') return 'left'
  if (state !== 'Enabled' && connectedState !== 'Enabled') return 'absent'
  const disabled = await switched(transaction, key, 'Disabled')
  await transaction.updateKey(key, { ...ended, ...disabled })
  return 'taken'
}

async function takeMaterial(
  transaction: Transaction,
  key: KeyRecord,
  change: LoggedChange,
): Promise<Outcome> {
  const material = await materialOf(transaction, key, change)
  if (material === undefined) return 'absent'
  await takeMaterialAway(transaction, key, material)
  return material.importState === 'IMPORTED' ? 'taken' : 'absent'
}

/** A material that was there already may have been imported again, until another date. */
async function expireWith(
  transaction: Transaction,
  key: KeyRecord,
  change: LoggedChange,
): Promise<Outcome> {
  const material = await materialOf(transaction, key, change)
  if (material?.importState !== 'IMPORTED') return 'absent'
  const { expirationModel, validTo } = change.details
  const expires = expirationModel === 'KEY_MATERIAL_EXPIRES'
  const until = expires ? Date.parse(String(validTo)) : undefined
  if (Number.isNaN(until)) return 'left'
  await transaction.updateMaterialState(material, {
    expirationModel: expires ? 'KEY_MATERIAL_EXPIRES' : 'KEY_MATERIAL_DOES_NOT_EXPIRE',
    validTo: until,
  })
  await settleKey(transaction, key)
  return 'taken'
}

async function materialOf(
  transaction: Transaction,
  key: KeyRecord,
  { details, response }: LoggedChange,
): Promise<MaterialStateRecord | undefined> {
  const told = details['keyMaterialId'] ?? response['keyMaterialId']
  const materialId = typeof told === 'string' ? told : key.currentMaterialId
  if (materialId === undefined) return undefined
  const { accountId, region, keyId } = key
  return transaction.findMaterialState({ accountId, region, keyId, materialId })
}

async function takeGrant(
  transaction: Transaction,
  { accountId, region, keyId }: KeyRecord,
  { details }: LoggedChange,
): Promise<Outcome> {
  const grantId = String(details['grantId'])
  const grant = await transaction.findGrant({ accountId, region, keyId, grantId })
  if (grant === undefined) return 'absent'
  await transaction.deleteGrant(grant)
  return 'taken'
}
