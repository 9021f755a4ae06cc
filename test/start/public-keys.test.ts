/** `trent export-public-keys` from a shell, and what can be verified with it without the server. @module */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import {
  CreateKeyCommand,
  DisableKeyCommand,
  GetPublicKeyCommand,
  KMSClient,
  SignCommand,
  type CreateKeyCommandInput,
} from '@aws-sdk/client-kms'
import { callOperator } from '../../src/operator/client.ts'
import type { PublicKeysPage } from '../../src/operations/trent/list-public-keys.ts'
import { clientsOf, root } from '../durability/lost-server.ts'
import { end, freePort, serve, temporaryFolder, trentEnded } from './serve-process.ts'

interface Listed {
  readonly keys: readonly {
    readonly arn: string
    readonly spec: string
    readonly usage: string
    readonly state: string
    readonly algorithms: readonly string[]
    readonly pem?: string
    readonly file?: string
  }[]
}

const message = 'a message that was signed before the service was gone'

test('public keys verify signatures when the service is gone', async (t) => {
  const folder = temporaryFolder(t)
  const server = await serve(t, folder, root)
  const command = (...parameters: string[]) =>
    trentEnded(t, ['export-public-keys', ...parameters], freePort(folder), folder)
  const { kms } = clientsOf(t, server)
  const elsewhere = new KMSClient({
    endpoint: server.url,
    region: 'eu-west-1',
    credentials: { accessKeyId: 'CIROOT', secretAccessKey: 'ci-root-secret' },
  })
  t.after(() => elsewhere.destroy())
  const make = async (input: CreateKeyCommandInput, client = kms): Promise<string> => {
    const { KeyMetadata } = await client.send(new CreateKeyCommand(input))
    return KeyMetadata?.Arn ?? ''
  }
  await make({})
  const curve = await make({ KeySpec: 'ECC_NIST_P256', KeyUsage: 'SIGN_VERIFY' })
  const rsa = await make({ KeySpec: 'RSA_2048', KeyUsage: 'SIGN_VERIFY' }, elsewhere)
  const disabled = await make({ KeySpec: 'ML_DSA_44', KeyUsage: 'SIGN_VERIFY' })
  const empty = await make({
    KeySpec: 'ECC_NIST_P384',
    KeyUsage: 'SIGN_VERIFY',
    Origin: 'EXTERNAL',
  })
  const sign = async (KeyId: string, SigningAlgorithm: 'ECDSA_SHA_256' | 'RSASSA_PSS_SHA_256') => {
    const client = KeyId === rsa ? elsewhere : kms
    const input = { KeyId, SigningAlgorithm, Message: Buffer.from(message) }
    const { Signature } = await client.send(new SignCommand(input))
    writeFileSync(join(folder, `${SigningAlgorithm}.sig`), Signature ?? '')
  }
  await sign(curve, 'ECDSA_SHA_256')
  await sign(rsa, 'RSASSA_PSS_SHA_256')
  await kms.send(new DisableKeyCommand({ KeyId: disabled }))
  const { PublicKey } = await kms.send(new GetPublicKeyCommand({ KeyId: disabled }))

  const shown = await command()
  assert.equal(shown.code, 0, shown.stderr)
  const listed = JSON.parse(shown.stdout) as Listed
  const lines = listed.keys.map(({ arn, spec, usage, state, pem }) =>
    [arn, spec, usage, state, pem === undefined ? 'without' : 'with'].join(' '),
  )
  assert.deepEqual(
    new Set(lines),
    new Set([
      `${curve} ECC_NIST_P256 SIGN_VERIFY Enabled with`,
      `${rsa} RSA_2048 SIGN_VERIFY Enabled with`,
      `${disabled} ML_DSA_44 SIGN_VERIFY Disabled with`,
      `${empty} ECC_NIST_P384 SIGN_VERIFY PendingImport without`,
    ]),
  )
  assert.deepEqual(listed.keys.find(({ arn }) => arn === curve)?.algorithms, ['ECDSA_SHA_256'])
  const text = listed.keys.find(({ arn }) => arn === disabled)?.pem ?? ''
  const der = Buffer.from(text.replaceAll(/-----[^-]+-----|\s/g, ''), 'base64')
  assert.ok(der.equals(PublicKey ?? new Uint8Array()))
  assert.doesNotMatch(shown.stdout, /PRIVATE/)

  const written = await command('out')
  assert.equal(written.stdout, `${join(folder, 'out')}: 4 keys, listed in public-keys.json\n`)
  const again = await command('out', '--json')
  assert.deepEqual(JSON.parse(again.stdout), { directory: join(folder, 'out'), keys: 4 })
  // In pages of one key, the same keys come.
  const paged: string[] = []
  let after: string | undefined
  do {
    const page = (await callOperator(join(folder, 'data'), 'ListPublicKeys', {
      limit: 1,
      after,
    })) as PublicKeysPage
    paged.push(...page.keys.map(({ arn }) => arn))
    ;({ after } = page)
  } while (after !== undefined)
  assert.deepEqual(
    paged,
    listed.keys.map(({ arn }) => arn),
  )

  await end(server, 'SIGKILL')
  const gone = await command('out')
  assert.match(gone.stderr, /^trent: no server answers at [^\n]+\n$/)
  const list = JSON.parse(readFileSync(join(folder, 'out', 'public-keys.json'), 'utf8')) as Listed
  const fileOf = (wanted: string): string =>
    join(folder, 'out', list.keys.find(({ arn }) => arn === wanted)?.file ?? '')
  assert.equal(statSync(fileOf(curve)).mode & 0o777, 0o644)
  assert.equal(readdirSync(join(folder, 'out'), { recursive: true }).length, 1 + 1 + 2 + 3)
  writeFileSync(join(folder, 'message'), message)
  const verified = (key: string, algorithm: string, file: string, ...options: string[]): string =>
    execFileSync(
      'openssl',
      [
        'dgst',
        '-sha256',
        ...options,
        '-verify',
        fileOf(key),
        '-signature',
        `${algorithm}.sig`,
        file,
      ],
      { cwd: folder, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] },
    ).trim()
  assert.equal(verified(curve, 'ECDSA_SHA_256', 'message'), 'Verified OK')
  const pss = ['-sigopt', 'rsa_padding_mode:pss', '-sigopt', 'rsa_pss_saltlen:-1']
  assert.equal(verified(rsa, 'RSASSA_PSS_SHA_256', 'message', ...pss), 'Verified OK')
  assert.throws(() => verified(curve, 'ECDSA_SHA_256', 'out/public-keys.json'))
})
