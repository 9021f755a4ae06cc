/**
 * JSON Web Tokens signed through Sign, as `jose` reads them; of ES256K, which it does not know, see the
 * tests with OpenSSL. @see RFC 7515, RFC 7518, RFC 8037
 */
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { after, before, test } from 'node:test'
import {
  SignCommand,
  type KeySpec,
  type KMSClient,
  type SigningAlgorithmSpec,
} from '@aws-sdk/client-kms'
import { errors, importSPKI, jwtVerify } from 'jose'
import { startTestServer, type TestServer } from '../harness.ts'
import { keyPool, pairOf, publicKeyOf } from './asymmetric-keys.ts'

let server: TestServer
let kms: KMSClient
const keyOf = keyPool(() => kms)

before(async () => {
  server = await startTestServer()
  kms = server.client()
})
after(() => server.stop())

interface Jws {
  readonly alg: string
  readonly spec: KeySpec
  readonly algorithm: SigningAlgorithmSpec
  /** Of the digest, for tokens that are signed as one. */
  readonly hash?: string
  /** Bytes of a coordinate: a JWS holds `r ‖ s` where KMS answers DER. */
  readonly coordinate?: number
}

const tokens: readonly Jws[] = [
  { alg: 'RS256', spec: 'RSA_2048', algorithm: 'RSASSA_PKCS1_V1_5_SHA_256', hash: 'sha256' },
  { alg: 'RS384', spec: 'RSA_2048', algorithm: 'RSASSA_PKCS1_V1_5_SHA_384', hash: 'sha384' },
  { alg: 'RS512', spec: 'RSA_2048', algorithm: 'RSASSA_PKCS1_V1_5_SHA_512', hash: 'sha512' },
  { alg: 'PS256', spec: 'RSA_2048', algorithm: 'RSASSA_PSS_SHA_256', hash: 'sha256' },
  { alg: 'PS384', spec: 'RSA_2048', algorithm: 'RSASSA_PSS_SHA_384', hash: 'sha384' },
  { alg: 'PS512', spec: 'RSA_2048', algorithm: 'RSASSA_PSS_SHA_512', hash: 'sha512' },
  {
    alg: 'ES256',
    spec: 'ECC_NIST_P256',
    algorithm: 'ECDSA_SHA_256',
    hash: 'sha256',
    coordinate: 32,
  },
  {
    alg: 'ES384',
    spec: 'ECC_NIST_P384',
    algorithm: 'ECDSA_SHA_384',
    hash: 'sha384',
    coordinate: 48,
  },
  {
    alg: 'ES512',
    spec: 'ECC_NIST_P521',
    algorithm: 'ECDSA_SHA_512',
    hash: 'sha512',
    coordinate: 66,
  },
  { alg: 'EdDSA', spec: 'ECC_NIST_EDWARDS25519', algorithm: 'ED25519_SHA_512' },
]

for (const token of tokens) {
  const { alg, spec, hash } = token
  test(`jose verifies ${alg} tokens signed with ${spec}, as messages and as digests`, async () => {
    const { KeyId } = await keyOf(spec, 'SIGN_VERIFY')
    const pem = (await publicKeyOf(kms, KeyId)).export({ format: 'pem', type: 'spki' })
    const key = await importSPKI(pem, alg)
    for (const type of hash === undefined ? (['RAW'] as const) : (['RAW', 'DIGEST'] as const)) {
      const jwt = await signToken(token, KeyId, type)
      const { payload, protectedHeader } = await jwtVerify(jwt, key, { issuer: 'trent' })
      assert.equal(payload.sub, 'somebody')
      assert.equal(protectedHeader.alg, alg)
      const [header = '', , signature = ''] = jwt.split('.')
      const forged = [header, encode({ iss: 'trent', sub: 'somebody else' }), signature].join('.')
      await assert.rejects(jwtVerify(forged, key), errors.JWSSignatureVerificationFailed)
    }
  })
}

async function signToken(token: Jws, KeyId: string, type: 'RAW' | 'DIGEST'): Promise<string> {
  const { alg, algorithm, hash = '', coordinate } = token
  const signed = `${encode({ alg, typ: 'JWT' })}.${encode({ iss: 'trent', sub: 'somebody' })}`
  const text = Buffer.from(signed)
  const Message = type === 'RAW' ? text : createHash(hash).update(text).digest()
  const input = { KeyId, Message, MessageType: type, SigningAlgorithm: algorithm }
  const answered = Buffer.from((await kms.send(new SignCommand(input))).Signature ?? [])
  const signature = coordinate === undefined ? answered : pairOf(answered, coordinate)
  return `${signed}.${signature.toString('base64url')}`
}

function encode(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url')
}
