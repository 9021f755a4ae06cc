import assert from 'node:assert/strict'
import { createSecretKey, randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { chmod, readFile, readdir, rename, stat, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { createKeyFile, fileSeal } from '../../src/seals/file.ts'
import { openAlone, SealRefused } from '../../src/seals/seal.ts'
import { flipped, realRandom } from '../crypto/fixed.ts'

const folder = mkdtempSync(join(tmpdir(), 'trent-seal-'))
const rootKey = randomBytes(32)
let files = 0

after(() => rmSync(folder, { recursive: true }))

const newPath = (): string => join(folder, `seal-${(files += 1)}.key`)

/** A SealRefused with a one-line message that contains `words`. */
const refusal = (words: RegExp) => (error: unknown) => {
  assert.ok(error instanceof SealRefused)
  assert.match(error.message, words)
  assert.ok(!error.message.includes('\n'))
  return true
}

async function sealed(): Promise<{ readonly path: string; readonly bytes: Uint8Array }> {
  const path = newPath()
  await createKeyFile(path, realRandom)
  const seal = fileSeal(path, realRandom)
  return { path, bytes: (await seal.seal(rootKey, 'deployment')).record }
}

async function unseal(path: string, bytes: Uint8Array, deployment = 'deployment') {
  return openAlone(fileSeal(path, realRandom), bytes, deployment)
}

test('a sealed root key unseals with the same file', async () => {
  const { path, bytes } = await sealed()
  assert.equal(bytes.length, 60)
  const opened = await unseal(path, bytes)
  assert.ok(opened.equals(createSecretKey(rootKey)))
})

test('a key file has 32 bytes that only its owner can read, and nothing is beside it', async () => {
  const { path } = await sealed()
  const { mode, size } = await stat(path)
  assert.equal(mode & 0o777, 0o600)
  assert.equal(size, 32)
  const name = path.slice(folder.length + 1)
  assert.deepEqual(
    (await readdir(folder)).filter((entry) => entry.startsWith(name)),
    [name],
  )
})

test('a key file that is there is never written over', async () => {
  const { path, bytes } = await sealed()
  const before = await readFile(path)
  await assert.rejects(createKeyFile(path, realRandom), refusal(/exists already/))
  assert.deepEqual(await readFile(path), before)
  assert.ok(await unseal(path, bytes))
})

test('of two that make it at once, one wins and the other is refused', async () => {
  const path = newPath()
  const made = [1, 2, 3].map(() => createKeyFile(path, realRandom))
  const results = await Promise.allSettled(made)
  assert.equal(results.filter((result) => result.status === 'fulfilled').length, 1)
  for (const result of results) {
    if (result.status === 'rejected') assert.ok(result.reason instanceof SealRefused)
  }
  assert.equal((await readFile(path)).length, 32)
  const name = path.slice(folder.length + 1)
  assert.deepEqual(
    (await readdir(folder)).filter((entry) => entry.startsWith(name)),
    [name],
  )
})

test('unsealing without the file is refused, and makes none', async () => {
  const { bytes } = await sealed()
  const path = newPath()
  await assert.rejects(unseal(path, bytes), refusal(/is missing/))
  await assert.rejects(stat(path), { code: 'ENOENT' })
})

test('a file that others can read or write is refused', async () => {
  const { path, bytes } = await sealed()
  for (const mode of [0o640, 0o604, 0o620, 0o601, 0o644]) {
    await chmod(path, mode)
    await assert.rejects(unseal(path, bytes), refusal(/open to other users/))
  }
  await chmod(path, 0o600)
  assert.ok(await unseal(path, bytes))
  await chmod(path, 0o400)
  assert.ok(await unseal(path, bytes))
})

test('a file of the wrong size is refused', async () => {
  const { path, bytes } = await sealed()
  for (const size of [0, 31, 33]) {
    await writeFile(path, Buffer.alloc(size))
    await assert.rejects(unseal(path, bytes), refusal(/bytes, not 32/))
  }
})

test('a symbolic link and a folder are refused', async () => {
  const { path, bytes } = await sealed()
  const link = newPath()
  await symlink(path, link)
  await assert.rejects(unseal(link, bytes), refusal(/symbolic link/))
  await assert.rejects(unseal(folder, bytes), refusal(/not a regular file/))
})

test('another file, another deployment and changed bytes do not unseal', async () => {
  const { path, bytes } = await sealed()
  const other = await sealed()
  const words = refusal(/does not open/)
  await assert.rejects(unseal(path, other.bytes), words)
  await assert.rejects(unseal(path, bytes, 'another'), words)
  for (let index = 0; index < bytes.length; index += 1) {
    await assert.rejects(unseal(path, flipped(bytes, index)), words)
    await assert.rejects(unseal(path, bytes.subarray(0, index)), words)
  }
  await rename(other.path, path)
  await assert.rejects(unseal(path, bytes), words)
})

test('a root key of another length than 32 bytes is not sealed', async () => {
  const { path } = await sealed()
  const seal = fileSeal(path, realRandom)
  for (const length of [0, 16, 33]) {
    await assert.rejects(seal.seal(Buffer.alloc(length), 'deployment'), RangeError)
  }
})

test('a key file where the server may not write is refused in one line', async () => {
  const words = /^key file \/proc\/trent\/seal\.key cannot be made: ENOENT; make it first/
  await assert.rejects(createKeyFile('/proc/trent/seal.key', realRandom), refusal(words))
  const { path } = await sealed()
  await assert.rejects(
    createKeyFile(join(path, 'seal.key'), realRandom),
    refusal(/: ENOTDIR; make/),
  )
})

test('other failures to make a key file keep the words of the system', async () => {
  await assert.rejects(createKeyFile(join(folder, 'x'.repeat(300)), realRandom), {
    code: 'ENAMETOOLONG',
  })
})
