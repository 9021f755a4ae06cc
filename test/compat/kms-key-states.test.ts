/** The key-state table, row by row, for the states that a key can be brought into. @module */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import {
  CancelKeyDeletionCommand,
  CreateAliasCommand,
  DecryptCommand,
  DeleteAliasCommand,
  DescribeKeyCommand,
  DisableKeyCommand,
  DisableKeyRotationCommand,
  EnableKeyCommand,
  EnableKeyRotationCommand,
  EncryptCommand,
  GenerateDataKeyCommand,
  GenerateDataKeyWithoutPlaintextCommand,
  GetKeyPolicyCommand,
  GetKeyRotationStatusCommand,
  ListAliasesCommand,
  ListKeyPoliciesCommand,
  ListKeyRotationsCommand,
  ListResourceTagsCommand,
  PutKeyPolicyCommand,
  ReEncryptCommand,
  ReplicateKeyCommand,
  RotateKeyOnDemandCommand,
  ScheduleKeyDeletionCommand,
  TagResourceCommand,
  UntagResourceCommand,
  UpdateAliasCommand,
  UpdateKeyDescriptionCommand,
  UpdatePrimaryRegionCommand,
  type KeyState,
} from '@aws-sdk/client-kms'
import { startTestServer } from '../harness.ts'
import { makeKey, refused, type MadeKey } from './sdk.ts'

const server = await startTestServer()
after(() => server.stop())
const kms = server.client()
let spare: MadeKey
let names = 0

before(async () => {
  spare = await makeKey(kms)
})

/** A key of its own for each cell of the table, with a ciphertext and an alias from before. */
interface Prepared extends MadeKey {
  readonly sealed: Uint8Array
  readonly alias: string
}

async function prepare(state: State): Promise<Prepared> {
  const key = await makeKey(kms, { MultiRegion: state === 'PendingReplicaDeletion' })
  const KeyId = key.keyId
  const plaintext = { KeyId, Plaintext: Buffer.from('before') }
  const { CiphertextBlob: sealed } = await kms.send(new EncryptCommand(plaintext))
  const alias = `alias/of-${(names += 1)}`
  await kms.send(new CreateAliasCommand({ AliasName: alias, TargetKeyId: KeyId }))
  if (state === 'Disabled') await kms.send(new DisableKeyCommand({ KeyId }))
  if (state === 'PendingReplicaDeletion') {
    await kms.send(new ReplicateKeyCommand({ KeyId, ReplicaRegion: 'eu-north-1' }))
  }
  if (state.startsWith('Pending')) await kms.send(new ScheduleKeyDeletionCommand({ KeyId }))
  assert(sealed)
  return { ...key, sealed, alias }
}

const states = ['Enabled', 'Disabled', 'PendingDeletion', 'PendingReplicaDeletion'] as const
type State = (typeof states)[number]

const ok = 'ok'
const disabled = ['DisabledException', 'is disabled.'] as const
const dying = ['KMSInvalidStateException', 'is pending deletion.'] as const
const notDying = ['KMSInvalidStateException', 'is not pending deletion.'] as const
type Outcome = typeof ok | typeof disabled | typeof dying | typeof notDying

type Run = (key: Prepared) => Promise<unknown>
interface Row {
  readonly name: string
  readonly run: Run
  /** In the order of `states`; the last stands for both ways of dying. */
  readonly outcomes: readonly [Outcome, Outcome, Outcome]
  /** The state that a key is in when the operation has succeeded, where it is another one. */
  readonly leaves?: KeyState
}

function row(name: string, outcomes: Row['outcomes'], run: Run, leaves?: KeyState): Row {
  return { name, outcomes, run, ...(leaves && { leaves }) }
}

const cryptographic: Row['outcomes'] = [ok, disabled, dying]
const always: Row['outcomes'] = [ok, ok, ok]
const untilDying: Row['outcomes'] = [ok, ok, dying]
const Plaintext = Buffer.from('now')

const rows: readonly Row[] = [
  row('Encrypt', cryptographic, ({ keyId: KeyId }) =>
    kms.send(new EncryptCommand({ KeyId, Plaintext })),
  ),
  row('Decrypt', cryptographic, ({ sealed: CiphertextBlob }) =>
    kms.send(new DecryptCommand({ CiphertextBlob })),
  ),
  row('Decrypt that names the key', cryptographic, ({ sealed: CiphertextBlob, arn: KeyId }) =>
    kms.send(new DecryptCommand({ CiphertextBlob, KeyId })),
  ),
  row('ReEncrypt from it', cryptographic, ({ sealed: CiphertextBlob }) =>
    kms.send(new ReEncryptCommand({ CiphertextBlob, DestinationKeyId: spare.keyId })),
  ),
  row('ReEncrypt to it', cryptographic, async ({ keyId: DestinationKeyId }) => {
    const { CiphertextBlob } = await kms.send(new EncryptCommand({ KeyId: spare.keyId, Plaintext }))
    return kms.send(new ReEncryptCommand({ CiphertextBlob, DestinationKeyId }))
  }),
  row('GenerateDataKey', cryptographic, ({ keyId: KeyId }) =>
    kms.send(new GenerateDataKeyCommand({ KeyId, KeySpec: 'AES_256' })),
  ),
  row('GenerateDataKeyWithoutPlaintext', cryptographic, ({ keyId: KeyId }) =>
    kms.send(new GenerateDataKeyWithoutPlaintextCommand({ KeyId, KeySpec: 'AES_256' })),
  ),
  row('EnableKeyRotation', cryptographic, ({ keyId: KeyId }) =>
    kms.send(new EnableKeyRotationCommand({ KeyId })),
  ),
  row('DisableKeyRotation', cryptographic, ({ keyId: KeyId }) =>
    kms.send(new DisableKeyRotationCommand({ KeyId })),
  ),
  row('RotateKeyOnDemand', cryptographic, ({ keyId: KeyId }) =>
    kms.send(new RotateKeyOnDemandCommand({ KeyId })),
  ),
  row('GetKeyRotationStatus', always, ({ keyId: KeyId }) =>
    kms.send(new GetKeyRotationStatusCommand({ KeyId })),
  ),
  row('ListKeyRotations', always, ({ keyId: KeyId }) =>
    kms.send(new ListKeyRotationsCommand({ KeyId })),
  ),
  row('DescribeKey', always, ({ keyId: KeyId }) => kms.send(new DescribeKeyCommand({ KeyId }))),
  row('GetKeyPolicy', always, ({ keyId: KeyId }) => kms.send(new GetKeyPolicyCommand({ KeyId }))),
  row('PutKeyPolicy', always, async ({ keyId: KeyId }) => {
    const { Policy } = await kms.send(new GetKeyPolicyCommand({ KeyId }))
    return kms.send(new PutKeyPolicyCommand({ KeyId, Policy: `${Policy} ` }))
  }),
  row('ListKeyPolicies', always, ({ keyId: KeyId }) =>
    kms.send(new ListKeyPoliciesCommand({ KeyId })),
  ),
  row('ListResourceTags', always, ({ keyId: KeyId }) =>
    kms.send(new ListResourceTagsCommand({ KeyId })),
  ),
  row('ListAliases', always, ({ keyId: KeyId }) => kms.send(new ListAliasesCommand({ KeyId }))),
  row('DeleteAlias', always, ({ alias: AliasName }) =>
    kms.send(new DeleteAliasCommand({ AliasName })),
  ),
  row('CreateAlias', untilDying, ({ keyId: TargetKeyId, alias }) =>
    kms.send(new CreateAliasCommand({ AliasName: `${alias}-more`, TargetKeyId })),
  ),
  row('UpdateAlias away from it', always, ({ alias: AliasName }) =>
    kms.send(new UpdateAliasCommand({ AliasName, TargetKeyId: spare.keyId })),
  ),
  row('UpdateAlias to it', untilDying, async ({ keyId: TargetKeyId, alias }) => {
    const AliasName = `${alias}-elsewhere`
    await kms.send(new CreateAliasCommand({ AliasName, TargetKeyId: spare.keyId }))
    return kms.send(new UpdateAliasCommand({ AliasName, TargetKeyId }))
  }),
  row('TagResource', untilDying, ({ keyId: KeyId }) =>
    kms.send(new TagResourceCommand({ KeyId, Tags: [{ TagKey: 'a', TagValue: 'b' }] })),
  ),
  row('UntagResource', untilDying, ({ keyId: KeyId }) =>
    kms.send(new UntagResourceCommand({ KeyId, TagKeys: ['a'] })),
  ),
  row('UpdateKeyDescription', untilDying, ({ keyId: KeyId }) =>
    kms.send(new UpdateKeyDescriptionCommand({ KeyId, Description: 'now' })),
  ),
  row('ReplicateKey', cryptographic, async ({ keyId: KeyId }) => {
    const { KeyMetadata } = await kms.send(new DescribeKeyCommand({ KeyId }))
    // A single-Region key is no primary key: its state is what is asked first.
    const command = new ReplicateKeyCommand({ KeyId, ReplicaRegion: 'us-east-1' })
    const notPrimary = `${KeyMetadata?.Arn} is not a multi-region primary key.`
    if (KeyMetadata?.KeyState !== 'Enabled') return kms.send(command)
    return refused(kms.send(command), 'UnsupportedOperationException', notPrimary)
  }),
  row('UpdatePrimaryRegion', cryptographic, async ({ keyId: KeyId }) => {
    const { KeyMetadata } = await kms.send(new DescribeKeyCommand({ KeyId }))
    const command = new UpdatePrimaryRegionCommand({ KeyId, PrimaryRegion: 'us-east-1' })
    const notPrimary = `${KeyMetadata?.Arn} is not a multi-Region primary key.`
    if (KeyMetadata?.KeyState !== 'Enabled') return kms.send(command)
    return refused(kms.send(command), 'KMSInvalidStateException', notPrimary)
  }),
  row(
    'EnableKey',
    untilDying,
    ({ keyId: KeyId }) => kms.send(new EnableKeyCommand({ KeyId })),
    'Enabled',
  ),
  row(
    'DisableKey',
    untilDying,
    ({ keyId: KeyId }) => kms.send(new DisableKeyCommand({ KeyId })),
    'Disabled',
  ),
  row(
    'ScheduleKeyDeletion',
    untilDying,
    ({ keyId: KeyId }) => kms.send(new ScheduleKeyDeletionCommand({ KeyId })),
    'PendingDeletion',
  ),
  row(
    'CancelKeyDeletion',
    [notDying, notDying, ok],
    ({ keyId: KeyId }) => kms.send(new CancelKeyDeletionCommand({ KeyId })),
    'Disabled',
  ),
]

for (const { name, run, outcomes, leaves } of rows) {
  for (const [index, state] of states.entries()) {
    const known = outcomes[index] ?? outcomes[2]
    const waits = known === dying && state === 'PendingReplicaDeletion'
    const outcome = waits
      ? (['KMSInvalidStateException', 'is pending replica deletion.'] as const)
      : known
    test(`${name} of a key that is ${state}: ${outcome === ok ? ok : outcome[0]}`, async () => {
      const key = await prepare(state)
      if (outcome === ok) await run(key)
      else await refused(run(key), outcome[0], `${key.arn} ${outcome[1]}`)
      const { KeyMetadata } = await kms.send(new DescribeKeyCommand({ KeyId: key.keyId }))
      assert.equal(KeyMetadata?.KeyState, outcome === ok ? (leaves ?? state) : state)
    })
  }
}
