/** The single executable of this machine, made once: it serves, seals itself, comes back, and uses each package. @module */
import assert from 'node:assert/strict'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test, type TestContext } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import {
  CreateKeyCommand,
  DecryptCommand,
  EncryptCommand,
  KMSClient,
  SignCommand,
  VerifyCommand,
  type KeySpec,
  type MessageType,
  type SigningAlgorithmSpec,
} from '@aws-sdk/client-kms'
import { noSoftHsm, pin, softHsm } from '../pkcs11/soft-hsm.ts'
import {
  end,
  freePort,
  ready,
  root,
  run,
  temporaryFolder,
  type Running,
  type Settings,
} from '../start/serve-process.ts'
import * as postgres from '../store/postgres/shared-server.ts'
import { answersAttested, clientsOf, letsInByToken, outside } from './identities.ts'
import { buildExecutable, platforms } from './release-scripts.ts'

const platform = `${process.platform}-${process.arch}`
const skip = platforms.includes(platform) ? false : 'executables are for Linux'
const credentials = { accessKeyId: 'CIROOT', secretAccessKey: 'ci-root-secret' }
const settings: Settings = {
  TRENT_ROOT_ACCESS_KEY_ID: credentials.accessKeyId,
  TRENT_ROOT_SECRET_ACCESS_KEY: credentials.secretAccessKey,
}
const installed = mkdtempSync(join(tmpdir(), 'trent-executable-'))
const executable = join(installed, 'trent')
after(() => rmSync(installed, { recursive: true }))

before(async () => {
  if (skip !== false) return
  const pages = join(installed, 'pages')
  mkdirSync(join(pages, 'assets'), { recursive: true })
  writeFileSync(join(pages, 'index.html'), '<!doctype html><title>The console</title>')
  writeFileSync(join(pages, 'assets', 'page-1.js'), 'export {}')
  await buildExecutable({ root, platform, pages, file: executable })
  rmSync(pages, { recursive: true })
})

interface Commands {
  readonly start: (...given: readonly string[]) => Running
  /** Runs a command to its end. It must succeed. */
  readonly command: (...given: readonly string[]) => Promise<string>
  /** Waits until the operator door of a sealed server answers. */
  readonly answers: (server: Running) => Promise<void>
}

function commandsIn(t: TestContext, folder: string, environment: Settings): Commands {
  const start = (...given: readonly string[]): Running =>
    run(t, [executable, ...given], environment, folder)
  return {
    start,
    async command(...given: readonly string[]): Promise<string> {
      const running = start(...given)
      const { code } = await running.ended
      assert.equal(code, 0, running.stderr())
      return running.stdout()
    },
    async answers(server: Running): Promise<void> {
      let code: number | null
      do {
        await sleep(100)
        assert.equal(server.child.exitCode, null, server.stderr())
        code = (await start('status').ended).code
      } while (code !== 0)
    },
  }
}

/** Two of them by packages that are loaded at their first use. */
const signing: readonly (readonly [KeySpec, SigningAlgorithmSpec, MessageType])[] = [
  ['ECC_NIST_EDWARDS25519', 'ED25519_PH_SHA_512', 'DIGEST'],
  ['ML_DSA_65', 'ML_DSA_SHAKE_256', 'RAW'],
  ['RSA_2048', 'RSASSA_PSS_SHA_512', 'DIGEST'],
]

test(
  'the executable serves with several workers, seals itself, and opens its keys again',
  { skip },
  async (t) => {
    const folder = temporaryFolder(t)
    const sealed = { ...settings, TRENT_SEAL: 'passphrase', TRENT_WORKERS: '2' }
    const { start, command, answers } = commandsIn(t, folder, { ...freePort(folder), ...sealed })
    const passphrase = join(folder, 'passphrase')
    writeFileSync(passphrase, 'correct horse battery staple\n', { mode: 0o600 })

    // Without arguments it serves.
    const first = start()
    await answers(first)
    await command('init', '--passphrase-file', passphrase)
    await command('unseal', '--from', passphrase)
    const serving = await ready(first)
    assert.match(
      readFileSync(`/proc/${first.child.pid}/limits`, 'utf8'),
      /^Max core file size +0 +0 /m,
    )
    first.child.kill('SIGUSR1') // opens a debugger of Node where nobody turned that off

    const kms = new KMSClient({ endpoint: serving.url, region: 'us-west-2', credentials })
    t.after(() => kms.destroy())
    const { KeyMetadata } = await kms.send(new CreateKeyCommand({}))
    const Plaintext = Buffer.from('hello')
    const { CiphertextBlob } = await kms.send(
      new EncryptCommand({ KeyId: KeyMetadata?.KeyId, Plaintext }),
    )
    const Message = Buffer.alloc(64, 7)
    for (const [KeySpec, SigningAlgorithm, MessageType] of signing) {
      const made = await kms.send(new CreateKeyCommand({ KeySpec, KeyUsage: 'SIGN_VERIFY' }))
      const common = { KeyId: made.KeyMetadata?.KeyId, Message, MessageType, SigningAlgorithm }
      const { Signature } = await kms.send(new SignCommand(common))
      const { SignatureValid } = await kms.send(new VerifyCommand({ ...common, Signature }))
      assert.equal(SignatureValid, true, KeySpec)
    }
    const page = await fetch(`${serving.url}/console/`)
    assert.deepEqual(
      [page.status, await page.text()],
      [200, '<!doctype html><title>The console</title>'],
    )
    const part = await fetch(`${serving.url}/console/assets/page-1.js`)
    assert.match(part.headers.get('cache-control') ?? '', /immutable/)
    assert.equal((await fetch(`${serving.url}/console/assets/page-2.js`)).status, 404)
    assert.equal((JSON.parse(await command('status', '--json')) as { ready: boolean }).ready, true)

    await command('seal')
    assert.deepEqual(await first.ended, { code: 0, signal: null })
    assert.doesNotMatch(first.stderr(), /Debugger|Warning/)

    const second = start('serve')
    await answers(second)
    await command('unseal', '--from', passphrase)
    const again = await ready(second)
    const later = new KMSClient({ endpoint: again.url, region: 'us-west-2', credentials })
    t.after(() => later.destroy())
    const opened = await later.send(new DecryptCommand({ CiphertextBlob }))
    assert.deepEqual(Buffer.from(opened.Plaintext ?? []), Plaintext)
    assert.deepEqual(await end(second, 'SIGTERM'), { code: 0, signal: null })
    assert.match(await command('verify-log'), /^whole: /m)
  },
)

test(
  'the executable says what an HSM needs, and then opens its root key in one',
  { skip: skip || (noSoftHsm ?? false) },
  async (t) => {
    const folder = temporaryFolder(t)
    const { library, environment, makeToken } = softHsm(t)
    makeToken('trent')
    const pinFile = join(folder, 'pin')
    writeFileSync(pinFile, pin, { mode: 0o600 })
    const seal = `pkcs11:token=trent;object=root-key?module-path=${library}&pin-source=file:${pinFile}`
    const { start, command, answers } = commandsIn(t, folder, {
      ...freePort(folder),
      ...settings,
      ...environment,
      TRENT_SEAL: seal,
      TRENT_PKCS11_ENVIRONMENT: 'SOFTHSM2_CONF',
    })
    const server = start('serve')
    await answers(server)
    const refused = start('init')
    assert.notEqual((await refused.ended).code, 0)
    const advice = `run \`npm install pkcs11js\` in ${installed}`
    assert.ok(refused.stderr().includes(advice), refused.stderr())

    mkdirSync(join(installed, 'node_modules'))
    symlinkSync(join(root, 'node_modules', 'pkcs11js'), join(installed, 'node_modules', 'pkcs11js'))
    await command('init')
    const serving = await ready(server)
    assert.equal((JSON.parse(await command('status', '--json')) as { ready: boolean }).ready, true)
    assert.deepEqual(await end(serving, 'SIGTERM'), { code: 0, signal: null })
  },
)

test(
  'the executable makes certificates, and knows identity providers and attested recipients',
  { skip },
  async (t) => {
    const folder = temporaryFolder(t)
    const { issuer, attester, environment } = await outside(t, folder)
    const { start, command } = commandsIn(t, folder, { ...settings, ...environment })
    await command('certificate', '--name', 'kms.example')
    const server = await ready(start('serve'))
    const clients = clientsOf(t, { endpoint: server.url, credentials, folder })
    await letsInByToken(clients, issuer)
    await answersAttested(clients, attester)
    assert.deepEqual(await end(server, 'SIGTERM'), { code: 0, signal: null })
  },
)

test('the executable keeps its keys in PostgreSQL', { skip: skip || postgres.skip }, async (t) => {
  const { url } = await postgres.testDatabase(t, postgres.testedVersions[0] ?? 0)
  const folder = temporaryFolder(t)
  const environment = { ...freePort(folder), ...settings, TRENT_DATABASE_URL: url }
  const { start } = commandsIn(t, folder, environment)
  const Plaintext = Buffer.from('hello')
  let CiphertextBlob: Uint8Array | undefined
  for (const turn of ['first', 'second']) {
    const server = await ready(start('serve'))
    const kms = new KMSClient({ endpoint: server.url, region: 'us-west-2', credentials })
    t.after(() => kms.destroy())
    if (turn === 'first') {
      const { KeyMetadata } = await kms.send(new CreateKeyCommand({}))
      const encrypt = new EncryptCommand({ KeyId: KeyMetadata?.KeyId, Plaintext })
      CiphertextBlob = (await kms.send(encrypt)).CiphertextBlob
    }
    const opened = await kms.send(new DecryptCommand({ CiphertextBlob }))
    assert.deepEqual(Buffer.from(opened.Plaintext ?? []), Plaintext, turn)
    assert.deepEqual(await end(server, 'SIGTERM'), { code: 0, signal: null })
  }
  assert.equal(existsSync(join(folder, 'data', 'trent.db')), false)
})
