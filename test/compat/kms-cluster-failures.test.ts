/** HSMs that fail in every way, through the wire: each failure has AWS's answer, and no other key notices. @module */
import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import {
  DecryptCommand,
  EncryptCommand,
  GenerateRandomCommand,
  KMSServiceException,
  ScheduleKeyDeletionCommand,
  UpdateCustomKeyStoreCommand,
} from '@aws-sdk/client-kms'
import { faultHsm, noFaultHsm, type FaultHsm } from '../pkcs11/fault-hsm.ts'
import { pin } from '../pkcs11/soft-hsm.ts'
import { eventually } from '../start/node-process.ts'
import {
  keysInHsm,
  makeClusterStore,
  makeHsmKey,
  startHsmWorld,
  type HsmWorld,
} from './cluster-store.ts'
import { connect, disconnect, entryOf } from './external-store.ts'
import { recordsOf } from './records.ts'
import { makeKey, refused } from './sdk.ts'
import { advance } from './test-clock.ts'

const options = noFaultHsm === undefined ? {} : { skip: noFaultHsm }
const Plaintext = Buffer.from('plaintext')

interface FaultWorld extends HsmWorld {
  readonly hsm: FaultHsm
  readonly storeId: string
}

async function startFaultWorld(
  t: TestContext,
  members: readonly string[] = [],
): Promise<FaultWorld> {
  const hsm = faultHsm(t)
  const world = await startHsmWorld(t, { hsm, members })
  return { ...world, hsm, storeId: await makeClusterStore(world.kms) }
}

/** The world with a connected key store and a key in it. */
async function startConnected(
  t: TestContext,
  members: readonly string[] = [],
): Promise<FaultWorld & { readonly KeyId: string }> {
  const world = await startFaultWorld(t, members)
  assert.equal(await connect(world, world.storeId), 'CONNECTED')
  return { ...world, KeyId: await makeHsmKey(world.kms, world.storeId) }
}

const invalidState = 'KMSInvalidStateException'

const nameOf = (error: unknown): string =>
  error instanceof KMSServiceException ? error.name : String(error)

/** Repeats a call until the library runs again: one that crashed or was killed is not started for a second. */
async function untilStarted(use: () => Promise<unknown>): Promise<void> {
  await eventually(60_000, async () => {
    const failure = await use().then(() => undefined, nameOf)
    if (failure !== undefined) assert.equal(failure, invalidState)
    return failure === undefined
  })
}

const noContact =
  'KMS cannot communicate with your CloudHSM cluster. This might be a transient network issue. If you see ' +
  'this error repeatedly, verify that the cluster is active and that its kmsuser can log in.'

test(
  'each failure of a connection has its code, and the next connection works',
  options,
  async (t) => {
    const world = await startFaultWorld(t)
    const { kms, hsm, storeId } = world
    const failures: Readonly<Record<string, string>> = {
      'C_Login fail a0': 'INVALID_CREDENTIALS', // CKR_PIN_INCORRECT
      'C_Login fail a4': 'USER_LOCKED_OUT', // CKR_PIN_LOCKED
      'C_GetTokenInfo flags 20000': 'USER_LOCKED_OUT', // CKF_USER_PIN_FINAL_TRY
      'C_GetTokenInfo flags 40000': 'USER_LOCKED_OUT', // CKF_USER_PIN_LOCKED
      'C_Login fail 102': 'USER_NOT_FOUND', // CKR_USER_PIN_NOT_INITIALIZED
      'C_GetTokenInfo clear 8': 'USER_NOT_FOUND', // CKF_USER_PIN_INITIALIZED
      'C_Login fail 100': 'USER_LOGGED_IN', // CKR_USER_ALREADY_LOGGED_IN
      'C_Login fail 104': 'USER_LOGGED_IN', // CKR_USER_ANOTHER_ALREADY_LOGGED_IN
      'C_OpenSession fail 32': 'NETWORK_ERRORS', // CKR_DEVICE_REMOVED
      'C_Login crash': 'NETWORK_ERRORS',
      'C_Login hang': 'NETWORK_ERRORS',
      'C_Login fail 5': 'INTERNAL_ERROR', // CKR_GENERAL_ERROR
    }
    for (const [rule, code] of Object.entries(failures)) {
      hsm.ask(rule)
      assert.equal(await connect(world, storeId), code, rule)
      hsm.ask()
      await disconnect(world, storeId)
    }
    const restore = hsm.hide()
    assert.equal(await connect(world, storeId), 'INSUFFICIENT_CLOUDHSM_HSMS')
    restore()
    await disconnect(world, storeId)
    const give = (KeyStorePassword: string) =>
      kms.send(new UpdateCustomKeyStoreCommand({ CustomKeyStoreId: storeId, KeyStorePassword }))
    await give('wrong password')
    assert.equal(await connect(world, storeId), 'INVALID_CREDENTIALS')
    assert.equal((await entryOf(kms, storeId)).ConnectionErrorCode, 'INVALID_CREDENTIALS')
    await disconnect(world, storeId)
    await give(pin)
    assert.equal(await connect(world, storeId), 'CONNECTED')
  },
)

test('a cluster that cannot be used is refused before anything is stored', options, async (t) => {
  const hsm = faultHsm(t)
  const { kms } = await startHsmWorld(t, { hsm })
  const invalid = 'CloudHsmClusterInvalidConfigurationException'
  const id = 'cluster-234567abcde'
  hsm.ask('C_GetTokenInfo clear 400') // CKF_TOKEN_INITIALIZED
  await refused(
    makeClusterStore(kms),
    'CloudHsmClusterNotActiveException',
    `The CloudHSM cluster ${id} is not active. Initialize and activate it.`,
  )
  hsm.ask('C_GetSlotList crash')
  await refused(
    makeClusterStore(kms),
    invalid,
    `KMS cannot communicate with the CloudHSM cluster ${id}.`,
  )
  hsm.ask()
  const restore = hsm.hide()
  await refused(makeClusterStore(kms), invalid, `The CloudHSM cluster ${id} has no active HSM.`)
  restore()
  await makeClusterStore(kms)
})

test('a use that fails says so, and the next one works', options, async (t) => {
  const { kms, hsm, storeId, KeyId } = await startConnected(t)
  const encrypt = () => kms.send(new EncryptCommand({ KeyId, Plaintext }))
  const { CiphertextBlob } = await encrypt()
  const decrypt = () => kms.send(new DecryptCommand({ CiphertextBlob }))
  const random = () =>
    kms.send(new GenerateRandomCommand({ NumberOfBytes: 8, CustomKeyStoreId: storeId }))
  const failures = [
    ['C_EncryptInit fail 5', encrypt],
    ['C_Encrypt fail 30', encrypt],
    ['C_Decrypt fail 5', decrypt],
    ['C_Decrypt fail 40', decrypt], // CKR_ENCRYPTED_DATA_INVALID, although Trent's tag is right
    ['C_GenerateRandom fail 30', random],
    ['C_Encrypt crash', encrypt],
  ] as const
  for (const [rule, use] of failures) {
    hsm.ask(rule)
    await refused(use(), invalidState, noContact)
    hsm.ask()
    await (rule.endsWith('crash') ? untilStarted(use) : use())
  }
  const opened = await decrypt()
  assert.deepEqual(Buffer.from(opened.Plaintext ?? []), Plaintext)
})

test(
  'lost sessions, log-ins and handles are taken up again without an error',
  options,
  async (t) => {
    const { kms, hsm, KeyId } = await startConnected(t)
    const { CiphertextBlob } = await kms.send(new EncryptCommand({ KeyId, Plaintext }))
    const rules = [
      'C_DecryptInit once b3', // CKR_SESSION_HANDLE_INVALID
      'C_DecryptInit once 101', // CKR_USER_NOT_LOGGED_IN
      'C_DecryptInit once 60', // CKR_KEY_HANDLE_INVALID
      'C_DecryptInit once 82', // CKR_OBJECT_HANDLE_INVALID
      'C_Decrypt once 32', // CKR_DEVICE_REMOVED
    ]
    for (const rule of rules) {
      hsm.ask(rule)
      const opened = await kms.send(new DecryptCommand({ CiphertextBlob }))
      assert.deepEqual(Buffer.from(opened.Plaintext ?? []), Plaintext, rule)
    }
  },
)

test('a key that is gone from the HSM is named, and others work', options, async (t) => {
  const { kms, hsm, storeId, KeyId } = await startConnected(t)
  const other = await makeHsmKey(kms, storeId)
  hsm.ask('C_EncryptInit fail 60')
  await refused(
    kms.send(new EncryptCommand({ KeyId, Plaintext })),
    invalidState,
    'KMS cannot find the key material of this KMS key in your CloudHSM cluster. Verify that the key ' +
      'with this label exists once in the cluster and that its owner is the kmsuser crypto user.',
  )
  hsm.ask()
  await kms.send(new EncryptCommand({ KeyId: other, Plaintext }))
})

test(
  'a token that makes its own IVs is given none, and one that does not is found out',
  options,
  async (t) => {
    const world = await startConnected(t, ['iv=token'])
    const { kms, hsm, KeyId } = world
    // SoftHSM2 leaves the zeros, which would be the IV of every message.
    await refused(kms.send(new EncryptCommand({ KeyId, Plaintext })), invalidState, noContact)
    hsm.ask('C_EncryptInit iv')
    const { CiphertextBlob } = await kms.send(new EncryptCommand({ KeyId, Plaintext }))
    const opened = await kms.send(new DecryptCommand({ CiphertextBlob }))
    assert.deepEqual(Buffer.from(opened.Plaintext ?? []), Plaintext)
  },
)

test(
  'an HSM that hangs delays no other key, and calls beyond the bound are refused at once',
  options,
  async (t) => {
    const { kms, hsm, server, KeyId } = await startConnected(t)
    const { keyId: ordinary } = await makeKey(kms)
    hsm.ask('C_Encrypt hang')
    // Connections of its own: a client waits for its own sockets.
    const clients = Array.from({ length: 4 }, () => server.client())
    const ended: string[] = []
    const hanging = Array.from({ length: 100 }, async (_, n) => {
      const call = (clients[n % clients.length] ?? kms).send(
        new EncryptCommand({ KeyId, Plaintext }),
      )
      ended.push(await call.then(() => 'answered', nameOf))
    })
    const [throttled, waiting] = [
      Array(36).fill('ThrottlingException'),
      Array(64).fill(invalidState),
    ]
    while (ended.length === 0) await sleep(10)
    for (let calls = 0; calls < 10; calls += 1) {
      await kms.send(new EncryptCommand({ KeyId: ordinary, Plaintext }))
    }
    // The others still wait for the HSM, so no ordinary call waited for it.
    assert.ok(!ended.includes(invalidState), ended.join())
    await Promise.all(hanging)
    assert.deepEqual(ended, [...throttled, ...waiting])
    hsm.ask()
    await untilStarted(() => kms.send(new EncryptCommand({ KeyId, Plaintext })))
  },
)

test('a key whose creation fails half-way leaves nothing in the HSM', options, async (t) => {
  const world = await startFaultWorld(t)
  const { kms, server, hsm, storeId } = world
  await connect(world, storeId)
  // After the object is made: looking at it fails.
  hsm.ask('C_FindObjectsInit fail 30')
  await refused(makeHsmKey(kms, storeId), invalidState, noContact)
  hsm.ask('C_GenerateKey fail 30')
  await refused(makeHsmKey(kms, storeId), invalidState, noContact)
  hsm.ask()
  assert.equal((await keysInHsm(world)).length, 1)
  await advance(server.url, '30s')
  assert.equal((await keysInHsm(world)).length, 1)
  await advance(server.url, '2m')
  assert.deepEqual(await keysInHsm(world), [])
})

test('an HSM that refuses to destroy a key is asked again', options, async (t) => {
  const world = await startConnected(t)
  const { kms, server, hsm, KeyId } = world
  await kms.send(new ScheduleKeyDeletionCommand({ KeyId, PendingWindowInDays: 7 }))
  hsm.ask('C_DestroyObject fail 30')
  await advance(server.url, '7d')
  const [deleted] = (await recordsOf(server.directory)).filter(
    ({ eventName }) => eventName === 'DeleteKey',
  )
  assert.match(JSON.stringify(deleted?.additionalEventData), /FAILURE/)
  assert.equal((await keysInHsm(world)).length, 1)
  hsm.ask()
  await advance(server.url, '2m')
  assert.deepEqual(await keysInHsm(world), [])
})
