/**
 * The seal by a key file: 32 random bytes that only the server's user can read. Without the file, a stolen
 * database is worthless. The seal does not protect against someone who can read both.
 *
 *     sealed root key  iv ‖ ciphertext ‖ tag, 60 bytes, AES-256-GCM under the file's bytes,
 *                      AAD = "trent:root-key:1" ‖ deployment id
 *
 * @module
 */
import type { KeyObject } from 'node:crypto'
import { existsSync } from 'node:fs'
import { link, rm } from 'node:fs/promises'
import { dirname } from 'node:path'
import { unwrapBytes, wrapBytes } from '../crypto/aead.ts'
import { takeSecretKey } from '../crypto/derive.ts'
import { NotAuthentic } from '../crypto/keyring.ts'
import { writeNewFile } from '../disk/durable.ts'
import { codeOf } from '../disk/error-code.ts'
import { nodeFiles } from '../disk/files.ts'
import type { Random } from '../model/clock.ts'
import { readPrivateFile } from './private-file.ts'
import { rootKeyBytes, SealRefused, unattended, type Seal } from './seal.ts'

const keyBytes = 32
/** The directory is not there, or is not the server's to write. */
const notWritable: ReadonlySet<string> = new Set(['ENOENT', 'ENOTDIR', 'EACCES', 'EPERM', 'EROFS'])

/**
 * Creates a key file, whole or not at all. The file and its directory entry are durable when this
 * returns.
 * @throws {SealRefused} if the file exists, because it is never overwritten, or if the path is not writable
 */
export async function createKeyFile(path: string, random: Random): Promise<void> {
  // A temporary name: a crash may leave this file behind, but never a truncated key file.
  const partial = `${path}.${random.uuid()}`
  const key = random.bytes(keyBytes)
  try {
    await writeNewFile(nodeFiles, partial, key)
    // Unlike a rename, a link replaces no file.
    await link(partial, path)
    await rm(partial)
    await nodeFiles.syncDirectory(dirname(path))
  } catch (error) {
    const code = codeOf(error) ?? ''
    if (code === 'EEXIST') throw new SealRefused(`key file ${path} exists already`)
    // Of a disk that is full or broken this is the wrong advice.
    if (!notWritable.has(code)) throw error
    throw new SealRefused(
      `key file ${path} cannot be made: ${code}; make it first, with 32 random bytes`,
      { cause: error },
    )
  } finally {
    key.fill(0)
    // Where it could not be made it cannot be removed, and the first failure has the better words.
    await rm(partial, { force: true }).catch(() => undefined)
  }
}

/**
 * The seal of a key file. Each use reads the file again, so that its bytes are not kept.
 * @param path absolute
 */
export function fileSeal(path: string, random: Random): Seal {
  return {
    kind: 'file',
    asks: 'nothing',
    startsAlone: true,
    async seal(rootKey, deploymentId) {
      if (rootKey.length !== rootKeyBytes) throw new RangeError('a root key has 32 bytes')
      // A start that died after the file and before the record left a file that nothing depends on.
      if (!existsSync(path)) await createKeyFile(path, random)
      const key = await readKeyFile(path)
      return { record: wrapBytes(key, rootKeyAad(deploymentId), rootKey, random) }
    },
    open: (record, deploymentId) =>
      unattended(async () => {
        const rootKey = takeSecretKey(
          openSealed(await readKeyFile(path), record, deploymentId, path),
        )
        if (rootKey.symmetricKeySize !== rootKeyBytes) throw new SealRefused('not a root key')
        return rootKey
      }),
  }
}

function openSealed(
  key: KeyObject,
  sealed: Uint8Array,
  deploymentId: string,
  path: string,
): Buffer {
  try {
    return unwrapBytes(key, rootKeyAad(deploymentId), sealed)
  } catch (error) {
    if (!(error instanceof NotAuthentic)) throw error
    const message = `key file ${path} does not open this deployment's root key`
    throw new SealRefused(message, { cause: error })
  }
}

async function readKeyFile(path: string): Promise<KeyObject> {
  const file = { path, name: 'key file', sizeMin: keyBytes, sizeMax: keyBytes }
  return takeSecretKey(await readPrivateFile(file))
}

function rootKeyAad(deploymentId: string): Buffer {
  return Buffer.from(`trent:root-key:1${deploymentId}`)
}
