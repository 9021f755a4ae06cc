/** Files of local-kms, in the forms that its README shows, as files for `trent apply`. @module */
import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { test } from 'node:test'
import { convertedSeed } from '../../src/cli/convert-local-kms.ts'
import { parseDocument } from '../../src/cli/document-file.ts'

const place = { account: '111122223333', region: 'eu-west-2' }
const converted = (text: string): unknown =>
  convertedSeed(parseDocument(text, 'seed.yaml', 'failsafe'), place)
const keysOf = (text: string): unknown =>
  (converted(text) as { accounts: { keys: unknown }[] }).accounts[0]?.keys
const base64 = (hex: string): string => Buffer.from(hex, 'hex').toString('base64')
const indented = (pem: string): string => pem.replaceAll(/^/gm, '          ').trimEnd()

const hex = '5cdaead27fe7da2de47945d73cd6d79e36494e73802f3cd3869f1d2cb0b5d7a9'
const earlier = '34743777217A25432A46294A404E635266556A586E3272357538782F413F4428'
// All digits but for an exponent: a reader of numbers would lose it.
const numeric = `1234567890123456789012345678901234567890123456789012345678901e23`
const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey
const curve = generateKeyPairSync('ec', { namedCurve: 'prime256v1' }).privateKey
const rsaPem = rsa.export({ type: 'pkcs8', format: 'pem' })
const curvePem = curve.export({ type: 'sec1', format: 'pem' })
const der = (key: typeof rsa): string =>
  key.export({ type: 'pkcs8', format: 'der' }).toString('base64')

test('symmetric keys come with their ids, their material and what was rotated away', () => {
  const text = `
Keys:
  Symmetric:
    Aes:
      - Metadata:
          KeyId: bc436485-5092-42b8-92a3-0aa8b93536dc
          Description: "Your key description"
        NextKeyRotation: "2019-09-12T15:19:21+00:00"
        BackingKeys:
          - ${earlier}
          - ${hex}
      - Metadata:
          KeyId: 5ef77041-d1e6-4af1-9a41-e49a4b45efb6
          Origin: EXTERNAL
        BackingKeys:
          - ${numeric}
      - Metadata:
          KeyId: 5d05267f-bb87-4d0b-8594-295a4371d414
          Origin: EXTERNAL
    Hmac:
      - Metadata:
          KeyId: 1d05267f-bb87-4d0b-8594-295a4371d414
          KeySpec: HMAC_256
        BackingKeys: [${hex}]
Aliases:
  - AliasName: alias/dev
    TargetKeyId: bc436485-5092-42b8-92a3-0aa8b93536dc
  - AliasName: test
    TargetKeyId: bc436485-5092-42b8-92a3-0aa8b93536dc
`
  const symmetric = { keySpec: 'SYMMETRIC_DEFAULT', keyUsage: 'ENCRYPT_DECRYPT' }
  const { region } = place
  assert.deepEqual(converted(text), {
    accounts: [
      {
        accountId: '111122223333',
        keys: [
          {
            keyId: 'bc436485-5092-42b8-92a3-0aa8b93536dc',
            description: 'Your key description',
            ...symmetric,
            material: base64(hex),
            earlierMaterials: [base64(earlier)],
            enableKeyRotation: true,
            region,
            aliases: ['alias/dev', 'alias/test'],
          },
          {
            keyId: '5ef77041-d1e6-4af1-9a41-e49a4b45efb6',
            ...symmetric,
            origin: 'EXTERNAL',
            material: base64(numeric),
            region,
          },
          {
            keyId: '5d05267f-bb87-4d0b-8594-295a4371d414',
            ...symmetric,
            origin: 'EXTERNAL',
            region,
          },
          {
            keyId: '1d05267f-bb87-4d0b-8594-295a4371d414',
            keySpec: 'HMAC_256',
            keyUsage: 'GENERATE_VERIFY_MAC',
            material: base64(hex),
            region,
          },
        ],
      },
    ],
  })
})

test('pairs come with the spec that their PEM has, in PKCS #8', () => {
  const text = `
Keys:
  Asymmetric:
    Rsa:
      - Metadata:
          KeyId: ff275b92-0def-4dfc-b0f6-87c96b26c6c7
          KeyUsage: ENCRYPT_DECRYPT # or SIGN_VERIFY
        PrivateKeyPem: |
${indented(rsaPem)}
    Ecc:
      - Metadata:
          KeyId: 800d5768-3fd7-4edd-a4b8-4c81c3e4c147
        PrivateKeyPem: |
${indented(curvePem)}
`
  const { region } = place
  assert.deepEqual(keysOf(text), [
    {
      keyId: 'ff275b92-0def-4dfc-b0f6-87c96b26c6c7',
      keySpec: 'RSA_2048',
      keyUsage: 'ENCRYPT_DECRYPT',
      material: der(rsa),
      region,
    },
    {
      keyId: '800d5768-3fd7-4edd-a4b8-4c81c3e4c147',
      keySpec: 'ECC_NIST_P256',
      keyUsage: 'SIGN_VERIFY',
      material: der(curve),
      region,
    },
  ])
})

test('the list of AES keys before, and the list of keys with their specs after', () => {
  const { region } = place
  const before = `
Keys:
  - Metadata: {KeyId: bc436485-5092-42b8-92a3-0aa8b93536dc}
    BackingKeys: [${hex}]
`
  const symmetric = {
    keyId: 'bc436485-5092-42b8-92a3-0aa8b93536dc',
    keySpec: 'SYMMETRIC_DEFAULT',
    keyUsage: 'ENCRYPT_DECRYPT',
    material: base64(hex),
    region,
  }
  assert.deepEqual(keysOf(before), [symmetric])
  const after = `
Version: 2
Keys:
  - KeyId: bc436485-5092-42b8-92a3-0aa8b93536dc
    Metadata: {KeySpec: SYMMETRIC_DEFAULT}
    Material: {BackingKeys: [${hex}]}
  - KeyId: 800d5768-3fd7-4edd-a4b8-4c81c3e4c147
    Metadata: {KeySpec: ECC_NIST_P256, KeyUsage: SIGN_VERIFY}
    Material:
      PrivateKeyPem: |
${indented(curvePem)}
`
  assert.deepEqual(keysOf(after), [
    symmetric,
    {
      keyId: '800d5768-3fd7-4edd-a4b8-4c81c3e4c147',
      keySpec: 'ECC_NIST_P256',
      keyUsage: 'SIGN_VERIFY',
      material: der(curve),
      region,
    },
  ])
})

test('what no key can be made of is refused with its place', () => {
  const refused = (text: string, message: string): void => {
    assert.throws(() => converted(text), { message: `seed.yaml:${message}` })
  }
  const key = (rest: string): string => `Keys:\n  Symmetric:\n    Aes:\n      - ${rest}\n`
  refused(key('Metadata: {}'), '4:9: KeyId is needed')
  refused(key('{Metadata: {KeyId: a}, BackingKeys: [xyz]}'), '4:46: must be in hexadecimal digits')
  refused(key('text'), '4:9: must hold names and values')
  refused('Keys:\n  Symmetric:\n    Aes: 1\n', '3:5: must be a list')
  refused(
    'Keys:\n  Asymmetric:\n    Ecc:\n      - {Metadata: {KeyId: a}, PrivateKeyPem: x}\n',
    '4:32: must be a private key with a KMS key spec',
  )
  refused(
    'Aliases:\n  - {AliasName: a, TargetKeyId: b}\n',
    '2:5: its TargetKeyId is not a key in this file',
  )
})

test('a file without keys is refused, because it is the seed of something else', () => {
  assert.deepEqual(keysOf('Keys:\n  Symmetric:\n'), [])
  assert.throws(
    () => converted('services:\n  kms: {}\n'),
    /is not a seed file of local-kms: it has no Keys/,
  )
})
