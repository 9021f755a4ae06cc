/**
 * The whole of a release, made twice: `npm run test:release`. It takes minutes, so that `npm test` leaves it out.
 * @module
 */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { closeSync, mkdtempSync, openSync, readFileSync, readSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { tryImage } from './image.ts'
import { noPodman, withPodman } from './podman.ts'
import { recorded } from './release-scripts.ts'
import { root } from '../start/serve-process.ts'

const skip = process.platform === 'linux' ? false : 'a whole release is made on Linux'
const folder = mkdtempSync(join(tmpdir(), 'trent-release-'))
const [one, other] = [join(folder, 'one'), join(folder, 'other')]
after(() => rmSync(folder, { recursive: true, force: true }))

const megabyte = 1024 * 1024
const version = '0.1.0'
const platforms = ['linux-x64', 'linux-arm64'] as const
/** `e_machine` in the header of an ELF file. */
const machines = { 'linux-x64': 62, 'linux-arm64': 183 } as const

function release(out: string, mask: string): void {
  const script = join(root, 'scripts', 'release.mjs')
  const command = ['-c', `umask ${mask}; exec "$0" "$@"`, process.execPath, script, out]
  const env = noPodman === undefined ? withPodman() : process.env
  execFileSync('/bin/sh', command, { cwd: root, env, stdio: ['ignore', 'ignore', 'inherit'] })
}

before(() => {
  if (skip !== false) return
  release(one, '022')
  release(other, '077')
})

const size = (name: string): number => statSync(join(one, name)).size

test('two releases have the same bytes, whatever the mask of their users', { skip }, () => {
  const sums = readFileSync(join(one, 'SHA256SUMS'), 'utf8')
  assert.equal(readFileSync(join(other, 'SHA256SUMS'), 'utf8'), sums)
  for (const platform of platforms) {
    assert.match(sums, new RegExp(`  trent-${version}-${platform}\\.tar\\.gz$`, 'm'))
    assert.match(sums, new RegExp(`  trent-${version}-${platform}\\.cdx\\.json$`, 'm'))
  }
})

test('each file is as small as it should be', { skip }, (t) => {
  assert.ok(size(`trent-kms-trent-${version}.tgz`) < 15 * megabyte)
  for (const platform of platforms) {
    const name = `trent-${version}-${platform}`
    t.diagnostic(
      `${name}: ${size(`${name}/trent`)} bytes, in the archive ${size(`${name}.tar.gz`)}`,
    )
    assert.ok(size(`${name}/trent`) < 140 * megabyte)
    assert.ok(size(`${name}.tar.gz`) < 60 * megabyte)
  }
})

test('each executable is for its machine, and its bill names the Node.js inside', { skip }, () => {
  for (const platform of platforms) {
    const name = `trent-${version}-${platform}`
    const header = Buffer.alloc(20)
    const file = openSync(join(one, name, 'trent'), 'r')
    readSync(file, header)
    closeSync(file)
    assert.equal(header.toString('latin1', 0, 4), '\x7fELF')
    assert.equal(header.readUInt16LE(18), machines[platform])
    const bill = JSON.parse(readFileSync(join(one, `${name}.cdx.json`), 'utf8')) as {
      readonly components: readonly { readonly purl: string }[]
    }
    const purls = bill.components.map(({ purl }) => purl)
    assert.ok(purls.includes(`pkg:npm/node-${platform}@${recorded.version}`))
    assert.ok(purls.some((purl) => purl.startsWith('pkg:npm/pg@')))
    const notices = readFileSync(join(one, name, 'THIRD-PARTY-NOTICES'), 'utf8')
    assert.match(notices, /^Node\.js is licensed for use as follows:$/m)
  }
})

test(
  'an image for each machine is small, and its bill names its libraries',
  { skip: skip || (noPodman ?? false) },
  (t) => {
    for (const platform of platforms) {
      const name = `trent-${version}-image-${platform}`
      t.diagnostic(`${name}.tar.gz has ${size(`${name}.tar.gz`)} bytes`)
      assert.ok(size(`${name}.tar.gz`) <= 70_000_000)
      const bill = readFileSync(join(one, `${name}.cdx.json`), 'utf8')
      assert.match(bill, /"pkg:deb\/debian\/libc6@/)
      assert.match(bill, /"pkg:npm\/pg@/)
      assert.match(
        readFileSync(join(one, 'SHA256SUMS'), 'utf8'),
        new RegExp(`  ${name}\\.tar\\.gz$`, 'm'),
      )
    }
  },
)

test(
  'the image runs without root, a shell and a writable root, and keeps its data',
  { skip: skip || (noPodman ?? false) },
  async (t) => {
    const name = `trent-${version}-image-${process.platform}-${process.arch}.tar.gz`
    await tryImage(t, folder, join(one, name))
  },
)
