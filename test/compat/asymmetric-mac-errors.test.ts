/** GenerateMac and VerifyMac refuse in AWS's words and order. Source: recordings, September 2026. */
import { after, before, test } from 'node:test'
import {
  DisableKeyCommand,
  GenerateMacCommand,
  VerifyMacCommand,
  type KeyUsageType,
  type KMSClient,
  type MacAlgorithmSpec,
} from '@aws-sdk/client-kms'
import { startTestServer, type TestServer } from '../harness.ts'
import { newKey, type AsymmetricKey } from './asymmetric-keys.ts'
import { makeKey, refused } from './sdk.ts'

let server: TestServer
let kms: KMSClient

before(async () => {
  server = await startTestServer()
  kms = server.client()
})
after(() => server.stop())

/** GenerateMac and VerifyMac of the same input; the MAC is none. */
async function bothMacsRefuse(
  KeyId: string,
  MacAlgorithm: MacAlgorithmSpec,
  code: string,
  message: (operation: string) => string,
): Promise<void> {
  const input = { KeyId, MacAlgorithm, Message: Buffer.of(1) }
  await refused(kms.send(new GenerateMacCommand(input)), code, message('GenerateMac'))
  const verified = kms.send(new VerifyMacCommand({ ...input, Mac: Buffer.of(1) }))
  await refused(verified, code, message('VerifyMac'))
}

test('MACs: usage, then state, then the one algorithm of the key', async () => {
  const symmetric = await makeKey(kms)
  const signer = await newKey(kms, 'ECC_NIST_P256', 'SIGN_VERIFY')
  const wrongUsage: readonly (readonly [AsymmetricKey, KeyUsageType])[] = [
    [{ KeyId: symmetric.keyId, arn: symmetric.arn }, 'ENCRYPT_DECRYPT'],
    [signer, 'SIGN_VERIFY'],
  ]
  for (const [{ KeyId, arn }, usage] of wrongUsage) {
    await bothMacsRefuse(
      KeyId,
      'HMAC_SHA_256',
      'InvalidKeyUsageException',
      (operation) => `${arn} key usage is ${usage} which is not valid for ${operation}.`,
    )
  }
  const { KeyId, arn } = await newKey(kms, 'HMAC_224', 'GENERATE_VERIFY_MAC')
  await bothMacsRefuse(
    KeyId,
    'HMAC_SHA_512',
    'InvalidKeyUsageException',
    () => 'Algorithm HMAC_SHA_512 is incompatible with key spec HMAC_224.',
  )
  await kms.send(new DisableKeyCommand({ KeyId }))
  await bothMacsRefuse(KeyId, 'HMAC_SHA_512', 'DisabledException', () => `${arn} is disabled.`)
})
