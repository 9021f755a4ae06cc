/** The files for Docker Compose: their settings start servers, and their HAProxy sends calls to nodes that are ready. @module */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { chmodSync, existsSync, mkdtempSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { Agent, request } from 'node:http'
import { once } from 'node:events'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { CreateKeyCommand, DecryptCommand, EncryptCommand, KMSClient } from '@aws-sdk/client-kms'
import { parse } from 'yaml'
import { loadConfig } from '../../src/config.ts'
import { recordsOf } from '../compat/records.ts'
import { unpackedPackages } from '../debian-packages.ts'
import { freeLoopbackPort } from '../free-port.ts'
import { eventually } from '../start/node-process.ts'
import {
  end,
  root,
  run,
  serve,
  temporaryFolder,
  trentEnded,
  type Settings,
} from '../start/serve-process.ts'
import { installedPostgres } from '../store/postgres/postgres-binaries.ts'
import { startPostgres } from '../store/postgres/postgres-server.ts'

interface Service {
  readonly environment: Settings
  readonly entrypoint?: readonly string[]
  readonly command?: readonly string[]
  readonly ports?: readonly string[]
  readonly user?: string
  readonly read_only?: boolean
  readonly cap_drop?: readonly string[]
  readonly security_opt?: readonly string[]
  readonly ulimits?: { readonly core: number }
  readonly healthcheck?: { readonly test: readonly string[] }
}

const folder = join(root, 'deploy/compose')
const read = (name: string): string => readFileSync(join(folder, name), 'utf8')
const servicesOf = (name: string): Readonly<Record<string, Service>> =>
  (parse(read(name), { merge: true }) as { services: Record<string, Service> }).services

const alone = servicesOf('tests.yaml')['trent']
const services = servicesOf('nodes.yaml')
const password = '0123456789abcdef'
/** As Compose puts a variable into a value. */
const filled = (value: string): string =>
  value.replaceAll(/\$\{DATABASE_PASSWORD[^}]*\}/g, password)
const settingsOf = (service: Service | undefined): Settings =>
  Object.fromEntries(
    Object.entries(service?.environment ?? {}).map(([name, value]) => [name, filled(value)]),
  )

/** The settings here: of the addresses and paths of the containers, those of this machine. */
function here(service: Service | undefined, stands: Readonly<Record<string, string>>): Settings {
  const all = { '0.0.0.0:4599': '127.0.0.1:0', ...stands }
  return Object.fromEntries(
    Object.entries(settingsOf(service)).map(([name, value]) => [
      name,
      Object.entries(all).reduce((text, [there, own]) => text.replace(there, own), value),
    ]),
  )
}

test('every server of the files is shut in, and on this machine only', () => {
  const nodes = ['node-1', 'node-2', 'node-3'].map((name) => services[name])
  for (const service of [alone, ...nodes]) {
    assert.ok(service)
    assert.equal(service.user, '10001:10001')
    assert.equal(service.read_only, true)
    assert.deepEqual(service.cap_drop, ['ALL'])
    assert.deepEqual(service.security_opt, ['no-new-privileges:true'])
    assert.deepEqual(service.ulimits, { core: 0 })
    assert.deepEqual(service.healthcheck?.test, ['CMD', 'trent', 'status'])
    assert.equal(loadConfig({ ...settingsOf(service) }).dataDirectory, '/data')
  }
  for (const service of [alone, ...Object.values(services)]) {
    for (const port of service?.ports ?? []) assert.match(port, /^127\.0\.0\.1:/)
  }
})

test('the server for tests takes test/test and the name of its service', async (t) => {
  const home = temporaryFolder(t)
  const settings = here(alone, { '/data': join(home, 'data') })
  const server = await serve(t, home, settings)
  const checked = await trentEnded(t, ['status'], settings, home)
  assert.equal(checked.code, 0, checked.stderr)
  const client = clientOf(t, server.url, { accessKeyId: 'test', secretAccessKey: 'test' })
  await client.send(new CreateKeyCommand({}))
  const headers = { Host: 'trent:4599', 'Content-Type': 'application/json' }
  const options = { port: server.port, path: '/_trent/test/clock', method: 'POST', headers }
  const call = request({ host: '127.0.0.1', agent: false, ...options })
  call.end('{"advance": "8d"}')
  const [response] = (await once(call, 'response')) as [{ statusCode: number; resume(): void }]
  response.resume()
  assert.equal(response.statusCode, 200)
  await end(server, 'SIGTERM')
})

const cannotChown = process.getuid?.() === 0 ? false : 'only root can give a file to another user'

test('the key file of the nodes is made once, for their user alone', { skip: cannotChown }, (t) => {
  const volume = temporaryFolder(t)
  const path = join(volume, 'seal.key')
  const { entrypoint = [], command = [] } = services['seal'] ?? {}
  const script = command.join('').replaceAll('/seal/', `${volume}/`)
  // As the container: root with this capability alone.
  const limited = ['--bounding-set=-all,+chown', '--inh-caps=-all', '--ambient-caps=-all']
  const make = (): Buffer => {
    const made = spawnSync('setpriv', [...limited, ...entrypoint, script], { encoding: 'utf8' })
    assert.equal(made.status, 0, made.stderr)
    const { mode, uid, gid, size } = statSync(path)
    assert.deepEqual([mode & 0o777, uid, gid, size], [0o600, 10_001, 10_001, 32])
    return readFileSync(path)
  }
  // A former try was killed.
  writeFileSync(join(volume, 'new.key'), 'half', { mode: 0o400 })
  const key = make()
  assert.deepEqual(make(), key)
  assert.equal(existsSync(join(volume, 'new.key')), false)
})

function clientOf(
  t: TestContext,
  endpoint: string,
  credentials: { readonly accessKeyId: string; readonly secretAccessKey: string },
  localAddress = '127.0.0.1',
): KMSClient {
  const requestHandler = { httpAgent: new Agent({ keepAlive: true, localAddress }) }
  const client = new KMSClient({ endpoint, region: 'us-west-2', credentials, requestHandler })
  t.after(() => client.destroy())
  return client
}

/** Debian's HAProxy, with its libraries, or why there is none. */
function haproxy(): { readonly program: string; readonly libraries: string } | string {
  const unpacked = unpackedPackages('haproxy', ['haproxy'])
  if ('why' in unpacked) return unpacked.why
  const machine = process.arch === 'arm64' ? 'aarch64' : 'x86_64'
  const program = join(unpacked.root, 'usr/sbin/haproxy')
  return { program, libraries: join(unpacked.root, 'usr/lib', `${machine}-linux-gnu`) }
}

/** Runs the HAProxy of the file with nodes at these ports, and one that nobody answers. */
async function balance(
  t: TestContext,
  { program, libraries }: Exclude<ReturnType<typeof haproxy>, string>,
  ports: readonly number[],
): Promise<string> {
  const [own, nobody] = [await freeLoopbackPort(), await freeLoopbackPort()]
  const text = read('haproxy.cfg')
    .replace('bind :4599', `bind 127.0.0.1:${own}`)
    .replaceAll(
      /node-(\d):4599/g,
      (_, number: string) => `127.0.0.1:${ports[Number(number) - 1] ?? nobody}`,
    )
  const home = temporaryFolder(t)
  const path = join(home, 'haproxy.cfg')
  writeFileSync(path, text)
  const settings = { LD_LIBRARY_PATH: libraries }
  const checked = run(t, [program, '-c', '-f', path], settings, home)
  assert.equal((await checked.ended).code, 0, checked.stderr())
  assert.doesNotMatch(checked.stderr(), /WARNING/)
  run(t, [program, '-db', '-f', path], settings, home)
  return `http://127.0.0.1:${own}`
}

const found = haproxy()
const [binaries] = installedPostgres()
const psql = installedPostgres().find((each) => existsSync(join(each.folder, 'psql')))
const missing =
  typeof found === 'string'
    ? found
    : binaries === undefined || psql === undefined
      ? 'there is no PostgreSQL with psql here'
      : false

test(
  'nodes of the file answer behind its HAProxy, while one stops',
  { skip: missing },
  async (t) => {
    assert.ok(typeof found !== 'string' && binaries !== undefined && psql !== undefined)
    const home = temporaryFolder(t)
    // PostgreSQL runs as another user.
    chmodSync(home, 0o755)
    const socket = mkdtempSync(join(home, 'socket-'))
    chmodSync(socket, 0o777)
    const configuration = { listen_addresses: '', unix_socket_directories: socket }
    const postgres = await startPostgres(psql, { configuration })
    t.after(() => postgres.stop())
    const port = String(postgres.port)
    const login = ['-h', socket, '-p', port, '-U', postgres.superuser, '-d', 'postgres']
    const script = ['-v', 'ON_ERROR_STOP=1', '--no-psqlrc', '-f', join(folder, 'database.sql')]
    const made = run(
      t,
      [join(psql.folder, 'psql'), ...login, ...script],
      { PGPASSWORD: postgres.password, DATABASE_PASSWORD: password },
      home,
    )
    assert.equal((await made.ended).code, 0, made.stderr())

    const stands = {
      '%2Fvar%2Frun%2Fpostgresql': `${encodeURIComponent(socket)}:${port}`,
      '/seal/': `${home}/`,
      '172.30.99.0/24': '127.0.0.1',
    }
    const start = (name: string) =>
      serve(t, home, here(services[name], { ...stands, '/data': join(home, name) }))
    const [one, two] = [await start('node-1'), await start('node-2')]
    const [, accessKeyId = '', secretAccessKey = ''] =
      /aws_access_key_id = (\S+)\naws_secret_access_key = (\S+)/.exec(
        readFileSync(join(home, 'node-1', 'credentials'), 'utf8'),
      ) ?? []
    assert.equal(existsSync(join(home, 'node-2', 'credentials')), false)

    const url = await balance(t, found, [one.port, two.port])
    const credentials = { accessKeyId, secretAccessKey }
    const client = clientOf(t, url, credentials, '127.0.0.2')
    let KeyId: string | undefined
    await eventually(60_000, async () => {
      const answer = await client.send(new CreateKeyCommand({})).catch(() => undefined)
      KeyId = answer?.KeyMetadata?.KeyId
      return KeyId !== undefined
    })
    const ended = end(one, 'SIGTERM')
    while (one.child.exitCode === null && one.child.signalCode === null) {
      const Plaintext = Buffer.from('hello')
      const { CiphertextBlob } = await client.send(new EncryptCommand({ KeyId, Plaintext }))
      const opened = await client.send(new DecryptCommand({ CiphertextBlob }))
      assert.deepEqual(Buffer.from(opened.Plaintext ?? []), Plaintext)
    }
    assert.deepEqual(await ended, { code: 0, signal: null })
    await client.send(new EncryptCommand({ KeyId, Plaintext: Buffer.from('one node') }))
    await end(two, 'SIGTERM')
    // HAProxy told the nodes whose call it was.
    const records = await recordsOf(join(home, 'node-2'))
    const addresses = records
      .filter(({ eventName }) => eventName === 'Encrypt')
      .map((record) => (record as { sourceIPAddress?: string }).sourceIPAddress)
    assert.deepEqual([...new Set(addresses)], ['127.0.0.2'])
  },
)
