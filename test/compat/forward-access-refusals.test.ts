/** What no service can do: for whom it was not asked, with what is not its own, and for longer than it may. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { DeleteAccessKeyCommand } from '@aws-sdk/client-iam'
import { DescribeKeyCommand, type KMSClient } from '@aws-sdk/client-kms'
import { callOperator } from '../../src/operator/client.ts'
import { accountId, region } from '../harness.ts'
import { denied } from './identities.ts'
import { makeKey } from './sdk.ts'
import { openServices, sending, serviceOf, signerOf, type Proof } from './services.ts'
import { send, signedCall } from './signed-http.ts'
import { advance } from './test-clock.ts'

const header = 'x-amz-forward-access-session'
const minute = 60_000

test('a request that is not the one that was signed proves nothing', async (t) => {
  const services = await openServices(t)
  const alice = await services.newUser('alice', { Action: 'kms:*' })
  const s3 = await services.register('s3.amazonaws.com', 's3.local', '*.s3.local')
  const sent = (): Promise<Proof> => s3.sent(alice, { path: '/b/k', query: { a: '1' } })
  const spoilt: readonly ((proof: Proof) => object)[] = [
    (proof) => ({ ...proof, method: 'GET' }),
    (proof) => ({ ...proof, path: '/b/other' }),
    (proof) => ({ ...proof, path: '/b//k' }),
    (proof) => ({ ...proof, query: 'a=2' }),
    (proof) => ({ ...proof, query: '' }),
    (proof) => ({ ...proof, headers: { ...proof.headers, 'x-test-number': '0' } }),
    (proof) => ({ ...proof, headers: { ...proof.headers, host: 'b.s3.local' } }),
    (proof) => ({
      ...proof,
      payloadHash: 'a'.repeat(64),
      headers: { ...proof.headers, 'x-amz-content-sha256': 'a'.repeat(64) },
    }),
    (proof) => ({ ...proof, payloadHash: 'b'.repeat(64) }),
    (proof) => ({
      ...proof,
      headers: {
        ...proof.headers,
        authorization: (proof.headers['authorization'] ?? '').replace(/.$/, (last) =>
          last === '0' ? '1' : '0',
        ),
      },
    }),
  ]
  for (const spoil of spoilt) {
    const { status, text } = await s3.post('/_trent/fas', spoil(await sent()))
    assert.equal(status, 400, spoil.toString())
    const { __type, message } = JSON.parse(text) as Record<string, string>
    assert.equal(__type, 'InvalidSignatureException', spoil.toString())
    assert.match(message ?? '', /^The forwarded request is refused: The request signature we calc/)
  }
  // The same request as it was signed is proved, so that none of these was refused for itself.
  await s3.prove(await sent())
})

test('what is not to the service, at one of its hosts and in its Region, is nobody’s to forward', async (t) => {
  const services = await openServices(t)
  const alice = await services.newUser('alice', { Action: 'kms:*' })
  const s3 = await services.register('s3.amazonaws.com', 's3.local', '*.s3.local:9000')
  const refused = async (proof: Proof, code: string, message: RegExp): Promise<void> => {
    const { status, text } = await s3.post('/_trent/fas', proof)
    assert.equal(status, 400, text)
    const told = JSON.parse(text) as Record<string, string>
    assert.equal(told['__type'], code, text)
    assert.match(told['message'] ?? '', message)
  }
  const invalid = 'InvalidSignatureException'
  for (const service of ['ec2', 'kms', 'iam', 'S3']) {
    await refused(await s3.sent(alice, { service }), invalid, /scoped to correct service: 's3'/)
  }
  await refused(await s3.sent(alice, { region: 'us-east-1' }), invalid, /not 'us-east-1'/)
  await refused(await s3.sent(alice, { region: 'moon-1' }), invalid, /not 'moon-1'/)
  for (const host of [
    's3.other',
    'evil-s3.local',
    's3.local.evil',
    'b.s3.local',
    '.s3.local:9000',
  ]) {
    const proof = await s3.sent(alice, { headers: { host } })
    await refused(proof, invalid, /a host of no such service/)
  }
  for (const host of ['S3.local', 's3.local:1', 'a.b.s3.local:9000']) {
    await s3.prove(await s3.sent(alice, { headers: { host } }))
  }
  // Nobody signed, or nobody that there is.
  const { authorization: _, ...unsigned } = (await s3.sent(alice)).headers
  const missing = 'MissingAuthenticationTokenException'
  await refused({ ...(await s3.sent(alice)), headers: unsigned }, missing, /Missing/)
  const nobody = { accessKeyId: 'AKIANOBODYNOBODYNOBO', secretAccessKey: 'secret' }
  const unknown = 'UnrecognizedClientException'
  await refused(await s3.sent({ credentials: nobody }), unknown, /security token/)
  const itself = { accessKeyId: s3.accessKeyId, secretAccessKey: s3.secretAccessKey }
  await refused(
    await s3.sent({ credentials: itself }),
    'ValidationException',
    /no user to call for/,
  )
})

test('a signature is proved once, and within five minutes of its date', async (t) => {
  const services = await openServices(t)
  const alice = await services.newUser('alice', { Action: 'kms:*' })
  const s3 = await services.register('s3.amazonaws.com')
  const proof = await s3.sent(alice)
  await s3.prove(proof)
  const refusal = async (sent: Proof): Promise<string> => {
    const { status, text } = await s3.post('/_trent/fas', sent)
    assert.equal(status, 400)
    return text
  }
  assert.match(await refusal(proof), /InvalidSignatureException.*it was forwarded before/)
  const late = Date.now() - 5 * minute - 2000
  assert.match(await refusal(await s3.sent(alice, { at: late })), /Signature expired/)
  const early = Date.now() + 5 * minute + 5000
  assert.match(await refusal(await s3.sent(alice, { at: early })), /not yet current/)
  // However long a presigned request says that it is good.
  const week = { form: 'presigned', expiresIn: 604_800, at: late } as const
  assert.match(await refusal(await s3.sent(alice, week)), /Signature expired/)
  // Not so old that it is stale, but from before the start: it may have been proved then.
  const before = await s3.sent(alice, { at: Date.now() - 4 * minute })
  assert.match(await refusal(before), /before the server started/)
})

test('only a service forwards: users, nobody and who claims to be one are refused', async (t) => {
  const services = await openServices(t)
  const alice = await services.newUser('alice', { Action: ['kms:*', 'trent:*'] })
  const s3 = await services.register('s3.amazonaws.com')
  const proof = await s3.sent(alice)
  for (const path of ['/_trent/fas', '/_trent/infrastructure-session']) {
    const body = path.endsWith('fas') ? proof : { accountId, resource: 'i-1' }
    for (const by of [alice, services.root]) {
      const { status, text } = await s3.post(path, body, signerOf(by.credentials))
      assert.equal(status, 400)
      assert.match(text, /AccessDeniedException.*is not authorized to perform: trent:Create/)
    }
    const wrong = await s3.post(path, body, { secret: 'wrong' })
    assert.match(wrong.text, /InvalidSignatureException","message":"The request signature/)
    const scope = await s3.post(path, body, { service: 'kms' })
    assert.match(scope.text, /scoped to correct service: 'trent'/)
    const elsewhere = await s3.post(path, body, { region: 'eu-west-1' })
    assert.match(elsewhere.text, /not 'eu-west-1'/)
    const unsigned = await fetch(`${services.server.url}${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    })
    assert.equal(unsigned.status, 400)
    assert.match(await unsigned.text(), /MissingAuthenticationTokenException/)
    const got = await fetch(`${services.server.url}${path}`)
    assert.equal(got.status, 405)
  }
  // What it says of itself is checked like any other input.
  for (const body of [
    {},
    { ...proof, method: 'put' },
    { ...proof, headers: 'x' },
    { ...proof, headers: { ...proof.headers, Host: 's3.other' } },
    { ...proof, headers: { ...proof.headers, 'x-amz-more': 'unsigned' } },
    { ...proof, headers: { ...proof.headers, 'x-line': 'a\nb' } },
    { ...proof, path: 'no-slash' },
    { ...proof, path: '/ф' },
    { ...proof, durationSeconds: 901 },
    { ...proof, durationSeconds: 59 },
  ]) {
    const { status, text } = await s3.post('/_trent/fas', body)
    assert.equal(status, 400, JSON.stringify(body))
    assert.match(text, /ValidationException|IncompleteSignatureException|SerializationException/)
  }
  await s3.prove(proof)
})

test('a session is of no use to another service, to its user, or without the service’s signature', async (t) => {
  const services = await openServices(t)
  const alice = await services.newUser('alice', { Action: 'kms:*' })
  const { arn: KeyId } = await makeKey(services.root.kms)
  const s3 = await services.register('s3.amazonaws.com')
  const ec2 = await services.register('ec2.amazonaws.com')
  const { forwardAccessSession: session } = await s3.prove(await s3.sent(alice))
  const describe = new DescribeKeyCommand({ KeyId })
  await s3.kmsWith({ [header]: session }).send(describe)
  const invalid = (kms: KMSClient): Promise<void> =>
    denied(kms.send(describe), 'UnrecognizedClientException', 400, /security token/)
  await invalid(ec2.kmsWith({ [header]: session }))
  await invalid(sending({ [header]: session }, services.as(alice.credentials).kms))
  await invalid(sending({ [header]: session }, services.as(services.root.credentials).kms))
  for (const spoilt of [
    `${session}A`,
    session.slice(1),
    session.toLowerCase(),
    'x',
    'a'.repeat(7000),
  ])
    await invalid(s3.kmsWith({ [header]: spoilt }))
  // A service cannot chain a session that is not its own.
  const asEc2 = {
    credentials: { accessKeyId: ec2.accessKeyId, secretAccessKey: ec2.secretAccessKey },
  }
  const stolen = await s3.sent(asEc2, { headers: { [header]: session } })
  assert.match((await s3.post('/_trent/fas', stolen)).text, /UnrecognizedClientException/)
  // Nor can a user say that a service calls for him.
  const forged = await s3.sent(alice, { headers: { [header]: session } })
  assert.match((await s3.post('/_trent/fas', forged)).text, /UnrecognizedClientException/)
  // It is signed, and there once.
  const call = await signedCall(services.server.port, 'DescribeKey', {
    accessKeyId: s3.accessKeyId,
    secret: s3.secretAccessKey,
    body: JSON.stringify({ KeyId }),
  })
  const post = async (rawHeaders: readonly string[]): Promise<string> => {
    return (await send({ port: services.server.port }, { ...call, rawHeaders })).text
  }
  assert.match(await post([...call.rawHeaders, header, session]), /must be a 'SignedHeader'/)
  // A source is a service's own.
  await denied(
    s3.kmsWith({ [header]: session, 'x-amz-source-account': accountId }).send(describe),
    'ValidationException',
    400,
    /in its own name/,
  )
})

test('a session ends with its time, its service, and its user’s credentials', async (t) => {
  const services = await openServices(t, { TRENT_TEST_API: 'on' })
  const { root, server } = services
  const alice = await services.newUser('alice', { Action: 'kms:*' })
  const bob = await services.newUser('bob', { Action: 'kms:*' })
  const { arn: KeyId } = await makeKey(root.kms)
  const s3 = await services.register('s3.amazonaws.com')
  const describe = new DescribeKeyCommand({ KeyId })
  const forAlice = await s3.kmsFor(alice)
  const forBob = await s3.kmsFor(bob)
  await forAlice.send(describe)
  const { accessKeyId: AccessKeyId } = bob.credentials
  await root.iam.send(new DeleteAccessKeyCommand({ UserName: 'bob', AccessKeyId }))
  const gone = ['UnrecognizedClientException', 400, /security token/] as const
  await denied(forBob.send(describe), ...gone)
  const carol = await services.newUser('carol', { Action: 'kms:*' })
  const forCarol = await s3.kmsFor(carol)
  await forCarol.send(describe)
  await callOperator(server.directory, 'RevokeSessions', { principalArn: carol.arn })
  await denied(forCarol.send(describe), ...gone)
  await (await s3.kmsFor(carol)).send(describe)
  await advance(server.url, '14m')
  await forAlice.send(describe)
  await advance(server.url, '61s')
  await denied(forAlice.send(describe), 'ExpiredTokenException', 400, /is expired/)
  const again = await s3.kmsFor(alice)
  await again.send(describe)
  const { forwardAccessSession } = await s3.prove(await s3.sent(alice))
  await callOperator(server.directory, 'DeregisterService', { name: s3.name, region })
  await denied(again.send(describe), ...gone)
  // The namesake that is registered then has other credentials, and none of the sessions.
  const made = await services.register('s3.amazonaws.com')
  await denied(again.send(describe), ...gone)
  const anew = serviceOf(made, services).kmsWith({ [header]: forwardAccessSession })
  await denied(anew.send(describe), ...gone)
})
