/** Where the operators' socket may lie: nobody else may put another one in its place. @module */
import assert from 'node:assert/strict'
import { chmodSync, lchownSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { ConfigError } from '../../src/config.ts'
import {
  makeOperatorDirectory,
  requireSafeOperatorDirectory,
} from '../../src/server/operator-directory.ts'
import { temporaryFolder } from '../start/serve-process.ts'

const stranger = 12_345

const opened = async (operatorDirectory: string): Promise<unknown> => {
  const of = { operatorDirectory, dataDirectory: '/none' }
  // What a start does, and what `trent doctor` says before it.
  await makeOperatorDirectory(of)
  return requireSafeOperatorDirectory(of)
}

const refused = async (path: string, why: RegExp): Promise<void> => {
  const isSentence = (error: unknown): boolean =>
    error instanceof ConfigError && /^TRENT_OPERATOR_DIR: [^\n]+$/.test(error.message)
  for (const check of [
    opened,
    (operatorDirectory: string) => requireSafeOperatorDirectory({ operatorDirectory }),
  ]) {
    await assert.rejects(check(path), (error) => isSentence(error) && why.test(String(error)))
  }
}

test('a directory is refused if others may write above it, unless entries stay with their owners', async (t) => {
  const folder = temporaryFolder(t)
  const above = join(folder, 'above')
  const path = join(above, 'between', 'door')
  mkdirSync(join(above, 'between'), { recursive: true })
  await opened(path)
  for (const mode of [0o770, 0o757, 0o777]) {
    chmodSync(above, mode)
    await refused(path, /may write to \S+above, above \S+door: it must belong to root/)
  }
  chmodSync(above, 0o1777)
  await opened(path)
  if (process.geteuid?.() !== 0) return
  lchownSync(above, stranger, stranger)
  await refused(path, /may write to \S+above, /)
})

test('a link above a directory counts with the directories that it leads through', async (t) => {
  const folder = temporaryFolder(t)
  for (const name of ['real', 'through', 'direct']) mkdirSync(join(folder, name))
  const first = join(folder, 'direct', 'first')
  symlinkSync('../through/second', first)
  symlinkSync(join(folder, 'real'), join(folder, 'through', 'second'))
  const path = join(first, 'door')
  await opened(path)
  for (const name of ['real', 'through', 'direct']) {
    chmodSync(join(folder, name), 0o777)
    await refused(path, new RegExp(`may write to \\S+${name}, above`))
    chmodSync(join(folder, name), 0o755)
  }
  await opened(path)
  if (process.geteuid?.() !== 0) return
  lchownSync(first, stranger, stranger)
  await refused(path, /may write to \S+first, above/)
})

test('a directory below nothing, or below a file, is refused in one sentence', async (t) => {
  const folder = temporaryFolder(t)
  await refused(join(folder, 'none', 'door'), /none, above \S+door, cannot be used/)
  symlinkSync('loop', join(folder, 'loop'))
  await refused(join(folder, 'loop', 'door'), /TRENT_OPERATOR_DIR: /)
  writeFileSync(join(folder, 'file'), '')
  await refused(join(folder, 'file', 'door'), /TRENT_OPERATOR_DIR: /)
})
