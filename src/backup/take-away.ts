/**
 * Takes away again, in a restored store, what changes after the backup took away. What a change names may be
 * newer than the backup: then there is nothing to take away.
 * @module
 */
import { emptyMaterials, settleKey, takeMaterialAway } from '../lifecycle/imported-materials.ts'
import { keptFromDeletion, switched } from '../lifecycle/key-switches.ts'
import { releasePrimary } from '../lifecycle/related-keys.ts'
import { settleWaiting } from '../lifecycle/waiting-material.ts'
import { parseArn } from '../model/arn.ts'
import { isReplica, type KeyRecord } from '../model/key.ts'
import type { MaterialStateRecord } from '../model/key-material.ts'
import { notDyingStates } from '../model/key-state.ts'
import type { Transaction } from '../store/store.ts'
import type { LoggedChange } from './logged-changes.ts'
import { takeIdentityAway, type TakeAway } from './take-away-identities.ts'

const dayMs = 24 * 60 * 60 * 1000
const defaultWindowDays = 30

/** By the name of the event. */
export const takeAway: Readonly<Record<string, TakeAway>> = {
  ...takeIdentityAway,
  DisableKey: ofKey(async (transaction, key) => {
    if (key.state !== 'Enabled' && key.connectedState !== 'Enabled') return
    await transaction.updateKey(key, await switched(transaction, key, 'Disabled'))
  }),
  CancelKeyDeletion: ofKey(async (transaction, key) => {
    if (notDyingStates.includes(key.state)) return
    await transaction.updateKey(key, await keptFromDeletion(transaction, key))
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
  }),
  DeleteKey: ofKey(async (transaction, key, _change, now) => {
    await emptyMaterials(transaction, key)
    await transaction.deleteKey(key, now)
    await settleWaiting(transaction, key)
    if (isReplica(key)) await releasePrimary(transaction, key, now)
  }),
  DeleteImportedKeyMaterial: ofKey(takeMaterial),
  DeleteExpiredKeyMaterial: ofKey(takeMaterial),
  ImportKeyMaterial: ofKey(expireWith),
  RevokeGrant: ofKey(takeGrant),
  RetireGrant: ofKey(takeGrant),
  async DeleteAlias(transaction, { accountId, region, details }) {
    const name = String(details['aliasName'])
    const alias = await transaction.findAlias({ accountId, region, name })
    if (alias !== undefined) await transaction.deleteAlias(alias)
  },
  async DeleteAccessKey(transaction, change) {
    const key = await transaction.findAccessKey(String(change.details['accessKeyId']))
    if (key?.accountId === change.accountId) await transaction.deleteAccessKey(key)
  },
  async UpdateAccessKey(transaction, change) {
    const key = await transaction.findAccessKey(String(change.details['accessKeyId']))
    if (key?.accountId !== change.accountId || key.status === 'Inactive') return
    await transaction.updateAccessKey(key, { status: 'Inactive' })
  },
  async ResetRoot(transaction, { details, accountId }) {
    // The new one is lost: `trent break-glass reset-root` makes another.
    const of = typeof details['accountId'] === 'string' ? details['accountId'] : accountId
    for (const key of await transaction.listAccessKeysOf(of)) await transaction.deleteAccessKey(key)
  },
  async DeregisterService(transaction, { details }) {
    const { name, region } = details
    const services = await transaction.listServices()
    const service = services.find((each) => each.name === name && each.region === region)
    if (service !== undefined) await transaction.deleteService(service)
  },
  // What it gave is lost. It may also have narrowed what a key is exported for.
  async ExportXksKey(transaction, { details }) {
    const ref = { proxyId: String(details['proxyId']), keyId: String(details['keyId']) }
    const key = await transaction.findExportedKey(ref)
    if (key === undefined) return
    const since = details['usages']
    const usages = key.usages.filter((each) => Array.isArray(since) && since.includes(each))
    if (usages.length < key.usages.length) await transaction.updateExportedKey(key, { usages })
  },
  async RevokeXksProxy(transaction, { details }) {
    const { accessKeyId, keyId } = details
    const proxy = await transaction.findServedProxy({ proxyId: String(details['proxyId']) })
    if (proxy === undefined) return
    const isWhole = accessKeyId === undefined && keyId === undefined
    for (const each of await transaction.listProxyCredentials(proxy)) {
      if (isWhole || each.accessKeyId === accessKeyId) await transaction.deleteProxyCredential(each)
    }
    for (const each of await transaction.listExportedKeys(proxy)) {
      if (isWhole || each.keyId === keyId) await transaction.deleteExportedKey(each)
    }
    if (isWhole) await transaction.deleteServedProxy(proxy)
  },
}

function ofKey(
  act: (
    transaction: Transaction,
    key: KeyRecord,
    change: LoggedChange,
    now: number,
  ) => Promise<void>,
): TakeAway {
  return async (transaction, change, now) => {
    const arn = change.arns.map(parseArn).find((each) => each?.resource.startsWith('key/'))
    if (arn === undefined) return
    const { accountId, region } = arn
    const keyId = arn.resource.slice('key/'.length)
    const key = await transaction.findKey({ accountId, region, keyId })
    if (key !== undefined) await act(transaction, key, change, now)
  }
}

async function takeMaterial(
  transaction: Transaction,
  key: KeyRecord,
  change: LoggedChange,
): Promise<void> {
  const material = await materialOf(transaction, key, change)
  if (material !== undefined) await takeMaterialAway(transaction, key, material)
}

/** A material that was there already may have been imported again, until another date. */
async function expireWith(
  transaction: Transaction,
  key: KeyRecord,
  change: LoggedChange,
): Promise<void> {
  const material = await materialOf(transaction, key, change)
  if (material?.importState !== 'IMPORTED') return
  const { expirationModel, validTo } = change.details
  const expires = expirationModel === 'KEY_MATERIAL_EXPIRES'
  const until = expires ? Date.parse(String(validTo)) : undefined
  if (Number.isNaN(until)) return
  await transaction.updateMaterialState(material, {
    expirationModel: expires ? 'KEY_MATERIAL_EXPIRES' : 'KEY_MATERIAL_DOES_NOT_EXPIRE',
    validTo: until,
  })
  await settleKey(transaction, key)
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
): Promise<void> {
  const grantId = String(details['grantId'])
  const grant = await transaction.findGrant({ accountId, region, keyId, grantId })
  if (grant !== undefined) await transaction.deleteGrant(grant)
}
