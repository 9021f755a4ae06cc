/** A workplace on a server with TLS, with the files of `trent certificate`. @module */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { promisify } from 'node:util'
import { temporaryFolder } from '../store/engines.ts'
import { openWorkplace, type Workplace } from './workplace.ts'

export interface TlsWorkplace extends Workplace {
  /** The certificate of the authority, in a file. No client of the shell trusts it by itself. */
  readonly ca: string
}

export async function openTlsWorkplace(
  t: TestContext,
  clients: Parameters<typeof openWorkplace>[1],
): Promise<TlsWorkplace> {
  const folder = temporaryFolder(t)
  const program = join(import.meta.dirname, '../../src/main.ts')
  const command = [program, 'certificate', '--directory', folder]
  await promisify(execFile)(process.execPath, command)
  const workplace = await openWorkplace(t, clients, {
    TRENT_TLS_CERT: join(folder, 'server.pem'),
    TRENT_TLS_KEY: join(folder, 'server.key'),
  })
  assert.match(workplace.server.url, /^https:/)
  return { ...workplace, ca: join(folder, 'ca.pem') }
}
