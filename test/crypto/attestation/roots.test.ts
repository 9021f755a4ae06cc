import assert from 'node:assert/strict'
import { createHash, X509Certificate } from 'node:crypto'
import { test } from 'node:test'
import { awsNitroRoot, readRoots } from '../../../src/crypto/attestation/roots.ts'
import { createAttester, issue } from './attester.ts'

function pem(der: Uint8Array): string {
  return new X509Certificate(der).toString()
}

test('AWS’s root is the certificate whose fingerprint AWS publishes', () => {
  const root = awsNitroRoot()
  assert.equal(
    createHash('sha256').update(root).digest('hex'),
    '641a0321a3e244efe456463195d606317ed7cdcc3c1756e09893f3c68f79bb5b',
  )
  const { subject, ca, publicKey } = new X509Certificate(root)
  assert.equal(subject, 'C=US\nO=Amazon\nOU=AWS\nCN=aws.nitro-enclaves')
  assert.equal(ca, true)
  assert.equal(publicKey.asymmetricKeyDetails?.namedCurve, 'secp384r1')
})

test('a PEM file holds one root or more', async () => {
  const { root, intermediate } = await createAttester()
  assert.deepEqual(readRoots(pem(root.der)), [Buffer.from(root.der)])
  assert.deepEqual(readRoots(`ours:\n${pem(root.der)}\n${pem(intermediate.der)}`), [
    Buffer.from(root.der),
    Buffer.from(intermediate.der),
  ])
})

test('a PEM file that holds no root is refused', async () => {
  const { root, signer } = await createAttester()
  const garbage = '-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n'
  for (const [text, message] of [
    ['', 'holds no PEM certificate'],
    ['-----BEGIN CERTIFICATE-----', 'holds no PEM certificate'],
    [pem(root.der) + garbage, 'certificate 2 is not a CA certificate'],
    [pem(signer.der), 'certificate 1 is not a CA certificate'],
    [
      pem((await issue({ name: 'v1', authority: null })).der),
      'certificate 1 is not a CA certificate',
    ],
    [pem(root.der).repeat(17), 'holds more than 16 certificates'],
  ] as const) {
    assert.throws(() => readRoots(text), { name: 'RangeError', message })
  }
})
