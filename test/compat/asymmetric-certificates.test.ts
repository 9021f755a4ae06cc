/**
 * Certificate requests and certificates signed with a key of ours: `@peculiar/x509` makes them with a
 * WebCrypto whose private key is in Trent, and verifies them, as Node and OpenSSL do.
 */
// oxlint-disable-next-line import/no-unassigned-import -- the library asks for it, before anything else
import 'reflect-metadata'
import assert from 'node:assert/strict'
import { createPublicKey, webcrypto, X509Certificate as NodeCertificate } from 'node:crypto'
import { after, before, test } from 'node:test'
import {
  GetPublicKeyCommand,
  SignCommand,
  type KeySpec,
  type KMSClient,
  type SigningAlgorithmSpec,
} from '@aws-sdk/client-kms'
import {
  BasicConstraintsExtension,
  Pkcs10CertificateRequest,
  type Pkcs10CertificateRequestCreateParams,
  Pkcs10CertificateRequestGenerator,
  X509Certificate,
  X509CertificateGenerator,
} from '@peculiar/x509'
import { findOpenSsl, present } from '../crypto/algorithms/peers.ts'
import { startTestServer, type TestServer } from '../harness.ts'
import { keyPool, pairOf } from './asymmetric-keys.ts'

let server: TestServer
let kms: KMSClient
const keyOf = keyPool(() => kms)
const found = findOpenSsl()

before(async () => {
  server = await startTestServer()
  kms = server.client()
})
after(() => server.stop())

interface Case {
  readonly spec: KeySpec
  readonly signing: SigningAlgorithmSpec
  /** As WebCrypto says it. */
  readonly algorithm: {
    readonly name: string
    readonly hash?: string
    readonly namedCurve?: string
  }
  /** Bytes of a coordinate: WebCrypto's ECDSA signatures are `r ‖ s`. */
  readonly coordinate?: number
}

const cases: readonly Case[] = [
  {
    spec: 'RSA_2048',
    signing: 'RSASSA_PKCS1_V1_5_SHA_256',
    algorithm: { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' },
  },
  {
    spec: 'ECC_NIST_P256',
    signing: 'ECDSA_SHA_256',
    algorithm: { name: 'ECDSA', hash: 'SHA-256', namedCurve: 'P-256' },
    coordinate: 32,
  },
  {
    spec: 'ECC_NIST_P384',
    signing: 'ECDSA_SHA_384',
    algorithm: { name: 'ECDSA', hash: 'SHA-384', namedCurve: 'P-384' },
    coordinate: 48,
  },
  { spec: 'ECC_NIST_EDWARDS25519', signing: 'ED25519_SHA_512', algorithm: { name: 'Ed25519' } },
]

interface Signer {
  readonly crypto: Crypto
  readonly keys: Pkcs10CertificateRequestCreateParams['keys']
  readonly spki: Buffer
}

/** A WebCrypto that signs by calling Sign, and the key pair that it knows. */
async function signerOf({ spec, signing, algorithm, coordinate }: Case): Promise<Signer> {
  const { KeyId } = await keyOf(spec, 'SIGN_VERIFY')
  const { PublicKey } = await kms.send(new GetPublicKeyCommand({ KeyId }))
  const spki = Buffer.from(PublicKey ?? [])
  const { subtle } = webcrypto
  const publicKey = await subtle.importKey('spki', spki, algorithm, true, ['verify'])
  // What stands for the private key says what it is for, and holds nothing.
  const privateKey = { type: 'private', algorithm, usages: ['sign'], extractable: false }
  const sign = async (_algorithm: unknown, _key: unknown, data: ArrayBuffer): Promise<unknown> => {
    const input = { KeyId, Message: new Uint8Array(data), SigningAlgorithm: signing }
    const signature = Buffer.from((await kms.send(new SignCommand(input))).Signature ?? [])
    return Uint8Array.from(coordinate === undefined ? signature : pairOf(signature, coordinate))
      .buffer
  }
  const ours = {
    sign,
    exportKey: subtle.exportKey.bind(subtle),
    importKey: subtle.importKey.bind(subtle),
    verify: subtle.verify.bind(subtle),
    digest: subtle.digest.bind(subtle),
  }
  // The library asks for these alone, and takes nothing else of the two types.
  const crypto = { subtle: ours, getRandomValues: undefined } as unknown as Crypto
  return { crypto, keys: { publicKey, privateKey } as Signer['keys'], spki }
}

for (const each of cases) {
  test(`a certificate request signed with ${each.spec} by ${each.signing} verifies`, async () => {
    const { crypto, keys, spki } = await signerOf(each)
    const made = await Pkcs10CertificateRequestGenerator.create(
      { name: 'CN=trent.example', keys, signingAlgorithm: each.algorithm },
      crypto,
    )
    const request = new Pkcs10CertificateRequest(made.rawData)
    assert.equal(await request.verify(webcrypto), true)
    assert.deepEqual(Buffer.from(request.publicKey.rawData), spki)
    const changed = Buffer.from(made.rawData)
    const at = changed.indexOf('trent.example')
    changed.write('Trent', at)
    assert.equal(await new Pkcs10CertificateRequest(changed).verify(webcrypto), false)
  })

  test(`OpenSSL verifies a certificate request signed with ${each.spec}`, found, async () => {
    const { crypto, keys } = await signerOf(each)
    const made = await Pkcs10CertificateRequestGenerator.create(
      { name: 'CN=trent.example', keys, signingAlgorithm: each.algorithm },
      crypto,
    )
    const said = present(found)(
      { request: Buffer.from(made.rawData) },
      ...'req -inform DER -in request -verify -noout -subject'.split(' '),
    )
    assert.match(said.toString(), /CN ?= ?trent\.example/)
  })

  test(`a certificate that ${each.spec} signs for itself verifies`, async () => {
    const { crypto, keys, spki } = await signerOf(each)
    const made = await X509CertificateGenerator.createSelfSigned(
      {
        serialNumber: '01',
        name: 'CN=Trent CA',
        notBefore: new Date('2026-01-01T00:00:00Z'),
        notAfter: new Date('2036-01-01T00:00:00Z'),
        keys,
        signingAlgorithm: each.algorithm,
        extensions: [new BasicConstraintsExtension(true, 1, true)],
      },
      crypto,
    )
    const der = Buffer.from(made.rawData)
    const signatureOnly = { signatureOnly: true }
    assert.equal(await new X509Certificate(der).verify(signatureOnly, webcrypto), true)
    const key = createPublicKey({ key: spki, format: 'der', type: 'spki' })
    assert.equal(new NodeCertificate(der).verify(key), true)
    der.write('Trunt', der.indexOf('Trent'))
    assert.equal(new NodeCertificate(der).verify(key), false)
  })
}
