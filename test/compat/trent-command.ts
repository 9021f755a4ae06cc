/** The command `trent`, run against a server. @module */
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { Identities } from './identities.ts'

/** Answers what it prints. */
export function trentOf({
  server,
}: Pick<Identities, 'server'>): (...args: readonly string[]) => Promise<string> {
  const program = join(import.meta.dirname, '../../src/main.ts')
  const env = { ...process.env, TRENT_DATA_DIR: server.directory }
  return async (...args: readonly string[]): Promise<string> =>
    (await promisify(execFile)(process.execPath, [program, ...args], { env })).stdout
}
