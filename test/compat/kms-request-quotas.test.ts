/** Request quotas through the wire: what a call draws on, whatever becomes of it. @module */
import assert from 'node:assert/strict'
import { constants, createPublicKey, publicEncrypt } from 'node:crypto'
import { after, test } from 'node:test'
import {
  CreateGrantCommand,
  CreateKeyCommand,
  EncryptCommand,
  GenerateDataKeyPairCommand,
  GenerateDataKeyPairWithoutPlaintextCommand,
  GenerateRandomCommand,
  GetPublicKeyCommand,
  type KMSClient,
  PutKeyPolicyCommand,
  ReEncryptCommand,
} from '@aws-sdk/client-kms'
import { accountId } from '../harness.ts'
import { otherAccountId, startWithTwoAccounts } from './accounts.ts'
import { makeKey, refused } from './sdk.ts'

const tooFast =
  'You have exceeded the rate at which you may call KMS. Reduce the frequency of your calls.'
/** One request, and then none for a quarter of an hour: no test waits for a bucket. */
const server = await startWithTwoAccounts({
  TRENT_QUOTAS: 'aws',
  TRENT_QUOTA_OVERRIDES: [
    'cryptographic-symmetric=0.001,cryptographic-rsa=0.001,CreateGrant=0.001,PutKeyPolicy=0.001',
    'GenerateDataKeyPair-ECC_NIST_P256=0.001,CreateKey=1000',
  ].join(','),
})
after(() => server.stop())

const throttled = (call: Promise<unknown>): Promise<void> =>
  refused(call, 'ThrottlingException', tooFast)
const random = (kms: KMSClient): Promise<unknown> =>
  kms.send(new GenerateRandomCommand({ NumberOfBytes: 1 }))

/** A key of each kind, and a ciphertext of the RSA key that was made without a call that is limited. */
async function twoKinds(kms: KMSClient) {
  const symmetric = await makeKey(kms)
  const { keyId: RsaKeyId } = await makeRsaKey(kms)
  const { PublicKey } = await kms.send(new GetPublicKeyCommand({ KeyId: RsaKeyId }))
  assert(PublicKey)
  const key = createPublicKey({ key: Buffer.from(PublicKey), format: 'der', type: 'spki' })
  const padding = { padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: 'sha256' }
  return {
    rsa: (): Promise<unknown> =>
      kms.send(
        new EncryptCommand({
          KeyId: RsaKeyId,
          Plaintext: Buffer.from('x'),
          EncryptionAlgorithm: 'RSAES_OAEP_SHA_256',
        }),
      ),
    reEncrypt: (): Promise<unknown> =>
      kms.send(
        new ReEncryptCommand({
          CiphertextBlob: publicEncrypt({ key, ...padding }, Buffer.from('x')),
          SourceKeyId: RsaKeyId,
          SourceEncryptionAlgorithm: 'RSAES_OAEP_SHA_256',
          DestinationKeyId: symmetric.keyId,
        }),
      ),
  }
}

async function makeRsaKey(kms: KMSClient): Promise<{ readonly keyId: string }> {
  const input = { KeySpec: 'RSA_2048', KeyUsage: 'ENCRYPT_DECRYPT' } as const
  const { KeyMetadata } = await kms.send(new CreateKeyCommand(input))
  return { keyId: KeyMetadata?.KeyId ?? '' }
}

test('a ReEncrypt between two kinds of keys draws on both', async () => {
  const kms = server.client({ region: 'eu-north-1' })
  const { rsa, reEncrypt } = await twoKinds(kms)
  await reEncrypt()
  await throttled(rsa())
  await throttled(random(kms))
  await throttled(reEncrypt())
})

test('a ReEncrypt that finds one of them empty draws on neither', async () => {
  const kms = server.client({ region: 'eu-west-1' })
  const { rsa, reEncrypt } = await twoKinds(kms)
  await random(kms)
  await throttled(reEncrypt())
  await rsa()
  await throttled(rsa())
})

test('pairs of a spec are one quota, with and without plaintext, and no other’s', async () => {
  const kms = server.client({ region: 'ap-south-1' })
  const { keyId: KeyId } = await makeKey(kms)
  const of = (KeyPairSpec: 'ECC_NIST_P256' | 'ECC_NIST_P384') => ({ KeyId, KeyPairSpec })
  await kms.send(new GenerateDataKeyPairCommand(of('ECC_NIST_P256')))
  const without = new GenerateDataKeyPairWithoutPlaintextCommand(of('ECC_NIST_P256'))
  await throttled(kms.send(without))
  await kms.send(new GenerateDataKeyPairCommand(of('ECC_NIST_P384')))
  await random(kms)
})

test('a DryRun counts, and so does a call that is refused', async () => {
  const kms = server.client()
  const { keyId: KeyId } = await makeKey(kms)
  const GranteePrincipal = `arn:aws:iam::${accountId}:root`
  const grant = (DryRun: boolean): Promise<unknown> =>
    kms.send(new CreateGrantCommand({ KeyId, GranteePrincipal, Operations: ['Decrypt'], DryRun }))
  const message = 'The request would have succeeded, but the DryRun option is set.'
  await refused(grant(true), 'DryRunOperationException', message)
  await throttled(grant(false))
  const bad = { KeyId, Policy: '{' }
  await refused(
    kms.send(new PutKeyPolicyCommand(bad)),
    'MalformedPolicyDocumentException',
    'the policy cannot be read: it is not valid JSON',
  )
  await throttled(kms.send(new PutKeyPolicyCommand(bad)))
})

test('whoever calls for another account’s key is charged, and its owner is not', async () => {
  const kms = server.client({ region: 'ca-central-1' })
  const other = server.otherClient({ region: 'ca-central-1' })
  const principals = [accountId, otherAccountId].map((id) => `arn:aws:iam::${id}:root`)
  const statement = {
    Effect: 'Allow',
    Principal: { AWS: principals },
    Action: 'kms:*',
    Resource: '*',
  }
  const Policy = JSON.stringify({ Version: '2012-10-17', Statement: [statement] })
  const { arn: KeyId } = await makeKey(kms, { Policy })
  const encrypt = (client: KMSClient): Promise<unknown> =>
    client.send(new EncryptCommand({ KeyId, Plaintext: Buffer.from('x') }))
  await encrypt(other)
  await throttled(encrypt(other))
  await throttled(random(other))
  await encrypt(kms)
  await throttled(encrypt(kms))
})
