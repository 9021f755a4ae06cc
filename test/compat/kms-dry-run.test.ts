import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import {
  DecryptCommand,
  EncryptCommand,
  GenerateDataKeyCommand,
  GenerateDataKeyWithoutPlaintextCommand,
  PutKeyPolicyCommand,
  ReEncryptCommand,
} from '@aws-sdk/client-kms'
import { accountId, region, startTestServer } from '../harness.ts'
import { makeKey, refused, type MadeKey } from './sdk.ts'
import { callByHand } from './signed-http.ts'

const server = await startTestServer()
after(() => server.stop())
const kms = server.client()
const root = `arn:aws:iam::${accountId}:root`
const Plaintext = Buffer.from('x')
let key: MadeKey
let sealed: Uint8Array

before(async () => {
  key = await makeKey(kms)
  const command = new EncryptCommand({ KeyId: key.keyId, Plaintext })
  sealed = (await kms.send(command)).CiphertextBlob ?? Plaintext
})

type Run = (KeyId: string, DryRun: boolean) => Promise<unknown>

const runs: Readonly<Record<string, Run>> = {
  Encrypt: (KeyId, DryRun) => kms.send(new EncryptCommand({ KeyId, Plaintext, DryRun })),
  Decrypt: (KeyId, DryRun) =>
    kms.send(new DecryptCommand({ KeyId, CiphertextBlob: sealed, DryRun })),
  ReEncryptTo: (KeyId, DryRun) =>
    kms.send(new ReEncryptCommand({ CiphertextBlob: sealed, DestinationKeyId: KeyId, DryRun })),
  GenerateDataKey: (KeyId, DryRun) =>
    kms.send(new GenerateDataKeyCommand({ KeyId, KeySpec: 'AES_256', DryRun })),
  GenerateDataKeyWithoutPlaintext: (KeyId, DryRun) =>
    kms.send(new GenerateDataKeyWithoutPlaintextCommand({ KeyId, KeySpec: 'AES_256', DryRun })),
}

const wouldHave = 'The request would have succeeded, but the DryRun option is set.'

for (const [action, run] of Object.entries(runs)) {
  test(`${action}: a dry run that would succeed says so, and DryRun=false is none`, async () => {
    await refused(run(key.keyId, true), 'DryRunOperationException', wouldHave)
    await run(key.keyId, false)
  })

  test(`${action}: a dry run that would not succeed says why`, async () => {
    const unknown = '00000000-1111-4222-8333-444444444444'
    const arn = `arn:aws:kms:${region}:${accountId}:key/${unknown}`
    await refused(run(unknown, true), 'NotFoundException', `Key '${arn}' does not exist`)
  })

  test(`${action}: a dry run that the key policy denies is denied`, async () => {
    const allow = { Effect: 'Allow', Principal: { AWS: root }, Action: 'kms:*', Resource: '*' }
    const deny = { Effect: 'Deny', Principal: '*', Action: `kms:${action}`, Resource: '*' }
    const document = { Version: '2012-10-17', Statement: [allow, deny] }
    const { keyId: KeyId, arn } = await makeKey(kms)
    const Policy = JSON.stringify(document)
    await kms.send(new PutKeyPolicyCommand({ KeyId, Policy }))
    await refused(
      run(KeyId, true),
      'AccessDeniedException',
      `User: ${root} is not authorized to perform: kms:${action} on resource: ${arn} ` +
        'with an explicit deny in a resource-based policy',
    )
  })
}

test('a dry run answers neither plaintext nor ciphertext', async () => {
  for (const [operation, input] of [
    ['GenerateDataKey', { KeyId: key.keyId, KeySpec: 'AES_256' }],
    ['Encrypt', { KeyId: key.keyId, Plaintext: Plaintext.toString('base64') }],
    ['Decrypt', { CiphertextBlob: Buffer.from(sealed).toString('base64') }],
  ] as const) {
    const body = JSON.stringify({ ...input, DryRun: true })
    const answer = await callByHand(server.port, operation, { body })
    assert.equal(answer.status, 400)
    const said: unknown = JSON.parse(answer.text)
    assert.deepEqual(said, { __type: 'DryRunOperationException', message: wouldHave })
  }
})
