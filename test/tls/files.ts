/** Files of TLS in a folder that goes with the test. @module */
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Certified } from '../wire/certificate.ts'

export interface WrittenTls {
  readonly folder: string
  readonly paths: { readonly cert: string; readonly key: string }
  /** The authority's certificate. */
  readonly authority: string
  readonly settings: { readonly TRENT_TLS_CERT: string; readonly TRENT_TLS_KEY: string }
  /** Writes other files at the same paths. */
  readonly write: (certified: Pick<Certified, 'cert' | 'key'>) => void
}

export function writtenTls(
  t: { readonly after: (end: () => void) => void },
  certified: Certified,
): WrittenTls {
  const folder = mkdtempSync(join(tmpdir(), 'trent-tls-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  const cert = join(folder, 'server.pem')
  const key = join(folder, 'server.key')
  const authority = join(folder, 'authority.pem')
  const write: WrittenTls['write'] = (files) => {
    writeFileSync(cert, files.cert)
    writeFileSync(key, files.key)
    chmodSync(key, 0o600)
  }
  write(certified)
  writeFileSync(authority, certified.authority)
  const settings = { TRENT_TLS_CERT: cert, TRENT_TLS_KEY: key }
  return { folder, paths: { cert, key }, authority, settings, write }
}
