/**
 * Compares the key states that each operation declares with the table in AWS's developer guide, as
 * corrected by
 * recordings. Comments name operations that check the state themselves.
 * @see https://docs.aws.amazon.com/kms/latest/developerguide/key-state.html
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { KeyState } from '../../src/model/key.ts'
import { anyState } from '../../src/model/key-state.ts'
import { kmsRegistry } from '../../src/operations/kms/registry.ts'

const without = (...states: readonly KeyState[]): readonly KeyState[] =>
  anyState.filter((state) => !states.includes(state))

const usable: readonly KeyState[] = ['Enabled', 'Updating']
const notDying = without('PendingDeletion', 'PendingReplicaDeletion')
/** They accept `PendingImport` and `Unavailable`, because the origin is the more helpful error. */
const rotation: readonly KeyState[] = [...usable, 'PendingImport', 'Unavailable']

const cryptographic =
  'Encrypt Decrypt ReEncrypt GenerateDataKey GenerateDataKeyWithoutPlaintext GenerateDataKeyPair ' +
  'GenerateDataKeyPairWithoutPlaintext Sign Verify GenerateMac VerifyMac DeriveSharedSecret ' +
  'Encapsulate Decapsulate RotateKeyOnDemand UpdatePrimaryRegion'
const always =
  'DeleteAlias DescribeKey GetKeyPolicy PutKeyPolicy ListAliases ListGrants ListKeyPolicies ' +
  'ListResourceTags ListKeyRotations RetireGrant RevokeGrant GetKeyLastUsage GetKeyRotationStatus'
const untilDying = 'CreateAlias TagResource UntagResource UpdateKeyDescription'

const expected = new Map<string, readonly KeyState[]>([
  ...cryptographic.split(' ').map((name) => [name, usable] as const),
  ...always.split(' ').map((name) => [name, anyState] as const),
  ...untilDying.split(' ').map((name) => [name, notDying] as const),
  ['ReplicateKey', ['Enabled']],
  // Recorded: it works on a disabled key.
  ['GetPublicKey', [...usable, 'Disabled']],
  ['EnableKey', ['Enabled', 'Disabled', 'Unavailable']],
  ['DisableKey', ['Enabled', 'Disabled', 'Unavailable']],
  ['EnableKeyRotation', rotation],
  ['DisableKeyRotation', rotation],
  ['ScheduleKeyDeletion', notDying.filter((state) => state !== 'Updating')],
  // AWS has one message for all states but pending deletion.
  ['CancelKeyDeletion', anyState],
])
/** Operations with state tests of their own. */
const elsewhere = /^(CreateGrant|UpdateAlias|.*Import.*)$/

for (const { name, service, keys } of kmsRegistry.values()) {
  if (service !== 'kms' || elsewhere.test(name)) continue
  for (const [use, { states }] of Object.entries(keys)) {
    test(`${name} works on its ${use} in the states of the table, and in no other`, () => {
      const sorted = (all: readonly KeyState[] = []): readonly KeyState[] => [...all].toSorted()
      assert.deepEqual(sorted(states), sorted(expected.get(name)))
    })
  }
}
