/** Service control policies in simulations, through the official SDK. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SimulateCustomPolicyCommand, SimulatePrincipalPolicyCommand } from '@aws-sdk/client-iam'
import { callOperator } from '../../../src/operator/client.ts'
import { denied, documentOf, openIdentities } from '../../compat/identities.ts'
import { accountId } from '../../harness.ts'

test('service control policies limit a simulation, whether given or those of the principal’s account', async (t) => {
  const { root, newUser, server } = await openIdentities(t)
  const ask = (...levels: string[][]) =>
    root.iam.send(
      new SimulateCustomPolicyCommand({
        PolicyInputList: [documentOf({ Action: 'kms:*' })],
        ActionNames: ['kms:Encrypt', 'kms:Decrypt'],
        OrderedOrganizationPolicyInputList: levels.map((ServiceControlPolicyInputList) => ({
          ServiceControlPolicyInputList,
        })),
      }),
    )
  const full = documentOf({ Action: '*' })
  const encrypt = documentOf({ Action: 'kms:Encrypt' })
  const noEncrypt = documentOf({ Effect: 'Deny', Action: 'kms:Encrypt' })
  const told = async (given: ReturnType<typeof ask>) =>
    (await given).EvaluationResults?.map((one) => [
      one.EvalDecision,
      one.OrganizationsDecisionDetail?.AllowedByOrganizations,
    ])
  assert.deepEqual(await told(ask()), [
    ['allowed', undefined],
    ['allowed', undefined],
  ])
  assert.deepEqual(await told(ask([full], [encrypt])), [
    ['allowed', true],
    ['implicitDeny', false],
  ])
  assert.deepEqual(await told(ask([full, noEncrypt])), [
    ['explicitDeny', false],
    ['allowed', true],
  ])
  const malformed = 'MalformedPolicyDocumentException'
  await denied(
    ask([documentOf({ Action: '*' }).replace('2012', '2008')]),
    malformed,
    400,
    /Version/,
  )
  const alice = await newUser('alice', { Action: 'kms:*' })
  await callOperator(server.directory, 'UpdateAccount', {
    accountId,
    organizationId: 'o-a1b2c3d4e5',
    serviceControlPolicies: [[documentOf({ Action: ['kms:Encrypt', 'iam:*'] })]],
  })
  const own = new SimulatePrincipalPolicyCommand({
    PolicySourceArn: alice.arn,
    ActionNames: ['kms:Encrypt', 'kms:Decrypt'],
  })
  assert.deepEqual(await told(root.iam.send(own)), [
    ['allowed', true],
    ['implicitDeny', false],
  ])
})
