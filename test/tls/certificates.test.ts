/** How changed files of TLS come into use. */
import assert from 'node:assert/strict'
import { renameSync, rmSync, writeFileSync } from 'node:fs'
import { before, test, type TestContext } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { openCertificates, type Certificates } from '../../src/tls/certificates.ts'
import type { TlsFiles } from '../../src/wire/tls.ts'
import { certified, type Certified } from '../wire/certificate.ts'
import { writtenTls, type WrittenTls } from './files.ts'

let own: Certified
let other: Certified
before(async () => {
  ;[own, other] = await Promise.all([certified('localhost'), certified('localhost')])
})

interface Bench extends Certificates {
  readonly written: WrittenTls
  readonly taken: TlsFiles[]
  readonly said: string[]
}

async function opened(t: TestContext, lookEveryMs = 3_600_000): Promise<Bench> {
  const written = writtenTls(t, own)
  const taken: TlsFiles[] = []
  const said: string[] = []
  const certificates = await openCertificates({
    paths: written.paths,
    now: () => Date.now(),
    onUsed: (expiresAt) => said.push(`used until ${expiresAt}`),
    onRefused: (why) => said.push(why),
    lookEveryMs,
  })
  certificates.follow((files) => void taken.push(files))
  t.after(() => certificates.close())
  return { ...certificates, written, taken, said }
}

test('an operator has changed files read at once, and unchanged ones change nothing', async (t) => {
  const { written, reload, files, taken, said } = await opened(t)
  await reload()
  assert.deepEqual([taken, said], [[], []])
  written.write(other)
  await reload()
  assert.equal(files().cert, other.cert)
  assert.deepEqual(taken, [{ cert: other.cert, key: Buffer.from(other.key) }])
  assert.match(said.join(), /^used until 20\S+Z$/)
})

test('wrong files are refused aloud, once, and the former ones stay until there are right ones', async (t) => {
  const { written, reload, files, taken, said, refused } = await opened(t)
  written.write({ cert: other.cert, key: own.key })
  await reload()
  await reload()
  assert.equal(said.length, 1)
  assert.match(said[0] ?? '', /^TRENT_TLS_KEY: \S+ is not the key of/)
  assert.equal(refused(), said[0])
  assert.equal(files().cert, own.cert)
  rmSync(written.paths.cert)
  await reload()
  assert.match(said[1] ?? '', /^TRENT_TLS_CERT: \S+ is missing$/)
  assert.deepEqual(taken, [])
  written.write(own)
  await reload()
  assert.equal(refused(), undefined)
  assert.deepEqual(taken, [], 'these are in use already')
})

test('changed files are found without an operator, replaced in place or by a rename', async (t) => {
  const { written, files, said } = await opened(t, 20)
  const inUse = async (cert: string): Promise<void> => {
    for (let left = 200; files().cert !== cert; left -= 1) {
      assert.ok(left > 0, said.join())
      await sleep(20)
    }
  }
  written.write(other)
  await inUse(other.cert)
  const { cert, key } = written.paths
  writeFileSync(`${cert}.next`, own.cert)
  writeFileSync(`${key}.next`, own.key, { mode: 0o600 })
  renameSync(`${cert}.next`, cert)
  renameSync(`${key}.next`, key)
  await inUse(own.cert)
  assert.ok(
    said.every((line) => /^used until|is not the key of/.test(line)),
    said.join(),
  )
})
