/** What services run for accounts: who can name it, who can be it, and what it may. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CreateGrantCommand, DescribeKeyCommand, RetireGrantCommand } from '@aws-sdk/client-kms'
import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts'
import type { CreatedInfrastructureSession } from '../../src/operations/trent/create-infrastructure-session.ts'
import { callOperator } from '../../src/operator/client.ts'
import { accountId, region } from '../harness.ts'
import { denied } from './identities.ts'
import { makeKey } from './sdk.ts'
import { openServices } from './services.ts'

const instance = 'i-81e2f56c'
const GranteePrincipal = `${accountId}:aws:ec2-infrastructure:${instance}`
const sessionArn = `arn:aws:sts::${accountId}:assumed-role/aws:ec2-infrastructure/${instance}`

test('infrastructure is named and had by its own service alone', async (t) => {
  const services = await openServices(t)
  const { root, server } = services
  const alice = await services.newUser('alice', { Action: '*' })
  const { arn: KeyId } = await makeKey(root.kms)
  const ec2 = await services.register('ec2.amazonaws.com')
  const s3 = await services.register('s3.amazonaws.com')
  const grant = (more: object = {}): CreateGrantCommand =>
    new CreateGrantCommand({ KeyId, GranteePrincipal, Operations: ['DescribeKey'], ...more })
  const refusal = [
    'InvalidArnException',
    400,
    'GranteePrincipal does not refer to a valid principal.',
  ] as const
  for (const kms of [root.kms, alice.kms, await s3.kmsFor(alice)]) {
    await denied(kms.send(grant()), ...refusal)
  }
  const forAlice = await ec2.kmsFor(alice)
  // Of another account, of another service, of no service.
  for (const other of [
    `444455556666:aws:ec2-infrastructure:${instance}`,
    `${accountId}:aws:s3-infrastructure:${instance}`,
    `${accountId}:aws:ec2:${instance}`,
    `${accountId}:ec2-infrastructure:${instance}`,
  ]) {
    await denied(forAlice.send(grant({ GranteePrincipal: other })), ...refusal)
  }
  // Its session's ARN names it nowhere.
  await denied(
    forAlice.send(grant({ GranteePrincipal: sessionArn })),
    'InvalidArnException',
    400,
    /^ARN is not valid: /,
  )
  const retiring = { GranteePrincipal: alice.arn, RetiringPrincipal: GranteePrincipal }
  const { GrantId } = await forAlice.send(grant(retiring))
  const host = await ec2.infrastructure(accountId, instance)
  await host.send(new RetireGrantCommand({ KeyId, GrantId }))
  await denied(
    host.send(new DescribeKeyCommand({ KeyId })),
    'AccessDeniedException',
    400,
    /kms:DescribeKey/,
  )
  await forAlice.send(grant())
  await host.send(new DescribeKeyCommand({ KeyId }))
  // It has a name for itself, but no part in STS, and its credentials end with its service.
  const told = JSON.parse(
    (await ec2.post('/_trent/infrastructure-session', { accountId, resource: instance })).text,
  ) as CreatedInfrastructureSession
  const { accessKeyId, secretAccessKey, sessionToken } = told
  const credentials = { accessKeyId, secretAccessKey, sessionToken }
  const sts = new STSClient({ region, endpoint: server.url, credentials })
  await denied(sts.send(new GetCallerIdentityCommand({})), 'AccessDenied', 403, /infrastructure$/)
  sts.destroy()
  assert.equal(told.arn, sessionArn)
  const forwarded = await s3.sent({ credentials })
  assert.match(
    (await s3.post('/_trent/fas', forwarded)).text,
    /infrastructure of a service is no user/,
  )
  for (const body of [
    { accountId: '1', resource: instance },
    { accountId, resource: 'a/b' },
    { accountId, resource: 'a:b' },
    { accountId, resource: instance, durationSeconds: 899 },
    { accountId, resource: instance, durationSeconds: 43_201 },
    { accountId: '999999999999', resource: instance },
  ]) {
    const { status, text } = await ec2.post('/_trent/infrastructure-session', body)
    assert.equal(status, 400)
    assert.match(text, /ValidationException|NotFoundException/)
  }
  await callOperator(server.directory, 'DeregisterService', { name: ec2.name, region })
  await denied(
    host.send(new DescribeKeyCommand({ KeyId })),
    'UnrecognizedClientException',
    400,
    /security token/,
  )
})
