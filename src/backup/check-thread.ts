/**
 * The thread that reads a backup which was just written. Opening and parsing all of it must not delay calls.
 * It gets the key of this backup and no other key. `check.ts` starts it.
 * @module
 */
import { nodeFiles, piecesOf } from '../disk/files.ts'
import { serveThread } from '../threads/thread.ts'
import type { CheckQuestions } from './check.ts'
import { readBackup } from './format.ts'
import { rowsOf } from './verify.ts'

serveThread<undefined, CheckQuestions>(() => ({
  async check({ path, deploymentId, key }) {
    const reader = await readBackup(piecesOf(nodeFiles, path))
    let rows = 0
    // It overwrites the key.
    const keyring = { deploymentId, backupKey: () => Buffer.from(key.buffer) }
    for await (const found of rowsOf(reader, keyring)) rows += found.rows.length
    return rows
  },
}))
