/** cosign signs and verifies files with keys of KMS, which it names by `awskms://`. @module */
import assert from 'node:assert/strict'
import { createHash, createPublicKey, verify } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import {
  CreateAliasCommand,
  CreateKeyCommand,
  DescribeKeyCommand,
  DisableKeyCommand,
  type KeySpec,
  ScheduleKeyDeletionCommand,
} from '@aws-sdk/client-kms'
import { recordsOf } from '../compat/records.ts'
import { type Finished, openWorkplace, type Workplace } from '../compat/workplace.ts'
import { accountId, region } from '../harness.ts'
import { installed } from './installed.ts'

const cosign = await installed({
  name: 'cosign',
  toolchain: ['go version'],
  fetch: ['go install -p 1 github.com/sigstore/cosign/v3/cmd/cosign@v3.1.3'],
})
const { skip } = cosign

/** Neither a transparency log nor a certificate authority: those are services on the network. */
const alone = '--signing-config signing.json --trusted-root root.json'
const notLogged = '--insecure-ignore-tlog --trusted-root root.json'
const blob = 'a release\n'

test('cosign makes a key under an alias, signs with it and verifies', { skip }, async (t) => {
  const { client, folder, succeed, sign, check } = await open(t)
  const key = 'awskms:///alias/release'
  await succeed(`cosign generate-key-pair --kms ${key}`)
  const { KeyMetadata } = await client.send(new DescribeKeyCommand({ KeyId: 'alias/release' }))
  assert.equal(KeyMetadata?.KeySpec, 'ECC_NIST_P256')
  assert.equal(KeyMetadata.Description, 'Created by Sigstore')
  await succeed(sign(key))
  assert.match((await succeed(check(key))).stderr, /Verified OK/)

  // The public key that cosign wrote verifies without a KMS, in cosign and elsewhere.
  const offline = `env -u AWS_ENDPOINT_URL ${check('cosign.pub')}`
  assert.match((await succeed(offline)).stderr, /Verified OK/)
  const pem = await readFile(join(folder, 'cosign.pub'))
  const bundle = JSON.parse(await readFile(join(folder, 'bundle.json'), 'utf8')) as {
    readonly messageSignature: { readonly signature: string }
  }
  const signature = Buffer.from(bundle.messageSignature.signature, 'base64')
  assert.ok(verify('sha256', Buffer.from(blob), createPublicKey(pem), signature))
})

const specs: readonly KeySpec[] = ['RSA_2048', 'RSA_4096', 'ECC_NIST_P384', 'ECC_NIST_P521']
for (const KeySpec of specs) {
  test(`cosign signs with ${KeySpec} and verifies`, { skip }, async (t) => {
    const { keyOf, succeed, sign, check } = await open(t)
    const key = `awskms:///${await keyOf(KeySpec)}`
    await succeed(sign(key))
    assert.match((await succeed(check(key))).stderr, /Verified OK/)
  })
}

test(
  'cosign takes a key by its id, its ARN, an alias and the ARN of an alias',
  { skip },
  async (t) => {
    const { client, keyOf, succeed, sign, check } = await open(t)
    const TargetKeyId = await keyOf('ECC_NIST_P256')
    await client.send(new CreateAliasCommand({ AliasName: 'alias/a/b', TargetKeyId }))
    const prefix = `arn:aws:kms:${region}:${accountId}`
    for (const id of [
      TargetKeyId,
      `${prefix}:key/${TargetKeyId}`,
      'alias/a/b',
      `${prefix}:alias/a/b`,
    ]) {
      await succeed(sign(`awskms:///${id}`))
      await succeed(check(`awskms:///${id}`))
    }
  },
)

test('cosign verifies neither a changed file nor by another key', { skip }, async (t) => {
  const { keyOf, shell, write, succeed, sign, check } = await open(t)
  const key = `awskms:///${await keyOf('ECC_NIST_P256')}`
  await succeed(sign(key))
  const other = await shell(check(`awskms:///${await keyOf('ECC_NIST_P256')}`))
  refused(other, /failed to verify signature: .*invalid signature/)
  await write('blob', blob.toUpperCase())
  refused(await shell(check(key)), /failed to verify signature: .*invalid signature/)
})

test('cosign says what KMS says of a disabled key and of no key', { skip }, async (t) => {
  const { client, keyOf, shell, succeed, sign, check } = await open(t)
  const KeyId = await keyOf('ECC_NIST_P256')
  const key = `awskms:///${KeyId}`
  await succeed(sign(key))
  await client.send(new DisableKeyCommand({ KeyId }))
  const disabled = new RegExp(`KMS: Sign, .*DisabledException: \\S+${KeyId} is disabled`)
  refused(await shell(sign(key)), disabled)
  // cosign verifies by the public key, which a disabled key still hands out and a doomed one does not.
  await succeed(check(key))
  await client.send(new ScheduleKeyDeletionCommand({ KeyId }))
  const doomed = /KMS: GetPublicKey, .*KMSInvalidStateException: \S+ is pending deletion/
  refused(await shell(sign(key)), doomed)
  refused(await shell(check(key)), doomed)
  const nobody = await shell(sign('awskms:///alias/nobody'))
  refused(nobody, /NotFoundException: Alias \S+alias\/nobody is not found/)
})

test(
  'cosign speaks TLS to an endpoint within the key’s name, and nothing else',
  { skip },
  async (t) => {
    const { server, keyOf, shell, sign } = await open(t)
    const id = await keyOf('ECC_NIST_P256')
    const plain = await shell(sign(`awskms://127.0.0.1:${server.port}/${id}`))
    refused(plain, /server gave HTTP response to HTTPS client/)
  },
)

test(
  'cosign attests how a file was made, and verifies that for no other file',
  { skip },
  async (t) => {
    const { server, folder, keyOf, shell, write, succeed } = await open(t)
    const key = `awskms:///${await keyOf('ECC_NIST_P256')}`
    await write('provenance.json', '{"builder": "ci", "commit": "0123abc"}\n')
    const type = '--type https://example.org/provenance/v1'
    await succeed(
      `cosign attest-blob --yes ${alone} --key ${key} ${type} --predicate provenance.json --bundle attestation.json blob`,
    )
    const called = new Set((await recordsOf(server.directory)).map(({ eventName }) => eventName))
    // The server and this test made these two.
    for (const name of ['CreateAccount', 'CreateKey']) called.delete(name)
    // The page names these as what a signer needs.
    assert.deepEqual([...called].toSorted(), ['DescribeKey', 'GetPublicKey', 'Sign'])
    const check = `cosign verify-blob-attestation ${notLogged} --key ${key} ${type} --bundle attestation.json`
    assert.match((await succeed(`${check} blob`)).stderr, /Verified OK/)
    const bundle = JSON.parse(await readFile(join(folder, 'attestation.json'), 'utf8')) as {
      readonly dsseEnvelope: { readonly payload: string; readonly payloadType: string }
    }
    assert.equal(bundle.dsseEnvelope.payloadType, 'application/vnd.in-toto+json')
    const statement = JSON.parse(Buffer.from(bundle.dsseEnvelope.payload, 'base64').toString()) as {
      readonly predicate: object
      readonly subject: readonly { readonly digest: { readonly sha256: string } }[]
    }
    assert.deepEqual(statement.predicate, { builder: 'ci', commit: '0123abc' })
    const digest = createHash('sha256').update(blob).digest('hex')
    assert.equal(statement.subject[0]?.digest.sha256, digest)
    await write('other', 'another release\n')
    refused(await shell(`${check} other`), /digest|subject/i)
    const stranger = `awskms:///${await keyOf('ECC_NIST_P256')}`
    refused(await shell(`${check.replace(key, stranger)} blob`), /signature/i)
  },
)

interface Signer extends Workplace {
  readonly keyOf: (spec: KeySpec) => Promise<string>
  readonly succeed: (script: string) => Promise<Finished>
  readonly sign: (key: string) => string
  readonly check: (key: string) => string
}

async function open(t: TestContext): Promise<Signer> {
  const workplace = await openWorkplace(t, cosign)
  const { client, shell, write } = workplace
  const succeed = async (script: string): Promise<Finished> => {
    const finished = await shell(script)
    assert.equal(finished.status, 0, finished.stderr)
    return finished
  }
  await write('blob', blob)
  await succeed('cosign signing-config create --out signing.json')
  await succeed('cosign trusted-root create --out root.json')
  return {
    ...workplace,
    async keyOf(spec) {
      const call = new CreateKeyCommand({ KeySpec: spec, KeyUsage: 'SIGN_VERIFY' })
      const { KeyMetadata } = await client.send(call)
      return KeyMetadata?.KeyId ?? ''
    },
    succeed,
    sign: (key) => `cosign sign-blob --yes ${alone} --key ${key} --bundle bundle.json blob`,
    check: (key) => `cosign verify-blob ${notLogged} --key ${key} --bundle bundle.json blob`,
  }
}

function refused({ status, stderr }: Finished, words: RegExp): void {
  assert.equal(status, 1)
  assert.match(stderr, words)
  assert.doesNotMatch(stderr, /Verified OK|Wrote bundle/)
}
