/** What a restore takes away again, by what the log says came after the backup. @module */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { LoggedChange } from '../../src/backup/logged-changes.ts'
import type { KeyRecord } from '../../src/model/key.ts'
import type { MaterialStateRecord } from '../../src/model/key-material.ts'
import type { KeyChanges } from '../../src/store/tables/key-rows.ts'
import { engines, storeOf } from '../store/engines.ts'
import {
  accountId,
  insertAccounts,
  newKey,
  newKeyStore,
  newMaterial,
  newMaterialState,
  newExportedKey,
  newProxyCredential,
  newServedProxy,
  proxyId,
  region,
  storeId,
} from '../store/records.ts'
import { judged, logged, takeAll, type Event } from './logged.ts'

const keyId = 'k1'
const keyArn = `arn:aws:kms:${region}:${accountId}:key/${keyId}`
const materialId = 'ab'.repeat(32)
const until = Date.parse('2027-01-02T03:04:05Z')

const ofKey = (events: readonly Event[]): readonly LoggedChange[] =>
  logged(events, { arns: [keyArn], response: { keyMaterialId: materialId } })

interface Case {
  readonly title: string
  /** The key in the backup. */
  readonly key: Partial<KeyRecord>
  readonly material?: Partial<MaterialStateRecord>
  readonly events: readonly Event[]
  readonly expected: KeyChanges
  /** The events that cannot be repeated because of what the backup has. */
  readonly left?: readonly string[]
}

const waiting = { state: 'PendingDeletion', deletionDate: 5, pendingWindowDays: 7 } as const
const kept = { deletionDate: undefined, pendingWindowDays: undefined } as const
const imported = {
  origin: 'EXTERNAL',
  materialExpirationModel: 'KEY_MATERIAL_DOES_NOT_EXPIRE',
} as const
const there = { importState: 'IMPORTED', expirationModel: 'KEY_MATERIAL_DOES_NOT_EXPIRE' } as const
const passing = { transitionStartedAt: 6, primaryRegion: region } as const
const ended = { transitionStartedAt: undefined } as const
const inStore = { origin: 'EXTERNAL_KEY_STORE', customKeyStoreId: storeId, xksKeyId: 'x' } as const
const expires: Event = [
  'ImportKeyMaterial',
  { expirationModel: 'KEY_MATERIAL_EXPIRES', validTo: '2027-01-02T03:04:05Z' },
]
const staysForGood: Event = [
  'ImportKeyMaterial',
  { expirationModel: 'KEY_MATERIAL_DOES_NOT_EXPIRE' },
]

const cases: readonly Case[] = [
  {
    title: 'a key is not deleted whose deletion was cancelled',
    key: waiting,
    events: [['CancelKeyDeletion']],
    expected: { state: 'Disabled', ...kept },
  },
  {
    title: 'a key that was enabled after it was kept stays disabled: nothing is given back',
    key: waiting,
    events: [['CancelKeyDeletion'], ['EnableKey']],
    expected: { state: 'Disabled', ...kept },
  },
  {
    title: 'a primary key is not deleted whose deletion was cancelled while it had replicas',
    key: { state: 'PendingReplicaDeletion', pendingWindowDays: 7 },
    events: [['CancelKeyDeletion']],
    expected: { state: 'Disabled', ...kept },
  },
  {
    title: 'a key without its material waits for it again',
    key: { ...waiting, origin: 'EXTERNAL' },
    events: [['CancelKeyDeletion']],
    expected: { state: 'PendingImport', ...kept },
  },
  {
    title: 'a key in a store that is not connected stays unavailable',
    key: { ...waiting, ...inStore },
    events: [['CancelKeyDeletion']],
    expected: { state: 'Unavailable', connectedState: 'Disabled', ...kept },
  },
  {
    title: 'a deletion that was cancelled and scheduled again is scheduled',
    key: waiting,
    events: [['CancelKeyDeletion'], ['ScheduleKeyDeletion', { pendingWindowInDays: 9 }]],
    expected: { state: 'PendingDeletion', pendingWindowDays: 9 },
  },
  {
    title: 'a deletion that was scheduled and cancelled leaves the key disabled',
    key: {},
    events: [['ScheduleKeyDeletion'], ['CancelKeyDeletion']],
    expected: { state: 'Disabled', ...kept },
  },
  {
    title: 'a deletion that was cancelled before the key was enabled leaves the key as it was',
    key: {},
    events: [['ScheduleKeyDeletion'], ['CancelKeyDeletion'], ['EnableKey']],
    expected: { state: 'Enabled', ...kept },
  },
  {
    title: 'a key is disabled that its store holds',
    key: { ...inStore, state: 'Unavailable', connectedState: 'Enabled' },
    events: [['DisableKey']],
    expected: { state: 'Unavailable', connectedState: 'Disabled' },
  },
  {
    title: 'a replica is disabled that was being made',
    key: { ...passing, state: 'Creating' },
    events: [['DisableKey']],
    expected: { state: 'Disabled', ...ended },
  },
  {
    title: 'a key is disabled that was changing its primary Region',
    key: { ...passing, state: 'Updating' },
    events: [['DisableKey']],
    expected: { state: 'Disabled', ...ended },
  },
  {
    title: 'a key that was made, disabled and enabled again is left alone',
    key: { ...passing, state: 'Creating' },
    events: [['DisableKey'], ['EnableKey']],
    expected: { state: 'Creating', transitionStartedAt: 6 },
  },
  {
    title: 'a key that waits for its material cannot be disabled, and the next import enables it',
    key: { origin: 'EXTERNAL', state: 'PendingImport' },
    events: [['DisableKey']],
    expected: { state: 'PendingImport' },
    left: ['DisableKey'],
  },
  {
    title: 'a replica that is being made and has no material yet cannot be disabled',
    key: { ...passing, origin: 'EXTERNAL', state: 'Creating' },
    events: [['DisableKey']],
    expected: { state: 'Creating', transitionStartedAt: 6 },
    left: ['DisableKey'],
  },
  {
    title: 'a key that waits for its material is left as it is by a deletion that was cancelled',
    key: { origin: 'EXTERNAL', state: 'PendingImport' },
    events: [['ScheduleKeyDeletion'], ['CancelKeyDeletion']],
    expected: { state: 'PendingImport', ...kept },
  },
  {
    title: 'a deletion is scheduled of a key that its store holds',
    key: { ...inStore, state: 'Unavailable', connectedState: 'Enabled' },
    events: [['ScheduleKeyDeletion']],
    expected: { state: 'PendingDeletion', connectedState: undefined, pendingWindowDays: 30 },
  },
  {
    title: 'material ends when the last import said so',
    key: imported,
    material: there,
    events: [staysForGood, expires],
    expected: {
      state: 'Enabled',
      materialExpirationModel: 'KEY_MATERIAL_EXPIRES',
      materialExpiresAt: until,
    },
  },
  {
    title: 'material stays when the last import said so',
    key: imported,
    material: there,
    events: [expires, staysForGood],
    expected: {
      materialExpirationModel: 'KEY_MATERIAL_DOES_NOT_EXPIRE',
      materialExpiresAt: undefined,
    },
  },
  {
    title: 'material that was deleted and imported again is not there',
    key: imported,
    material: there,
    events: [['DeleteImportedKeyMaterial'], expires],
    expected: { state: 'PendingImport', materialExpiresAt: undefined },
  },
]

for (const { title, key, material, events, expected, left = [] } of cases) {
  test(title, async (t) => {
    const [engine] = engines
    assert.ok(engine)
    const { store } = storeOf((await engine.open(t)).database)
    await insertAccounts(store)
    await store.change(async (transaction) => {
      await transaction.insertKeyStore(newKeyStore())
      await transaction.insertKey(newKey(keyId, key))
      if (material === undefined) return
      await transaction.insertMaterial(newMaterial(materialId, keyId, { origin: 'EXTERNAL' }))
      await transaction.insertMaterialState(newMaterialState(materialId, keyId, material))
    })
    const changes = ofKey(events)
    assert.deepEqual(judged(changes)[1], [])
    const outcomes = await takeAll(store, changes)
    assert.deepEqual(
      outcomes.filter(([, outcome]) => outcome === 'left').map(([name]) => name),
      left,
    )
    const found = await store.findKey({ accountId, region, keyId })
    assert.ok(found)
    const members = Object.keys(expected) as readonly (keyof KeyRecord)[]
    assert.deepEqual(Object.fromEntries(members.map((name) => [name, found[name]])), expected)
  })
}

test('a policy that came after the backup may have denied something', () => {
  const of = { userName: 'alice', groupName: 'staff', policyArn: 'arn:aws:iam::aws:policy/X' }
  for (const [takes, gives] of [
    ['RemoveUserFromGroup', 'AddUserToGroup'],
    ['DetachUserPolicy', 'AttachUserPolicy'],
    ['DetachRolePolicy', 'AttachRolePolicy'],
    ['DetachGroupPolicy', 'AttachGroupPolicy'],
  ] as const) {
    const names = (events: readonly Event[]) => judged(logged(events))
    assert.deepEqual(names([[gives, of]]), [[], [gives]])
    assert.deepEqual(
      names([
        [takes, of],
        [gives, of],
      ]),
      [[], []],
    )
    assert.deepEqual(names([[takes, of]]), [[takes], []])
  }
})

test('credentials and exports of XKS proxies that were revoked after the backup are gone', async (t) => {
  const credential = 'ABCDEFGHIJKLMNOPQRST'
  const after = async (events: readonly Event[]): Promise<readonly unknown[]> => {
    const [engine] = engines
    assert.ok(engine)
    const { store } = storeOf((await engine.open(t)).database)
    await insertAccounts(store)
    await store.change(async (transaction) => {
      await transaction.insertServedProxy(newServedProxy())
      await transaction.insertProxyCredential(newProxyCredential(credential))
      await transaction.insertProxyCredential(newProxyCredential('ZYXWVUTSRQPONMLKJIHG'))
      await transaction.insertExportedKey(newExportedKey('k1', { usages: ['ENCRYPT', 'DECRYPT'] }))
      await transaction.insertExportedKey(newExportedKey('k2'))
    })
    const changes = ofKey(events)
    assert.deepEqual(judged(changes)[1], [])
    await takeAll(store, changes)
    return [
      (await store.listServedProxies()).length,
      (await store.listProxyCredentials({ proxyId })).map(({ accessKeyId }) => accessKeyId),
      (await store.listExportedKeys({ proxyId })).map(({ keyId: id, usages }) => [id, ...usages]),
    ]
  }
  const [both, other] = [['ZYXWVUTSRQPONMLKJIHG', credential].toSorted(), 'ZYXWVUTSRQPONMLKJIHG']
  const keys = [
    ['k1', 'ENCRYPT', 'DECRYPT'],
    ['k2', 'ENCRYPT'],
  ]
  const given: Event[] = [
    ['CreateXksProxy', { name: 'later' }],
    ['RotateXksProxyCredential', { proxyId }],
    ['ExportXksKey', { proxyId, keyId: 'k9', usages: ['ENCRYPT'] }],
    ['ExportXksKey', { proxyId, keyId: 'k2', usages: ['ENCRYPT', 'DECRYPT'] }],
  ]
  assert.deepEqual(await after(given), [1, both, keys])
  const revoked = await after([['RevokeXksProxy', { proxyId, accessKeyId: credential }]])
  assert.deepEqual(revoked, [1, [other], keys])
  const withdrawn = await after([['RevokeXksProxy', { proxyId, keyId: 'k1' }]])
  assert.deepEqual(withdrawn, [1, both, [['k2', 'ENCRYPT']]])
  const narrowed = await after([['ExportXksKey', { proxyId, keyId: 'k1', usages: ['DECRYPT'] }]])
  assert.deepEqual(narrowed, [
    1,
    both,
    [
      ['k1', 'DECRYPT'],
      ['k2', 'ENCRYPT'],
    ],
  ])
  assert.deepEqual(await after([['RevokeXksProxy', { proxyId }]]), [0, [], []])
})
