/** Which operations a restore repeats, and which it names because their records say too little. @module */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { awsRegistry } from '../../src/operations/registry.ts'
import { operatorRegistry } from '../../src/operations/trent/registry.ts'
import { judged, logged } from './logged.ts'

/** Whoever adds an operation decides here. One that only gives something belongs to `taken-away.ts`. */
const named = [
  // Keys and key stores
  'DeleteCustomKeyStore',
  'DisableKeyRotation',
  'DisconnectCustomKeyStore',
  'PutKeyPolicy',
  'TagResource',
  'UnlockKey',
  'UntagResource',
  'UpdateAlias',
  'UpdateCustomKeyStore',
  'UpdatePrimaryRegion',
  // Policies, of which a record has the name and not the text
  'AddUserToGroup',
  'AttachGroupPolicy',
  'AttachRolePolicy',
  'AttachUserPolicy',
  'CreatePolicyVersion',
  'DeleteRolePermissionsBoundary',
  'DeleteUserPermissionsBoundary',
  'PutGroupPolicy',
  'PutRolePermissionsBoundary',
  'PutRolePolicy',
  'PutUserPermissionsBoundary',
  'PutUserPolicy',
  'SetDefaultPolicyVersion',
  'UpdateAccount',
  'UpdateAssumeRolePolicy',
  // Names, tags and settings of identities, by which policies decide
  'CreateAccountAlias',
  'DeleteAccountAlias',
  'DeleteServiceLinkedRole',
  'TagOpenIDConnectProvider',
  'TagPolicy',
  'TagRole',
  'TagUser',
  'UntagOpenIDConnectProvider',
  'UntagPolicy',
  'UntagRole',
  'UntagUser',
  'UpdateGroup',
  'UpdateOpenIDConnectProviderThumbprint',
  'UpdateRole',
  'UpdateRoleDescription',
  'UpdateUser',
  // Trails
  'DeleteTrail',
  'PutEventSelectors',
  'StartLogging',
  'StopLogging',
  'UpdateTrail',
  // Sessions: the store does not change, so their records have no number
  'GetFederationToken',
  'GetSessionToken',
  // Operators
  'AcceptClock',
  'Apply',
  'BeginRekey',
  'CancelRekey',
  'ContinueRekey',
  'DrainNode',
  'RetireNode',
  'RetireRootKeys',
  'SealServer',
]

test('each operation that changes something is decided about, and an unknown one is named', () => {
  const changing = [...awsRegistry.values(), ...operatorRegistry.values()].filter(
    ({ readOnly }) => !readOnly,
  )
  const unknown = changing.flatMap(({ name }) => judged(logged([[name]]))[1])
  assert.deepEqual(unknown.toSorted(), named.toSorted())
  assert.deepEqual(judged(logged([['BrandNewOperation']])), [[], ['BrandNewOperation']])
})
