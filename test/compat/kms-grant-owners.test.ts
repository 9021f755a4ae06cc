/** Grants over the wire: who makes them and takes them away, and what is recorded of it. @module */
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import {
  CreateGrantCommand,
  CreateKeyCommand,
  DescribeKeyCommand,
  DisableKeyCommand,
  EncryptCommand,
  GenerateMacCommand,
  GetPublicKeyCommand,
  ListGrantsCommand,
  RetireGrantCommand,
  RevokeGrantCommand,
  ScheduleKeyDeletionCommand,
  SignCommand,
  type CreateKeyCommandInput,
} from '@aws-sdk/client-kms'
import { startTestServer } from '../harness.ts'
import { startWithTwoAccounts } from './accounts.ts'
import { absentKey, guestArn, hidden, makeGrant, ownerArn } from './grants.ts'
import { recordsOf, recordTexts } from './records.ts'
import { answerOf, makeKey, refused } from './sdk.ts'

const server = await startWithTwoAccounts()
after(() => server.stop())
const owner = server.client()
const guest = server.otherClient()
const Plaintext = Buffer.from('secret of the owner')

test('a grant may be retired by its retiring principal, by a grantee that was given it, by its issuer', async () => {
  const { arn: KeyId } = await makeKey(owner)
  const retire = (by: typeof owner, input: { GrantId: string } | { GrantToken: string }) =>
    by.send(new RetireGrantCommand('GrantId' in input ? { KeyId, ...input } : input))
  const byRetiring = await makeGrant(owner, { KeyId, RetiringPrincipal: guestArn })
  await retire(guest, { GrantToken: byRetiring.GrantToken })
  const byGrantee = await makeGrant(owner, { KeyId, Operations: ['Encrypt', 'RetireGrant'] })
  await retire(guest, { GrantId: byGrantee.GrantId })
  const byNeither = await makeGrant(owner, { KeyId })
  for (const by of [{ GrantId: byNeither.GrantId }, { GrantToken: byNeither.GrantToken }]) {
    await refused(retire(guest, by), 'AccessDeniedException', hidden('RetireGrant'))
  }
  await retire(owner, { GrantId: byNeither.GrantId })
  const { Grants } = await owner.send(new ListGrantsCommand({ KeyId }))
  assert.deepEqual(Grants, [])
  const gone = { GrantId: byNeither.GrantId }
  const notThere = `Grant '${byNeither.GrantId}' does not exist`
  await refused(retire(owner, gone), 'NotFoundException', notThere)
  // To another account a grant that is gone, one it may not retire and a key that is not are the same.
  await refused(retire(guest, gone), 'AccessDeniedException', hidden('RetireGrant'))
  const absent = new RetireGrantCommand({ KeyId: absentKey, ...gone })
  await refused(guest.send(absent), 'AccessDeniedException', hidden('RetireGrant'))
})

test('a key policy gives nobody the retirement of a grant', async () => {
  const allow = (Principal: string): object => ({
    Effect: 'Allow',
    Principal: { AWS: Principal },
    Action: 'kms:*',
    Resource: '*',
  })
  const Policy = JSON.stringify({
    Version: '2012-10-17',
    Statement: [allow(ownerArn), allow(guestArn)],
  })
  const { arn: KeyId } = await makeKey(owner, { Policy })
  const grantee = { GranteePrincipal: ownerArn }
  const ofOwner = await makeGrant(owner, { KeyId, ...grantee })
  const retire = new RetireGrantCommand({ KeyId, GrantId: ofOwner.GrantId })
  await refused(guest.send(retire), 'AccessDeniedException', hidden('RetireGrant'))
  // It does give the other account grants of its own, which it issues, retires and revokes.
  const ofGuest = await makeGrant(guest, { KeyId })
  const { Grants } = await guest.send(new ListGrantsCommand({ KeyId, GrantId: ofGuest.GrantId }))
  assert.deepEqual(Grants?.[0]?.IssuingAccount, guestArn)
  const own = new RetireGrantCommand({ KeyId, GrantId: ofGuest.GrantId })
  await refused(
    owner.send(own),
    'AccessDeniedException',
    `User: ${ownerArn} is not authorized to perform: kms:RetireGrant on resource: ${KeyId} because ` +
      'no resource-based policy allows the kms:RetireGrant action',
  )
  await guest.send(own)
  await guest.send(new RevokeGrantCommand({ KeyId, GrantId: ofOwner.GrantId }))
})

test('revoking is for the key policy to give: being grantee or retiring principal is not enough', async () => {
  const { arn: KeyId } = await makeKey(owner)
  const Operations = ['Encrypt', 'RetireGrant'] as const
  const { GrantId } = await makeGrant(owner, {
    KeyId,
    Operations: [...Operations],
    RetiringPrincipal: guestArn,
  })
  const revoke = new RevokeGrantCommand({ KeyId, GrantId })
  await refused(guest.send(revoke), 'AccessDeniedException', hidden('RevokeGrant'))
  await refused(
    guest.send(new ListGrantsCommand({ KeyId })),
    'AccessDeniedException',
    hidden('ListGrants'),
  )
  await owner.send(revoke)
  await refused(owner.send(revoke), 'NotFoundException', `Grant '${GrantId}' does not exist`)
  const malformed = new RevokeGrantCommand({ KeyId, GrantId: 'x' })
  const said = 'the grant id is not 64 lower-case hex digits'
  await refused(owner.send(malformed), 'InvalidGrantIdException', said)
})

test('a grantee that may make grants makes none that is wider than its own', async () => {
  const { arn: KeyId } = await makeKey(owner)
  const EncryptionContextSubset = { app: 'a' }
  await makeGrant(owner, {
    KeyId,
    Operations: ['CreateGrant', 'Encrypt', 'DescribeKey'],
    Constraints: { EncryptionContextSubset },
  })
  const make = (Operations: string[], Constraints?: object): Promise<unknown> =>
    guest.send(
      new CreateGrantCommand({
        KeyId,
        GranteePrincipal: guestArn,
        Operations,
        Constraints,
      } as never), // the lists of this test
    )
  await make(['Encrypt'], { EncryptionContextSubset })
  await make(['Encrypt'], { EncryptionContextSubset: { app: 'a', more: 'b' } })
  await make(['Encrypt', 'CreateGrant'], { EncryptionContextEquals: { app: 'a' } })
  for (const [operations, constraints] of [
    [['Decrypt'], { EncryptionContextSubset }],
    [['Encrypt', 'RetireGrant'], { EncryptionContextSubset }],
    [['Encrypt'], undefined],
    [['DescribeKey'], undefined],
    [['Encrypt'], { EncryptionContextSubset: {} }],
    [['Encrypt'], { EncryptionContextSubset: { app: 'b' } }],
    [['Encrypt'], { EncryptionContextEquals: { more: 'b' } }],
  ] as const) {
    const call = make([...operations], constraints)
    await refused(call, 'AccessDeniedException', hidden('CreateGrant'))
  }
  const { Grants } = await owner.send(new ListGrantsCommand({ KeyId }))
  assert.deepEqual(
    Grants?.map(({ IssuingAccount }) => IssuingAccount).toSorted(),
    [ownerArn, guestArn, guestArn, guestArn].toSorted(),
  )
})

test('grants give the use of every kind of key', async () => {
  const make = async (input: CreateKeyCommandInput): Promise<string | undefined> =>
    (await owner.send(new CreateKeyCommand(input))).KeyMetadata?.Arn
  const signer = await make({ KeySpec: 'ECC_NIST_P256', KeyUsage: 'SIGN_VERIFY' })
  const mac = await make({ KeySpec: 'HMAC_256', KeyUsage: 'GENERATE_VERIFY_MAC' })
  const Message = Buffer.from('m')
  await makeGrant(owner, { KeyId: signer, Operations: ['Sign', 'GetPublicKey'] })
  await makeGrant(owner, { KeyId: mac, Operations: ['GenerateMac'] })
  await guest.send(new SignCommand({ KeyId: signer, Message, SigningAlgorithm: 'ECDSA_SHA_256' }))
  await guest.send(new GetPublicKeyCommand({ KeyId: signer }))
  await guest.send(new GenerateMacCommand({ KeyId: mac, Message, MacAlgorithm: 'HMAC_SHA_256' }))
})

test('a grant is made in the states that AWS names, and taken away in all', async () => {
  const { arn: KeyId } = await makeKey(owner)
  const RetiringPrincipal = guestArn
  const made = [
    await makeGrant(owner, { KeyId, RetiringPrincipal }),
    await makeGrant(owner, { KeyId, RetiringPrincipal }),
    await makeGrant(owner, { KeyId, RetiringPrincipal }),
  ]
  await owner.send(new DisableKeyCommand({ KeyId }))
  await refused(makeGrant(owner, { KeyId }), 'DisabledException', `${KeyId} is disabled.`)
  await owner.send(new RevokeGrantCommand({ KeyId, GrantId: made[0]?.GrantId }))
  await owner.send(new ScheduleKeyDeletionCommand({ KeyId, PendingWindowInDays: 7 }))
  const dying = `${KeyId} is pending deletion.`
  await refused(makeGrant(owner, { KeyId }), 'KMSInvalidStateException', dying)
  await guest.send(new RetireGrantCommand({ GrantToken: made[1]?.GrantToken }))
  const { Grants } = await owner.send(new ListGrantsCommand({ KeyId }))
  assert.deepEqual(
    Grants?.map(({ GrantId }) => GrantId),
    [made[2]?.GrantId],
  )
})

test('a dry run changes nothing, and says first what would be wrong', async () => {
  const { arn: KeyId } = await makeKey(owner)
  const DryRun = true
  const said = 'The request would have succeeded, but the DryRun option is set.'
  const dry = (call: Promise<unknown>): Promise<void> =>
    refused(call, 'DryRunOperationException', said)
  await dry(makeGrant(owner, { KeyId, DryRun }))
  const list = async (): Promise<number> =>
    (await owner.send(new ListGrantsCommand({ KeyId }))).Grants?.length ?? 0
  assert.equal(await list(), 0)
  const { GrantId, GrantToken } = await makeGrant(owner, { KeyId, RetiringPrincipal: guestArn })
  await dry(owner.send(new RevokeGrantCommand({ KeyId, GrantId, DryRun })))
  await dry(guest.send(new RetireGrantCommand({ GrantToken, DryRun })))
  assert.equal(await list(), 1)
  const denied = guest.send(new RevokeGrantCommand({ KeyId, GrantId, DryRun }))
  await refused(denied, 'AccessDeniedException', hidden('RevokeGrant'))
})

test('conditions of a key policy speak of the grant that is asked for', async () => {
  const Policy = JSON.stringify({
    Version: '2012-10-17',
    Statement: [
      { Effect: 'Allow', Principal: { AWS: ownerArn }, Action: 'kms:*', Resource: '*' },
      {
        Effect: 'Allow',
        Principal: { AWS: guestArn },
        Action: 'kms:CreateGrant',
        Resource: '*',
        Condition: {
          'ForAllValues:StringEquals': { 'kms:GrantOperations': ['Encrypt', 'Decrypt'] },
          StringEquals: {
            'kms:GranteePrincipal': guestArn,
            'kms:RetiringPrincipal': ownerArn,
            'kms:GrantConstraintType': 'EncryptionContextSubset',
            'kms:EncryptionContext:app': 'a',
          },
          Bool: { 'kms:GrantIsForAWSResource': 'false' },
        },
      },
    ],
  })
  const { arn: KeyId } = await makeKey(owner, { Policy })
  const good = {
    KeyId,
    Operations: ['Encrypt' as const],
    RetiringPrincipal: ownerArn,
    Constraints: { EncryptionContextSubset: { app: 'a' } },
  }
  await makeGrant(guest, good)
  for (const change of [
    { Operations: ['Encrypt', 'DescribeKey'] as const },
    { GranteePrincipal: ownerArn },
    { RetiringPrincipal: guestArn },
    { RetiringPrincipal: undefined },
    { Constraints: { EncryptionContextEquals: { app: 'a' } } },
    { Constraints: { EncryptionContextSubset: { app: 'b' } } },
    { Constraints: undefined },
  ]) {
    const call = makeGrant(guest, { ...good, ...change } as never) // members of a request
    await refused(call, 'AccessDeniedException', hidden('CreateGrant'))
  }
})

test('the record of a grant holds its id and its constraints, and no record holds a token', async () => {
  const { arn: KeyId } = await makeKey(owner)
  const Constraints = { EncryptionContextSubset: { App: 'A' } }
  const made = await makeGrant(owner, {
    KeyId,
    Operations: ['Encrypt'],
    Constraints,
    RetiringPrincipal: guestArn,
  })
  await guest.send(
    new EncryptCommand({
      KeyId,
      Plaintext,
      EncryptionContext: { App: 'A' },
      GrantTokens: [made.GrantToken],
    }),
  )
  await guest.send(new RetireGrantCommand({ GrantToken: made.GrantToken }))
  const records = (await recordsOf(server.directory)).filter(({ resources }) =>
    resources?.some(({ ARN }) => ARN === KeyId),
  )
  // A call on another account's key is in the records of both: in its caller's, and once more in the owner's.
  const [, create, encrypt, retire] = records.filter(
    ({ recipientAccountId, userIdentity }) => recipientAccountId === userIdentity['accountId'],
  )
  assert.deepEqual(create?.requestParameters, {
    keyId: KeyId,
    granteePrincipal: guestArn,
    retiringPrincipal: guestArn,
    operations: ['Encrypt'],
    constraints: { encryptionContextSubset: { App: 'A' } },
  })
  assert.deepEqual(create.responseElements, { grantId: made.GrantId, keyId: KeyId })
  assert.deepEqual(encrypt?.trent.reasons, [
    { action: 'kms:Encrypt', effect: 'allow', policy: 'grant', statement: made.GrantId },
  ])
  assert.equal(retire?.eventName, 'RetireGrant')
  assert.equal(retire.requestParameters, null)
  assert.deepEqual((retire as unknown as Record<string, unknown>)['additionalEventData'], {
    grantId: made.GrantId,
  })
  assert.equal(retire.readOnly, false)
  for (const text of [...(await recordTexts(server.directory)), ...server.logged]) {
    assert(!text.includes(made.GrantToken))
  }
})

test('grants outlive a restart, and their tokens with them', async () => {
  const first = await startTestServer()
  const { keyId: KeyId } = await makeKey(first.client())
  const made = await makeGrant(first.client(), { KeyId, GranteePrincipal: ownerArn })
  await first.stop('keep')
  const second = await startTestServer({}, { directory: first.directory })
  after(() => second.stop())
  const kms = second.client()
  const { Grants } = await kms.send(new ListGrantsCommand({ KeyId }))
  assert.equal(Grants?.[0]?.GrantId, made.GrantId)
  await kms.send(new DescribeKeyCommand({ KeyId, GrantTokens: [made.GrantToken] }))
  assert.deepEqual(
    await answerOf(kms.send(new RetireGrantCommand({ GrantToken: made.GrantToken }))),
    {},
  )
})
