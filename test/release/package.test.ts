/** The package for npm, as `npm run release` makes it: installed into an empty folder, and used there. @module */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import {
  copyFileSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  readlinkSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { test, type TestContext } from 'node:test'
import {
  CreateKeyCommand,
  DecryptCommand,
  EncryptCommand,
  KMSClient,
  SignCommand,
  VerifyCommand,
  type KeySpec,
  type KeyUsageType,
} from '@aws-sdk/client-kms'
import {
  end,
  freePort,
  ready,
  root,
  run,
  temporaryFolder,
  type Settings,
} from '../start/serve-process.ts'

const credentials = { accessKeyId: 'CIROOT', secretAccessKey: 'ci-root-secret' }
const settings: Settings = {
  TRENT_ROOT_ACCESS_KEY_ID: credentials.accessKeyId,
  TRENT_ROOT_SECRET_ACCESS_KEY: credentials.secretAccessKey,
}
const megabytes15 = 15 * 1024 * 1024

function released(folder: string): string {
  execFileSync(
    process.execPath,
    [join(root, 'scripts', 'release.mjs'), '--without-console', '--package-only', folder],
    {
      cwd: root,
      timeout: 120_000,
    },
  )
  const name = readdirSync(folder).find((file) => file.endsWith('.tgz'))
  assert.ok(name)
  return join(folder, name)
}

/** Installs the package, with the Node of this test in the place of the one that npm would fetch. */
function installed(t: TestContext, packed: string): string {
  const folder = temporaryFolder(t)
  writeFileSync(join(folder, 'package.json'), '{}') // npm installs nothing into a folder above
  const flags = [
    '--omit=optional',
    '--omit=peer',
    '--offline',
    '--no-audit',
    '--no-fund',
    '--silent',
  ]
  execFileSync('npm', ['install', packed, ...flags], {
    cwd: folder,
    timeout: 120_000,
    env: { ...process.env, HOME: folder },
  })
  mkdirSync(dirname(nodeIn(folder)), { recursive: true })
  writeFileSync(join(dirname(nodeIn(folder)), '..', 'package.json'), '{}')
  copyFileSync(process.execPath, nodeIn(folder))
  return folder
}

function nodeIn(folder: string): string {
  const name = `node-${process.platform}-${process.arch}`
  return join(folder, 'node_modules', name, 'bin', 'node')
}

const signing: readonly (readonly [KeySpec, KeyUsageType, string])[] = [
  ['ECC_NIST_EDWARDS25519', 'SIGN_VERIFY', 'ED25519_SHA_512'],
  ['ML_DSA_65', 'SIGN_VERIFY', 'ML_DSA_SHAKE_256'],
  ['RSA_2048', 'SIGN_VERIFY', 'RSASSA_PSS_SHA_256'],
]

test('two releases have the same bytes, and the package is complete', async (t) => {
  const [one, other] = [temporaryFolder(t), temporaryFolder(t)]
  const packed = released(one)
  released(other)
  for (const name of ['SHA256SUMS', 'sbom.cdx.json']) {
    assert.equal(readFileSync(join(one, name), 'utf8'), readFileSync(join(other, name), 'utf8'))
  }
  assert.ok(statSync(packed).size < megabytes15)
  const bill = JSON.parse(readFileSync(join(one, 'sbom.cdx.json'), 'utf8')) as {
    readonly components: readonly { readonly name: string; readonly hashes: readonly object[] }[]
  }
  for (const name of [
    'pg',
    'kysely',
    '@aws-sdk/client-s3',
    'shamir-secret-sharing',
    'jose',
    'pkijs',
  ]) {
    assert.equal(bill.components.find((part) => part.name === name)?.hashes.length, 1, name)
  }
  const notices = readFileSync(join(one, 'package', 'THIRD-PARTY-NOTICES'), 'utf8')
  assert.match(notices, /^pg \d+\.\d+\.\d+ \(MIT\)$/m)

  const folder = installed(t, packed)
  const dist = join(folder, 'node_modules', '@trent-kms', 'trent', 'dist')
  const late = readdirSync(dist).filter((name) => name.startsWith('late-'))
  assert.equal(late.length, 4)
  const load = createRequire(join(dist, 'main.js'))
  for (const name of late) assert.ok(Object.keys(load(`./${name}`) as object).length > 0, name)

  // Without arguments it serves, with the Node that came with it.
  const path = `${dirname(process.execPath)}:${process.env['PATH'] ?? ''}`
  const environment = { ...freePort(folder), ...settings, PATH: path }
  const trent = join(folder, 'node_modules', '.bin', 'trent')
  const serving = await ready(run(t, [trent], environment, folder))
  const { pid } = serving.child
  assert.equal(readlinkSync(`/proc/${pid}/exe`), nodeIn(folder))
  assert.match(readFileSync(`/proc/${pid}/limits`, 'utf8'), /^Max core file size +0 +0 /m)
  assert.match(readFileSync(`/proc/${pid}/cmdline`, 'utf8'), /--disable-sigusr1/)
  const kms = new KMSClient({ endpoint: serving.url, region: 'us-west-2', credentials })
  t.after(() => kms.destroy())
  const { KeyMetadata } = await kms.send(new CreateKeyCommand({}))
  const Plaintext = Buffer.from('hello')
  const sealed = await kms.send(new EncryptCommand({ KeyId: KeyMetadata?.KeyId, Plaintext }))
  const opened = await kms.send(new DecryptCommand({ CiphertextBlob: sealed.CiphertextBlob }))
  assert.deepEqual(Buffer.from(opened.Plaintext ?? []), Plaintext)
  for (const [KeySpec, KeyUsage, algorithm] of signing) {
    const made = await kms.send(new CreateKeyCommand({ KeySpec, KeyUsage }))
    const KeyId = made.KeyMetadata?.KeyId
    const common = { KeyId, Message: Plaintext, SigningAlgorithm: algorithm as 'ML_DSA_SHAKE_256' }
    const { Signature } = await kms.send(new SignCommand(common))
    const { SignatureValid } = await kms.send(new VerifyCommand({ ...common, Signature }))
    assert.equal(SignatureValid, true, KeySpec)
  }

  const command = async (...given: readonly [string, ...string[]]): Promise<string> => {
    const running = run(t, [trent, ...given], environment, folder)
    assert.deepEqual(await running.ended, { code: 0, signal: null }, running.stderr())
    return running.stdout()
  }
  assert.match(await command('--version'), /^trent \d+\.\d+\.\d+ /)
  assert.equal((JSON.parse(await command('status', '--json')) as { ready: boolean }).ready, true)
  await command('backup', 'saved')
  await command('backup', 'verify', 'saved')
  assert.deepEqual(await end(serving, 'SIGTERM'), { code: 0, signal: null })
  assert.match(await command('verify-log'), /^whole: /m)
})
