/** What audit records say of key stores in HSM clusters, and how the deletion of a key reaches its HSM. @module */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  DeleteCustomKeyStoreCommand,
  DescribeKeyCommand,
  ScheduleKeyDeletionCommand,
  UpdateCustomKeyStoreCommand,
} from '@aws-sdk/client-kms'
import { accountId, region } from '../harness.ts'
import { clusterId } from '../operations/kms/cluster-stores.ts'
import { noSoftHsm, pin } from '../pkcs11/soft-hsm.ts'
import { keysInHsm, makeClusterStore, makeHsmKey, startHsmWorld } from './cluster-store.ts'
import { connect, disconnect } from './external-store.ts'
import { recordsOf } from './records.ts'
import { refused } from './sdk.ts'
import { advance } from './test-clock.ts'

const options = noSoftHsm === undefined ? {} : { skip: noSoftHsm }
const arnOf = (keyId: string): string => `arn:aws:kms:${region}:${accountId}:key/${keyId}`

test('the deletion of a key destroys it in the HSM, and says so', options, async (t) => {
  const world = await startHsmWorld(t)
  const { kms, server } = world
  const storeId = await makeClusterStore(kms)
  await connect(world, storeId)
  const KeyId = await makeHsmKey(kms, storeId)
  const kept = await makeHsmKey(kms, storeId)
  const [object] = await keysInHsm(world, KeyId)
  await kms.send(new ScheduleKeyDeletionCommand({ KeyId, PendingWindowInDays: 7 }))
  assert.equal((await keysInHsm(world, KeyId)).length, 1)
  await advance(server.url, '7d')
  await refused(
    kms.send(new DescribeKeyCommand({ KeyId })),
    'NotFoundException',
    `Key '${arnOf(KeyId)}' does not exist`,
  )
  assert.deepEqual(await keysInHsm(world, KeyId), [])
  assert.equal((await keysInHsm(world, kept)).length, 1)
  const records = await recordsOf(server.directory)
  const dataOf = (name: string): unknown =>
    records.find(({ eventName }) => eventName === name)?.additionalEventData
  const backing = { keyHandle: object?.id, backingKeyId: object?.id }
  assert.deepEqual(dataOf('CreateKey'), { backingKey: JSON.stringify(backing) })
  const named = {
    customKeyStoreId: storeId,
    clusterId,
    backingKeys: JSON.stringify([backing]),
  }
  assert.deepEqual(dataOf('ScheduleKeyDeletion'), named)
  assert.deepEqual(dataOf('DestroyBackingKeys'), named)
  assert.deepEqual(dataOf('DeleteKey'), {
    ...named,
    backingKeysDeletionStatus: JSON.stringify([{ ...backing, deletionStatus: 'SUCCESS' }]),
  })
})

test('an HSM that is away at the deletion of a key loses it later', options, async (t) => {
  const world = await startHsmWorld(t)
  const { kms, server } = world
  const storeId = await makeClusterStore(kms)
  await connect(world, storeId)
  const KeyId = await makeHsmKey(kms, storeId)
  await kms.send(new ScheduleKeyDeletionCommand({ KeyId, PendingWindowInDays: 7 }))
  await disconnect(world, storeId)
  await advance(server.url, '7d')
  assert.equal((await keysInHsm(world, KeyId)).length, 1)
  const [deleted] = (await recordsOf(server.directory)).filter(
    ({ eventName }) => eventName === 'DeleteKey',
  )
  assert.match(JSON.stringify(deleted?.additionalEventData), /FAILURE/)
  await connect(world, storeId)
  await advance(server.url, '2m')
  assert.deepEqual(await keysInHsm(world, KeyId), [])
})

test('records of a key store name it, its cluster and no password', options, async (t) => {
  const world = await startHsmWorld(t, { members: ['rotate-pin=yes'] })
  const { kms, server } = world
  const CustomKeyStoreId = await makeClusterStore(kms)
  await connect(world, CustomKeyStoreId)
  await disconnect(world, CustomKeyStoreId)
  await kms.send(
    new UpdateCustomKeyStoreCommand({ CustomKeyStoreId, CloudHsmClusterId: clusterId }),
  )
  await kms.send(new DeleteCustomKeyStoreCommand({ CustomKeyStoreId }))
  const records = await recordsOf(server.directory)
  const calls = records
    .filter(({ eventType, eventName }) => eventType === 'AwsApiCall' && eventName.endsWith('Store'))
    .map(({ eventName, requestParameters, additionalEventData }) => [
      eventName,
      requestParameters,
      additionalEventData,
    ])
  const named = { customKeyStoreName: 'hsm', clusterId }
  const id = { customKeyStoreId: CustomKeyStoreId }
  assert.deepEqual(calls, [
    ['CreateCustomKeyStore', named, undefined],
    ['ConnectCustomKeyStore', id, named],
    ['DisconnectCustomKeyStore', id, named],
    ['UpdateCustomKeyStore', { ...id, clusterId }, named],
    ['DeleteCustomKeyStore', id, named],
  ])
  const connected = records.filter(
    ({ eventType, eventName }) =>
      eventType === 'AwsServiceEvent' && eventName === 'ConnectCustomKeyStore',
  )
  assert.deepEqual(
    connected.map(
      (record) => (record as object as { serviceEventDetails?: object }).serviceEventDetails,
    ),
    ['CONNECTING', 'CONNECTED'].map((connectionState) => ({
      ...id,
      ...named,
      connectionState,
      keysMoved: 0,
    })),
  )
  assert.ok(!JSON.stringify(records).includes(pin))
  assert.ok(!server.logged.join('').includes(pin))
  const role = records.find(({ eventName }) => eventName === 'CreateServiceLinkedRole')
  assert.deepEqual(role?.requestParameters, { aWSServiceName: 'cks.kms.amazonaws.com' })
})
