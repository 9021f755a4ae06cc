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

/** The files of `trent certificate`, and the settings of a server that uses them. */
export async function authorityAndPair(t: TestContext): Promise<{
  readonly ca: string
  readonly settings: { readonly TRENT_TLS_CERT: string; readonly TRENT_TLS_KEY: string }
}> {
  const folder = temporaryFolder(t)
  const program = join(import.meta.dirname, '../../src/main.ts')
  const command = [program, 'certificate', '--directory', folder]
  await promisify(execFile)(process.execPath, command)
  return {
    ca: join(folder, 'ca.pem'),
    settings: {
      TRENT_TLS_CERT: join(folder, 'server.pem'),
      TRENT_TLS_KEY: join(folder, 'server.key'),
    },
  }
}

export async function openTlsWorkplace(
  t: TestContext,
  clients: Parameters<typeof openWorkplace>[1],
): Promise<TlsWorkplace> {
  const { ca, settings } = await authorityAndPair(t)
  const workplace = await openWorkplace(t, clients, settings)
  assert.match(workplace.server.url, /^https:/)
  return { ...workplace, ca }
}
