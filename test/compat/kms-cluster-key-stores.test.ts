/** Key stores in HSM clusters through the wire, with SoftHSM2: their life, and that of their keys. @module */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  CancelKeyDeletionCommand,
  ConnectCustomKeyStoreCommand,
  DecryptCommand,
  DeleteCustomKeyStoreCommand,
  DescribeKeyCommand,
  DisableKeyCommand,
  DisconnectCustomKeyStoreCommand,
  EnableKeyCommand,
  EncryptCommand,
  GenerateDataKeyCommand,
  GenerateDataKeyWithoutPlaintextCommand,
  GenerateRandomCommand,
  ReEncryptCommand,
  ScheduleKeyDeletionCommand,
  UpdateCustomKeyStoreCommand,
  UpdateKeyDescriptionCommand,
  type KMSClient,
} from '@aws-sdk/client-kms'
import { accountId, region } from '../harness.ts'
import { clusterId, trustAnchor } from '../operations/kms/cluster-stores.ts'
import { noSoftHsm, pin } from '../pkcs11/soft-hsm.ts'
import { keysInHsm, makeClusterStore, makeHsmKey, startHsmWorld } from './cluster-store.ts'
import { connect, disconnect, entryOf } from './external-store.ts'
import { makeKey, refused } from './sdk.ts'

const options = noSoftHsm === undefined ? {} : { skip: noSoftHsm }
const arnOf = (keyId: string): string => `arn:aws:kms:${region}:${accountId}:key/${keyId}`
const Plaintext = Buffer.from('the HSM sees this')
const EncryptionContext = { purpose: 'test' }

async function stateOf(kms: KMSClient, KeyId: string): Promise<string | undefined> {
  return (await kms.send(new DescribeKeyCommand({ KeyId }))).KeyMetadata?.KeyState
}

test(
  'a key store is made, shown, connected, renamed, disconnected and deleted',
  options,
  async (t) => {
    const world = await startHsmWorld(t)
    const { kms } = world
    const CustomKeyStoreId = await makeClusterStore(kms)
    const { CreationDate, ...entry } = await entryOf(kms, CustomKeyStoreId)
    assert(CreationDate instanceof Date)
    assert.deepEqual(entry, {
      CustomKeyStoreId,
      CustomKeyStoreName: 'hsm',
      CustomKeyStoreType: 'AWS_CLOUDHSM',
      CloudHsmClusterId: clusterId,
      TrustAnchorCertificate: trustAnchor,
      ConnectionState: 'DISCONNECTED',
    })
    assert.equal(await connect(world, CustomKeyStoreId), 'CONNECTED')
    await kms.send(new ConnectCustomKeyStoreCommand({ CustomKeyStoreId })) // changes nothing
    const state =
      `Custom key store ${CustomKeyStoreId} is connected, which is not valid for this ` +
      'operation.'
    const invalidState = 'CustomKeyStoreInvalidStateException'
    const remove = () => kms.send(new DeleteCustomKeyStoreCommand({ CustomKeyStoreId }))
    await refused(remove(), invalidState, state)
    const update = (changes: object) =>
      kms.send(new UpdateCustomKeyStoreCommand({ CustomKeyStoreId, ...changes }))
    await refused(update({ KeyStorePassword: 'another' }), invalidState, state)
    await update({ NewCustomKeyStoreName: 'renamed' })
    await disconnect(world, CustomKeyStoreId)
    await refused(
      kms.send(new DisconnectCustomKeyStoreCommand({ CustomKeyStoreId })),
      invalidState,
      `Custom key store ${CustomKeyStoreId} is disconnected, which is not valid for this operation.`,
    )
    await update({ KeyStorePassword: pin, CloudHsmClusterId: clusterId })
    await remove()
    await refused(
      remove(),
      'CustomKeyStoreNotFoundException',
      `Custom key store ${CustomKeyStoreId} does not exist.`,
    )
    // The same cluster can get a key store again.
    await makeClusterStore(kms)
  },
)

test('a key encrypts and decrypts in the HSM, and never leaves it', options, async (t) => {
  const world = await startHsmWorld(t)
  const { kms } = world
  const storeId = await makeClusterStore(kms)
  await connect(world, storeId)
  const KeyId = await makeHsmKey(kms, storeId)
  const { KeyMetadata } = await kms.send(new DescribeKeyCommand({ KeyId }))
  const { Origin, KeyState, CustomKeyStoreId, CloudHsmClusterId, CurrentKeyMaterialId } =
    KeyMetadata ?? {}
  assert.deepEqual(
    [Origin, KeyState, CustomKeyStoreId, CloudHsmClusterId],
    ['AWS_CLOUDHSM', 'Enabled', storeId, clusterId],
  )
  assert.deepEqual(await keysInHsm(world, KeyId), [
    { id: CurrentKeyMaterialId, label: KeyId, isSafe: true },
  ])
  const seal = async (bytes: Uint8Array): Promise<Uint8Array | undefined> =>
    (await kms.send(new EncryptCommand({ KeyId, Plaintext: bytes, EncryptionContext })))
      .CiphertextBlob
  const CiphertextBlob = await seal(Plaintext)
  const opened = await kms.send(new DecryptCommand({ CiphertextBlob, EncryptionContext }))
  assert.deepEqual([Buffer.from(opened.Plaintext ?? []), opened.KeyId], [Plaintext, arnOf(KeyId)])
  const most = Buffer.alloc(4096, 7)
  const large = await kms.send(
    new DecryptCommand({ CiphertextBlob: await seal(most), EncryptionContext }),
  )
  assert.deepEqual(Buffer.from(large.Plaintext ?? []), most)
  await refused(
    kms.send(new DecryptCommand({ CiphertextBlob })),
    'InvalidCiphertextException',
    'UnknownError',
  )
  const changed = Buffer.from(CiphertextBlob ?? [])
  changed.writeUInt8(changed.readUInt8(changed.length - 1) ^ 1, changed.length - 1)
  await refused(
    kms.send(new DecryptCommand({ CiphertextBlob: changed, EncryptionContext })),
    'InvalidCiphertextException',
    'UnknownError',
  )
  const data = await kms.send(new GenerateDataKeyCommand({ KeyId, KeySpec: 'AES_256' }))
  const again = await kms.send(new DecryptCommand({ CiphertextBlob: data.CiphertextBlob, KeyId }))
  assert.deepEqual(again.Plaintext, data.Plaintext)
  await kms.send(new GenerateDataKeyWithoutPlaintextCommand({ KeyId, NumberOfBytes: 1024 }))
  const random = await kms.send(
    new GenerateRandomCommand({ NumberOfBytes: 1024, CustomKeyStoreId: storeId }),
  )
  assert.equal(random.Plaintext?.length, 1024)
})

test('ReEncrypt and a dry run work between a key in an HSM and others', options, async (t) => {
  const world = await startHsmWorld(t)
  const { kms } = world
  const storeId = await makeClusterStore(kms)
  await connect(world, storeId)
  const KeyId = await makeHsmKey(kms, storeId)
  const other = await makeHsmKey(kms, storeId)
  const { keyId: builtin } = await makeKey(kms)
  const { CiphertextBlob } = await kms.send(
    new EncryptCommand({ KeyId, Plaintext, EncryptionContext }),
  )
  let ciphertext = CiphertextBlob
  for (const DestinationKeyId of [builtin, KeyId, other]) {
    const moved = await kms.send(
      new ReEncryptCommand({
        CiphertextBlob: ciphertext,
        SourceEncryptionContext: EncryptionContext,
        DestinationKeyId,
        DestinationEncryptionContext: EncryptionContext,
      }),
    )
    assert.equal(moved.KeyId, arnOf(DestinationKeyId))
    ciphertext = moved.CiphertextBlob
  }
  const last = await kms.send(
    new DecryptCommand({ CiphertextBlob: ciphertext, EncryptionContext, KeyId: other }),
  )
  assert.deepEqual(Buffer.from(last.Plaintext ?? []), Plaintext)
  await refused(
    kms.send(new DecryptCommand({ CiphertextBlob, EncryptionContext, KeyId: other })),
    'IncorrectKeyException',
    'The key ID in the request does not identify a CMK that can perform this operation.',
  )
  for (const call of [
    kms.send(new EncryptCommand({ KeyId, Plaintext, DryRun: true })),
    kms.send(new DecryptCommand({ CiphertextBlob, EncryptionContext, DryRun: true })),
    kms.send(new GenerateDataKeyCommand({ KeyId, KeySpec: 'AES_256', DryRun: true })),
  ]) {
    await refused(
      call,
      'DryRunOperationException',
      'The request would have succeeded, but the DryRun option is set.',
    )
  }
})

test('keys of a store that is not connected are unavailable', options, async (t) => {
  const world = await startHsmWorld(t)
  const { kms } = world
  const storeId = await makeClusterStore(kms)
  await connect(world, storeId)
  const enabled = await makeHsmKey(kms, storeId)
  const disabled = await makeHsmKey(kms, storeId)
  const dying = await makeHsmKey(kms, storeId)
  const { CiphertextBlob } = await kms.send(new EncryptCommand({ KeyId: enabled, Plaintext }))
  await kms.send(new DisableKeyCommand({ KeyId: disabled }))
  await kms.send(new ScheduleKeyDeletionCommand({ KeyId: dying, PendingWindowInDays: 7 }))
  await disconnect(world, storeId)
  assert.deepEqual(
    await Promise.all([enabled, disabled, dying].map((KeyId) => stateOf(kms, KeyId))),
    ['Unavailable', 'Unavailable', 'PendingDeletion'],
  )
  await refused(
    kms.send(new DecryptCommand({ CiphertextBlob })),
    'KMSInvalidStateException',
    `${arnOf(enabled)} is unavailable.`,
  )
  const notConnected =
    'This KMS key is in a custom key store that is not connected to its CloudHSM cluster. Connect the ' +
    'CloudHSM key store and try the request again.'
  const invalidState = 'CustomKeyStoreInvalidStateException'
  await refused(makeHsmKey(kms, storeId), invalidState, notConnected)
  await refused(
    kms.send(new GenerateRandomCommand({ NumberOfBytes: 8, CustomKeyStoreId: storeId })),
    invalidState,
    notConnected,
  )
  // Changes that do not need the HSM go on.
  await kms.send(new UpdateKeyDescriptionCommand({ KeyId: enabled, Description: 'away' }))
  await kms.send(new EnableKeyCommand({ KeyId: disabled }))
  await kms.send(new CancelKeyDeletionCommand({ KeyId: dying }))
  await connect(world, storeId)
  assert.deepEqual(
    await Promise.all([enabled, disabled, dying].map((KeyId) => stateOf(kms, KeyId))),
    ['Enabled', 'Enabled', 'Disabled'],
  )
  const { Plaintext: opened } = await kms.send(new DecryptCommand({ CiphertextBlob }))
  assert.deepEqual(Buffer.from(opened ?? []), Plaintext)
  await disconnect(world, storeId)
  await refused(
    kms.send(new DeleteCustomKeyStoreCommand({ CustomKeyStoreId: storeId })),
    'CustomKeyStoreHasCMKsException',
    `Custom key store ${storeId} contains KMS keys.`,
  )
})
