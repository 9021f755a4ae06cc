/** The page on error messages: each of its rows is provoked, in its order. @module */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import {
  CreateAliasCommand,
  CreateKeyCommand,
  type CreateKeyCommandInput,
  DecryptCommand,
  DescribeKeyCommand,
  DisableKeyCommand,
  EnableKeyRotationCommand,
  EncryptCommand,
  PutKeyPolicyCommand,
  ScheduleKeyDeletionCommand,
  SignCommand,
} from '@aws-sdk/client-kms'
import { openIdentities } from '../compat/identities.ts'
import { accountId, credentials, region } from '../harness.ts'

/** What each row of the page's tables names: `Name` and `message`, or only one of them. */
function messagesOf(page: string): readonly (readonly [name: string, message: string])[] {
  return page.split('\n').flatMap((line) => {
    const [, cell] = /^\| (`.*?) \|/.exec(line) ?? []
    if (cell === undefined) return []
    const [first = '', second] = [...cell.matchAll(/`([^`]+)`/g)].map(([, text = '']) => text)
    // The SDK says this for an exception without a message.
    if (/^\w+Exception$/.test(first)) return [[first, second ?? 'UnknownError'] as const]
    return [['Error', first] as const]
  })
}

test('the page on error messages says what the server says', async (t) => {
  const { server, root, as, newUser } = await openIdentities(t)
  const { kms } = root
  const alice = await newUser('alice')
  const newKey = async (input: CreateKeyCommandInput = {}): Promise<string> => {
    const { KeyMetadata } = await kms.send(new CreateKeyCommand(input))
    return KeyMetadata?.KeyId ?? ''
  }
  const [symmetric, other, disabled, doomed] = [
    await newKey(),
    await newKey(),
    await newKey(),
    await newKey(),
  ]
  const empty = await newKey({ Origin: 'EXTERNAL' })
  const p256 = await newKey({ KeySpec: 'ECC_NIST_P256', KeyUsage: 'SIGN_VERIFY' })
  const ed25519 = await newKey({ KeySpec: 'ECC_NIST_EDWARDS25519', KeyUsage: 'SIGN_VERIFY' })
  const Message = Buffer.alloc(20)
  const encrypt = (KeyId: string, by = kms, bytes = 20): Promise<unknown> =>
    by.send(new EncryptCommand({ KeyId, Plaintext: Buffer.alloc(bytes) }))
  const sign = (
    KeyId: string,
    SigningAlgorithm: 'ECDSA_SHA_256' | 'RSASSA_PSS_SHA_256' | 'ED25519_SHA_512',
    MessageType: 'RAW' | 'DIGEST' = 'RAW',
  ): Promise<unknown> =>
    kms.send(new SignCommand({ KeyId, Message, SigningAlgorithm, MessageType }))
  const alias = (AliasName: string): Promise<unknown> =>
    kms.send(new CreateAliasCommand({ AliasName, TargetKeyId: symmetric }))
  const policy = (Policy: string): Promise<unknown> =>
    kms.send(new PutKeyPolicyCommand({ KeyId: symmetric, Policy }))
  const nobody = `arn:aws:iam::${accountId}:user/nobody`
  const ofNobody = [{ Effect: 'Allow', Principal: { AWS: nobody }, Action: '*', Resource: '*' }]
  await alias('alias/app')
  await kms.send(new DisableKeyCommand({ KeyId: disabled }))
  await kms.send(new ScheduleKeyDeletionCommand({ KeyId: doomed }))
  const EncryptionContext = { team: 'blue' }
  const sealed = await kms.send(
    new EncryptCommand({ KeyId: symmetric, Plaintext: Message, EncryptionContext }),
  )
  const { CiphertextBlob } = sealed
  const unknown = { accessKeyId: 'AKIANOBODYKNOWS', secretAccessKey: 'secret' }
  const mistyped = { ...credentials, secretAccessKey: 'mistyped' }
  const late = server.client({ systemClockOffset: -3_600_000 })
  const nowhere = server.client({ endpoint: 'http://127.0.0.1:1' })
  const abroad = `arn:aws:kms:us-east-1:${accountId}:key/${symmetric}`
  assert.notEqual(region, 'us-east-1')
  const causes: readonly (() => Promise<unknown>)[] = [
    () => encrypt(symmetric, nowhere),
    () => encrypt(symmetric, as(unknown).kms),
    () => encrypt(symmetric, as(mistyped).kms),
    () => encrypt(symmetric, late),
    () => encrypt(symmetric, alice.kms),
    () => encrypt('alias/nobody'),
    () => encrypt('app'),
    () => server.client({ region: 'eu-west-1' }).send(new DescribeKeyCommand({ KeyId: symmetric })),
    () => encrypt(abroad),
    () => kms.send(new DisableKeyCommand({ KeyId: 'alias/app' })),
    () => alias('alias/app'),
    () => encrypt(disabled),
    () => encrypt(doomed),
    () => encrypt(empty),
    () => sign(symmetric, 'ECDSA_SHA_256'),
    () => sign(p256, 'RSASSA_PSS_SHA_256'),
    () => sign(p256, 'ECDSA_SHA_256', 'DIGEST'),
    () => sign(ed25519, 'ED25519_SHA_512', 'DIGEST'),
    () => encrypt(symmetric, kms, 4097),
    () => kms.send(new EnableKeyRotationCommand({ KeyId: p256 })),
    () => kms.send(new DecryptCommand({ CiphertextBlob })),
    () => kms.send(new DecryptCommand({ CiphertextBlob, EncryptionContext, KeyId: other })),
    () => policy('{'),
    () => policy(JSON.stringify({ Version: '2012-10-17', Statement: ofNobody })),
    () => kms.send(new ScheduleKeyDeletionCommand({ KeyId: other, PendingWindowInDays: 3 })),
    () => alias('alias/aws/app'),
  ]
  const said: (readonly [string, string])[] = []
  for (const cause of causes) {
    const error: unknown = await cause().then(
      () => assert.fail(String(cause)),
      (reason: unknown) => reason,
    )
    assert.ok(error instanceof Error)
    said.push([error.name, error.message])
  }
  const page = readFileSync(join(import.meta.dirname, '../../docs/troubleshooting.md'), 'utf8')
  const rows = messagesOf(page)
  assert.equal(rows.length, said.length)
  for (const [index, [name, message]] of rows.entries()) {
    const [saidName = '', saidMessage = ''] = said[index] ?? []
    const parts = message.split('…')
    const quoted = parts.map((part) => part.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&')).join('.+')
    assert.equal(saidName, name, saidMessage)
    assert.match(saidMessage, new RegExp(`^${quoted}$`))
  }
})
