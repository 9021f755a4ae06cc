/** A root key that is moved between every two kinds of seals, with a restart after each move. @module */
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { CreateKeyCommand, DecryptCommand, EncryptCommand } from '@aws-sdk/client-kms'
import { callOperator } from '../../src/operator/client.ts'
import { sealKinds, type SealKind } from '../../src/seals/seal.ts'
import { credentials, startTestServer } from '../harness.ts'
import { noSoftHsm, pin, softHsm } from '../pkcs11/soft-hsm.ts'
import { temporaryFolder } from '../store/engines.ts'
import { foundTpm, noSoftTpm } from './soft-tpm.ts'

const passphrase = 'correct horse battery staple'

/** A round through all ordered pairs: `a b`, `b a`, `a c`, `c a`, …, `b c`, `c b`, … */
function roundThrough(kinds: readonly SealKind[]): readonly SealKind[] {
  const [first, ...others] = kinds
  if (first === undefined) return []
  const there = others.flatMap((other) => [first, other])
  const [next] = others
  return next === undefined ? [first] : [...there, first, ...roundThrough(others)]
}

interface Answer {
  readonly stage?: string
  readonly shares?: readonly string[]
}

test('a root key that moves between every two seals opens the same ciphertext', async (t) => {
  const kms = await startTestServer()
  t.after(() => kms.stop())
  const { KeyMetadata: sealing } = await kms.client().send(new CreateKeyCommand({}))
  const folder = temporaryFolder(t)
  const settings: Record<string, string> = {
    file: `file:${join(folder, 'seal.key')}`,
    passphrase: 'passphrase',
    shamir: 'shamir',
    kms: `kms:${sealing?.Arn}`,
  }
  if (noSoftHsm === undefined) {
    const hsm = softHsm(t)
    hsm.makeToken('trent')
    const pinFile = join(folder, 'pin')
    writeFileSync(pinFile, pin, { mode: 0o600 })
    process.env['SOFTHSM2_CONF'] = hsm.environment['SOFTHSM2_CONF']
    settings['pkcs11'] =
      `pkcs11:token=trent;object=k?module-path=${hsm.library}&pin-source=file:${pinFile}`
  } else t.diagnostic(`without the seal pkcs11: ${noSoftHsm}`)
  const tpm = noSoftTpm === undefined ? await foundTpm(t) : undefined
  if (tpm === undefined) t.diagnostic(`without the seal tpm2: ${noSoftTpm}`)
  else settings['tpm2'] = 'tpm2:pcrs=7'
  process.env['AWS_ACCESS_KEY_ID'] = credentials.accessKeyId
  process.env['AWS_SECRET_ACCESS_KEY'] = credentials.secretAccessKey

  const kinds = sealKinds.filter((kind) => settings[kind] !== undefined)
  const [first = 'file', ...moves] = roundThrough(kinds)
  const pairs = moves.map((kind, index) => `${[first, ...moves][index]} ${kind}`)
  const wanted = kinds.flatMap((one) => kinds.flatMap((to) => (one === to ? [] : [`${one} ${to}`])))
  assert.deepEqual(
    wanted.filter((pair) => !pairs.includes(pair)),
    [],
  )

  const start = (kind: SealKind, directory?: string) =>
    startTestServer(
      {
        TRENT_SEAL: settings[kind] ?? '',
        TRENT_SEAL_KMS_ENDPOINT: kms.url,
        TRENT_PKCS11_ENVIRONMENT: 'SOFTHSM2_CONF',
        ...(tpm && { TRENT_TPM2_TCTI: tpm.tcti }),
      },
      directory === undefined ? {} : { directory },
    )
  let server = await start(first)
  t.after(() => server.stop())
  await server.server.ready
  const { KeyMetadata } = await server.client().send(new CreateKeyCommand({}))
  const input = { KeyId: KeyMetadata?.KeyId, Plaintext: Buffer.from('hello') }
  const { CiphertextBlob } = await server.client().send(new EncryptCommand(input))
  const ask = async (operation: string, given?: object) =>
    (await callOperator(server.directory, operation, given)) as Answer
  /** What the people of each kind give. */
  const secrets: Partial<Record<SealKind, readonly string[]>> = { passphrase: [passphrase] }
  let current = first
  for (const next of moves) {
    const plan = {
      seal: settings[next],
      ...(next === 'passphrase' && { passphrase }),
      ...(next === 'shamir' && { shares: 3, threshold: 2 }),
    }
    let answer = await ask('BeginRekey', plan)
    const former = current === 'shamir' ? secrets.shamir?.slice(1) : secrets[current]
    for (const secret of former ?? []) answer = await ask('ContinueRekey', { secret })
    if (next === 'shamir') secrets.shamir = answer.shares ?? []
    for (const secret of secrets[next] ?? []) answer = await ask('ContinueRekey', { secret })
    assert.equal(answer.stage, 'done', `${current} ${next}`)
    current = next
    await server.stop('keep')
    server = await start(next, server.directory)
    const given = next === 'shamir' ? secrets.shamir?.slice(1) : secrets[next]
    for (const secret of given ?? []) await ask('Unseal', { secret })
    await server.server.ready
    const { Plaintext } = await server.client().send(new DecryptCommand({ CiphertextBlob }))
    assert.equal(Buffer.from(Plaintext ?? []).toString(), 'hello', `after ${current}`)
  }
})
