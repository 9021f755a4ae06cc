/** `trent apply`, `trent convert` and the setting TRENT_APPLY, from a shell. @module */
import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { DescribeKeyCommand, EncryptCommand, KMSClient, SignCommand } from '@aws-sdk/client-kms'
import {
  end,
  freePort,
  root as checkout,
  run,
  serve,
  temporaryFolder,
  trent,
  trentEnded,
} from './serve-process.ts'

const keyId = 'bc436485-5092-42b8-92a3-0aa8b93536dc'
const pairId = '800d5768-3fd7-4edd-a4b8-4c81c3e4c147'
const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' })
const pem = privateKey.export({ type: 'sec1', format: 'pem' })
const seed = `
Keys:
  Symmetric:
    Aes:
      - Metadata:
          KeyId: ${keyId}
        BackingKeys:
          - 5cdaead27fe7da2de47945d73cd6d79e36494e73802f3cd3869f1d2cb0b5d7a9
  Asymmetric:
    Ecc:
      - Metadata:
          KeyId: ${pairId}
          KeyUsage: SIGN_VERIFY
          Description: ECC key with curve secp256r1
        PrivateKeyPem: |
${pem.replaceAll(/^/gm, '          ').trimEnd()}

Aliases:
  - AliasName: alias/testing
    TargetKeyId: ${keyId}
`
const root = {
  TRENT_ACCOUNT_ID: '111122223333',
  TRENT_ROOT_ACCESS_KEY_ID: 'CIROOT',
  TRENT_ROOT_SECRET_ACCESS_KEY: 'ci-root-secret',
} as const

function clientOf(t: { after: (work: () => void) => void }, endpoint: string): KMSClient {
  const client = new KMSClient({
    endpoint,
    region: 'eu-west-2',
    maxAttempts: 1,
    credentials: {
      accessKeyId: root.TRENT_ROOT_ACCESS_KEY_ID,
      secretAccessKey: root.TRENT_ROOT_SECRET_ACCESS_KEY,
    },
  })
  t.after(() => client.destroy())
  return client
}

test('a seed of local-kms becomes a file that a start applies before anything is served', async (t) => {
  const folder = temporaryFolder(t)
  const path = join(folder, 'seed.yaml')
  writeFileSync(path, seed)
  const converted = await trentEnded(t, ['convert', 'local-kms', path], {}, folder)
  assert.equal(converted.code, 0, converted.stderr)
  const file = join(folder, 'trent.yaml')
  writeFileSync(file, converted.stdout)

  const server = await serve(t, folder, { ...root, TRENT_APPLY: file })
  assert.match(server.stderr(), /^trent: WARNING: FIXED KEY MATERIAL: 2 keys of this file/m)
  const kms = clientOf(t, server.url)
  const encrypted = await kms.send(
    new EncryptCommand({ KeyId: 'alias/testing', Plaintext: Buffer.from('x') }),
  )
  assert.equal(encrypted.KeyId, `arn:aws:kms:eu-west-2:111122223333:key/${keyId}`)
  await kms.send(
    new SignCommand({
      KeyId: pairId,
      Message: Buffer.from('x'),
      SigningAlgorithm: 'ECDSA_SHA_256',
    }),
  )
  const again = await trentEnded(t, ['apply', file], freePort(folder), folder)
  assert.deepEqual([again.code, again.stdout], [0, 'nothing to change\n'])
  assert.match(again.stderr, /FIXED KEY MATERIAL/)
  assert.deepEqual(await end(server, 'SIGTERM'), { code: 0, signal: null })
  // A start that has nothing to change is a start like any other.
  const restarted = await serve(t, folder, { ...root, TRENT_APPLY: file })
  assert.deepEqual(await end(restarted, 'SIGTERM'), { code: 0, signal: null })
})

test('a start whose file is refused ends with one line, and has applied nothing', async (t) => {
  const folder = temporaryFolder(t)
  const file = join(folder, 'trent.yaml')
  writeFileSync(
    file,
    `accounts:\n  - accountId: "111122223333"\n    keys:\n      - keyId: ${keyId}\n      - keyId: nothing\n`,
  )
  const settings = { ...freePort(folder), ...root, TRENT_APPLY: file }
  const refused = await trentEnded(t, ['serve'], settings, folder)
  assert.equal(refused.code, 1)
  assert.equal(refused.stdout, '')
  const [line, ...more] = refused.stderr.split('\n').filter((each) => each.startsWith('trent: '))
  assert.deepEqual(more, [])
  assert.match(line ?? '', /^trent: \S+trent\.yaml:5:9: `nothing` must /)
  const missing = { ...settings, TRENT_APPLY: join(folder, 'missing.yaml') }
  const absent = await trentEnded(t, ['serve'], missing, folder)
  assert.equal(absent.code, 1)
  assert.match(absent.stderr, /^trent: \S+missing\.yaml cannot be read: ENOENT/m)
  const server = await serve(t, folder, root)
  await assert.rejects(clientOf(t, server.url).send(new DescribeKeyCommand({ KeyId: keyId })), {
    name: 'NotFoundException',
  })
})

test('the command reads standard input, answers in JSON, and says in one line what it refuses', async (t) => {
  const folder = temporaryFolder(t)
  const server = await serve(t, folder, root)
  const file = join(folder, 'trent.json')
  const document = { accounts: [{ accountId: '111122223333', users: [{ name: 'alice' }] }] }
  writeFileSync(file, JSON.stringify(document))
  const settings = freePort(folder)
  const dry = await trentEnded(t, ['apply', file, '--dry-run'], settings, folder)
  const arn = 'arn:aws:iam::111122223333:user/alice'
  assert.equal(dry.stdout, `would be made: user ${arn}\n1 change, none made: this was a dry run\n`)
  const made = await trentEnded(t, ['apply', file, '--json'], settings, folder)
  assert.deepEqual(JSON.parse(made.stdout), {
    dryRun: false,
    changes: [{ change: 'create', type: 'user', name: arn }],
    warnings: [],
  })
  assert.equal(made.stderr, '')
  writeFileSync(file, '{"accounts": [{"accountId": "111122223333", "users": [{"name": "b c"}]}]}')
  const refused = await trentEnded(t, ['apply', file], settings, folder)
  assert.deepEqual([refused.code, refused.stdout], [1, ''])
  assert.match(
    refused.stderr,
    /^trent: \S+trent\.json:1:56: The specified value for userName [^\n]+\n$/,
  )
  const empty = trent(t, ['apply', '-'], settings, folder)
  assert.equal((await empty.ended).code, 1)
  assert.equal(empty.stderr(), 'trent: <stdin>:1:1: the file is empty\n')
  await end(server, 'SIGTERM')
  const alone = await trentEnded(t, ['apply', file], settings, folder)
  assert.equal(alone.code, 1)
  assert.match(alone.stderr, /^trent: no server answers at /)
})

/** A block of code in the guide, by what it contains. */
function guideBlock(language: string, holding: string): string {
  const guide = readFileSync(join(checkout, 'docs', 'testing.md'), 'utf8')
  const blocks = [...guide.matchAll(/^```(\w+)\n(.*?)^```$/gms)]
  const found = blocks.find(([, of, text]) => of === language && text?.includes(holding) === true)
  assert(found?.[2], `a block of ${language} with ${holding}`)
  return found[2]
}

test('the guide’s file and its tests in JavaScript work as they stand', async (t) => {
  const folder = temporaryFolder(t)
  writeFileSync(join(folder, 'trent.yaml'), guideBlock('yaml', 'accounts:'))
  const sdk = join(checkout, 'node_modules', '@aws-sdk', 'client-kms')
  const suite = guideBlock('js', 'useTrent')
    .replace('@trent-kms/trent/testing', join(checkout, 'testing', 'testing.cjs'))
    .replace('@aws-sdk/client-kms', sdk)
  writeFileSync(join(folder, 'keys.test.cjs'), `const { test } = require('node:test')\n${suite}`)
  const running = run(t, [process.execPath, '--test'], {}, folder)
  assert.deepEqual(await running.ended, { code: 0, signal: null }, running.stdout())
  assert.match(running.stdout(), /pass 2$/m)
})
