/**
 * The AWS CLI runs the developer guide's import with material that OpenSSL makes and wraps, for every key
 * spec that can be imported and every way to wrap it.
 * @see https://docs.aws.amazon.com/kms/latest/developerguide/importing-keys-encrypt-key-material.html
 * @module
 */
import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { DeleteImportedKeyMaterialCommand, GetPublicKeyCommand } from '@aws-sdk/client-kms'
import { DecryptCommand, EncryptCommand, GenerateMacCommand } from '@aws-sdk/client-kms'
import { createHmac, createPrivateKey, createPublicKey } from 'node:crypto'
import type { MacAlgorithmSpec } from '@aws-sdk/client-kms'
import { canWrap } from '../../src/crypto/key-specs.ts'
import type { KeySpec } from '../../src/model/key.ts'
import { pythonClients } from './python-clients.ts'
import { openWorkplace, type Workplace } from './workplace.ts'

const clients = await pythonClients()
const { skip } = clients

const algorithms = [
  'RSAES_OAEP_SHA_1',
  'RSAES_OAEP_SHA_256',
  'RSA_AES_KEY_WRAP_SHA_1',
  'RSA_AES_KEY_WRAP_SHA_256',
] as const
const sizes = ['RSA_2048', 'RSA_3072', 'RSA_4096'] as const

const random = (bytes: number): string => `openssl rand -out PlaintextKeyMaterial.bin ${bytes}`
const toPkcs8 = 'openssl pkcs8 -topk8 -outform der -nocrypt > PlaintextKeyMaterial.bin'
const rsa = (bits: number): string =>
  `openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:${bits} | ${toPkcs8}`
const curve = (name: string): string =>
  `openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:${name} | ${toPkcs8}`

/** How the guide makes material of each key spec. */
const made: readonly (readonly [spec: KeySpec, usage: string, script: string])[] = [
  ['SYMMETRIC_DEFAULT', 'ENCRYPT_DECRYPT', random(32)],
  ['HMAC_224', 'GENERATE_VERIFY_MAC', random(28)],
  ['HMAC_256', 'GENERATE_VERIFY_MAC', random(32)],
  ['HMAC_384', 'GENERATE_VERIFY_MAC', random(48)],
  ['HMAC_512', 'GENERATE_VERIFY_MAC', random(64)],
  ['RSA_2048', 'SIGN_VERIFY', rsa(2048)],
  ['RSA_3072', 'ENCRYPT_DECRYPT', rsa(3072)],
  ['RSA_4096', 'SIGN_VERIFY', rsa(4096)],
  ['ECC_NIST_P256', 'SIGN_VERIFY', curve('P-256')],
  ['ECC_NIST_P384', 'KEY_AGREEMENT', curve('P-384')],
  ['ECC_NIST_P521', 'SIGN_VERIFY', curve('P-521')],
  ['ECC_SECG_P256K1', 'SIGN_VERIFY', curve('secp256k1')],
  ['ECC_NIST_EDWARDS25519', 'SIGN_VERIFY', `openssl genpkey -algorithm ED25519 | ${toPkcs8}`],
]

/** Wraps `$1` into `$2` under the public key: RSAES-OAEP with the hash for both of its uses. */
const oaep = (hash: string, from: string, to: string): string => `
openssl pkeyutl -encrypt -in ${from} -out ${to} \\
  -inkey WrappingPublicKey.bin -keyform der -pubin \\
  -pkeyopt rsa_padding_mode:oaep -pkeyopt rsa_oaep_md:${hash} -pkeyopt rsa_mgf1_md:${hash}`

function wrapping(algorithm: string): string {
  const hash = algorithm.endsWith('SHA_1') ? 'sha1' : 'sha256'
  if (algorithm.startsWith('RSAES')) {
    return oaep(hash, 'PlaintextKeyMaterial.bin', 'EncryptedKeyMaterial.bin')
  }
  return `
openssl rand -out aes-key.bin 32
openssl enc -id-aes256-wrap-pad -K "$(od -An -v -tx1 aes-key.bin | tr -d ' \\n')" -iv A65959A6 \\
  -in PlaintextKeyMaterial.bin -out key-material-wrapped.bin
${oaep(hash, 'aes-key.bin', 'aes-key-wrapped.bin')}
cat aes-key-wrapped.bin key-material-wrapped.bin > EncryptedKeyMaterial.bin`
}

const importing = (key: string, algorithm: string, size: string): string => `
aws kms get-parameters-for-import --key-id ${key} --wrapping-algorithm ${algorithm} \\
  --wrapping-key-spec ${size} --query '[PublicKey,ImportToken]' --output text > parameters
cut -f1 parameters | base64 -d > WrappingPublicKey.bin
cut -f2 parameters | base64 -d > ImportToken.bin
${wrapping(algorithm)}
aws kms import-key-material --key-id ${key} \\
  --encrypted-key-material fileb://EncryptedKeyMaterial.bin \\
  --import-token fileb://ImportToken.bin \\
  --expiration-model KEY_MATERIAL_DOES_NOT_EXPIRE`

const data = Buffer.from('the guide')

/** That the key is the material, by what anybody else computes from it. */
async function requireMaterial(
  { client, folder }: Workplace,
  KeyId: string,
  spec: KeySpec,
): Promise<void> {
  const material = await readFile(join(folder, 'PlaintextKeyMaterial.bin'))
  if (spec === 'SYMMETRIC_DEFAULT') {
    const { CiphertextBlob } = await client.send(new EncryptCommand({ KeyId, Plaintext: data }))
    const { Plaintext } = await client.send(new DecryptCommand({ CiphertextBlob }))
    assert.deepEqual(Buffer.from(Plaintext ?? []), data)
  } else if (spec.startsWith('HMAC')) {
    const bits = spec.slice(5)
    const MacAlgorithm = `HMAC_SHA_${bits}` as MacAlgorithmSpec
    const { Mac } = await client.send(
      new GenerateMacCommand({ KeyId, Message: data, MacAlgorithm }),
    )
    const expected = createHmac(`sha${bits}`, material).update(data).digest()
    assert.deepEqual(Buffer.from(Mac ?? []), expected)
  } else {
    const { PublicKey } = await client.send(new GetPublicKeyCommand({ KeyId }))
    const key = createPrivateKey({ key: material, format: 'der', type: 'pkcs8' })
    const expected = createPublicKey(key).export({ format: 'der', type: 'spki' })
    assert.deepEqual(Buffer.from(PublicKey ?? []), expected)
  }
}

for (const [spec, usage, script] of made) {
  test(
    `guide: import material of ${spec}, wrapped by OpenSSL in every way`,
    { skip },
    async (t) => {
      const place = await openWorkplace(t, clients)
      const { json, shell, client } = place
      const create = `aws kms create-key --origin EXTERNAL --key-spec ${spec} --key-usage ${usage}`
      const key = String(await json(`${create} --query KeyMetadata.KeyId`))
      assert.equal((await shell(script)).status, 0)
      const ids = new Set<unknown>()
      // Each algorithm, and over all of them each size of wrapping key that it takes.
      const ways = algorithms.flatMap((algorithm, index) => {
        const fitting = sizes.filter((size) => canWrap(algorithm, size, spec))
        const size = fitting[index % fitting.length]
        return size === undefined ? [] : [[algorithm, size] as const]
      })
      assert(ways.length >= 2)
      for (const [algorithm, size] of ways) {
        const answer = (await json(importing(key, algorithm, size))) as Record<string, unknown>
        ids.add(answer['KeyMaterialId'])
        await requireMaterial(place, key, spec)
        // Without it, the next one brings it back.
        await client.send(new DeleteImportedKeyMaterialCommand({ KeyId: key }))
      }
      assert.equal(ids.size, 1)
      assert.equal([...ids][0] === undefined, spec !== 'SYMMETRIC_DEFAULT')
    },
  )
}

test('guide: reimport, expire, describe and delete imported material', { skip }, async (t) => {
  const { json, shell, folder } = await openWorkplace(t, clients)
  const key = String(await json('aws kms create-key --origin EXTERNAL --query KeyMetadata.KeyId'))
  assert.equal((await shell(random(32))).status, 0)
  const first = importing(key, 'RSAES_OAEP_SHA_256', 'RSA_2048')
  const { KeyMaterialId } = (await json(first)) as Record<string, unknown>
  const expiring = first.replace(
    '--expiration-model KEY_MATERIAL_DOES_NOT_EXPIRE',
    '--expiration-model KEY_MATERIAL_EXPIRES --valid-to "$(date -u -d "+1 day" +%FT%TZ)"',
  )
  await json(expiring)
  const describe = `aws kms describe-key --key-id ${key} --query KeyMetadata`
  const { ExpirationModel, ValidTo, KeyState } = (await json(describe)) as Record<string, unknown>
  assert.deepEqual([ExpirationModel, KeyState], ['KEY_MATERIAL_EXPIRES', 'Enabled'])
  const hours = (Number(ValidTo) * 1000 - Date.now()) / 3_600_000
  assert(hours > 23 && hours <= 24, String(hours))
  const removed = await json(
    `aws kms delete-imported-key-material --key-id ${key} --key-material-id ${String(KeyMaterialId)}`,
  )
  assert.equal((removed as Record<string, unknown>)['KeyMaterialId'], KeyMaterialId)
  assert.equal(await json(`${describe}.KeyState`), 'PendingImport')
  // Other material is refused, in the words of AWS.
  const other = await shell(`${random(32)}\n${first}`)
  assert.notEqual(other.status, 0)
  assert.match(other.stderr, /IncorrectKeyMaterialException.*does not have the expected identifier/)
  assert((await readFile(join(folder, 'ImportToken.bin'))).length > 1000)
})
